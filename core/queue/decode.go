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

func (s *Subscriber) safeDecode(m *Message) (r *core.Record, err error) {
	if m.Record != nil || m.Err != nil {
		return m.Record, m.Err
	}
	defer func() {
		if v := recover(); v != nil {
			r, err = nil, &panicError{v}
		}
	}()
	r, err = s.opts.Decode(*m)
	if r == nil && err == nil {
		err = errNoRecord
	}
	return r, err
}

// panicError is a panic of somebody else's code, turned into an error.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func (s *Subscriber) reject(m *Message, err error) {
	reason := rejectReason(err)
	s.count.reject(reason)
	if s.opts.Reject != nil {
		s.opts.Reject(Rejection{core.Source{Name: s.opts.Name, Peer: m.Peer}, m.Body, reason, err})
	}
	m.done(err)
}

func rejectReason(err error) string {
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
