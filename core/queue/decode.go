package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// decode returns the record of m, or nil if it has none: the message is
// then rejected.
func (s *Subscriber) decode(m *Message, at time.Time) *core.Record {
	r, err := s.safeDecode(m)
	if err != nil {
		s.reject(m, err)
		return nil
	}
	s.count.last.Store(at.UnixNano())
	if r.Received.IsZero() {
		core.NewReceived(r, core.Source{Name: s.opts.Name, Peer: m.Peer}, at)
	}
	return r
}

// errNoRecord is the error of a decoder that returned neither record nor error.
var errNoRecord = errors.New("no record")

func (s *Subscriber) safeDecode(m *Message) (*core.Record, error) {
	if m.Record != nil || m.Err != nil {
		return m.Record, m.Err
	}
	return guarded(s.opts.Decode, *m)
}

// Decode makes a record of a message that was rejected, as this subscriber would if it came
// in now: it is not dispatched, and nothing is counted. The record has not gone through
// [core.NewReceived]. It may be called at any time, also after Close.
func (s *Subscriber) Decode(m Message) (*core.Record, error) {
	if d, ok := s.receiver.(Decoder); ok {
		return guarded(d.Decode, m)
	}
	return guarded(s.opts.Decode, m)
}

// guarded decodes m with somebody else's code.
func guarded(decode func(Message) (*core.Record, error), m Message) (r *core.Record, err error) {
	defer func() {
		if v := recover(); v != nil {
			r, err = nil, &panicError{v}
		}
	}()
	r, err = decode(m)
	if r == nil && err == nil {
		err = errNoRecord
	}
	return r, err
}

// panicError is a panic of somebody else's code, turned into an error.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func (s *Subscriber) reject(m *Message, err error) {
	reason := RejectReason(err)
	s.count.reject(reason)
	if s.opts.Reject != nil {
		s.opts.Reject(Rejection{
			Source: core.Source{Name: s.opts.Name, Peer: m.Peer}, Body: m.Body, Cut: m.Cut, Format: m.Format,
			Reason: reason, Err: err,
		})
	}
	m.done(err)
}

// RejectReason returns the reason of a message that is no record, by the error of its
// decoder: short, one of few.
func RejectReason(err error) string {
	var rejected *wire.RejectError
	var panicked *panicError
	switch {
	case errors.As(err, &rejected):
		return rejected.Reason
	case errors.As(err, &panicked):
		return "decoder panicked"
	}
	return "undecodable"
}
