package pipe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// Sender sends records over an open pipe to the program at its other end, such as to a parent
// through the standard output. With
// [wire.AppendPickledDict] as the encoding of its [queue.Handler] it is the other end of
// Logbook's MultiProcessingSubscriber, whose queue is then a
// multiprocessing.connection.Connection; with the default, or with [wire.AppendPickle], that
// of a [Receiver].
//
// A pipe that nobody reads makes the sender wait. What could not be written in time
// is lost, and when a part of it was written, so is the pipe.
type Sender struct {
	name  string
	w     io.WriteCloser
	lines bool

	turn chan struct{} // held by the one who writes; capacity 1
	buf  []byte
	err  error // what ended the pipe

	wrote uint64 // bytes
}

var _ queue.Sender = (*Sender)(nil)

// NewSender returns a sender that writes to w, which it closes at the end. name is shown to
// people. lines puts a line feed behind each record, for JSON; otherwise its length stands
// in front, which pickles need.
func NewSender(name string, w io.WriteCloser, lines bool) *Sender {
	return &Sender{name: name, w: w, lines: lines, turn: make(chan struct{}, 1)}
}

// String returns the name.
func (s *Sender) String() string { return s.name }

// Send implements [queue.Sender]. A pipe without deadlines, such as most that are no file,
// does not end a write when ctx does.
func (s *Sender) Send(ctx context.Context, body []byte) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.err != nil {
		return s.err
	}
	s.buf = s.buf[:0]
	if !s.lines {
		s.buf = frame.AppendLength(s.buf, len(body))
	}
	s.buf = append(s.buf, body...)
	if s.lines {
		s.buf = append(s.buf, '\n')
	}
	if d, ok := s.w.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		until, _ := ctx.Deadline()    // none is the zero time, which is none here too
		_ = d.SetWriteDeadline(until) // not all files have them
		stop := context.AfterFunc(ctx, func() { _ = d.SetWriteDeadline(time.Now()) })
		defer stop()
	}
	n, err := s.w.Write(s.buf)
	s.wrote += uint64(n) //nolint:gosec // it is not negative
	if err == nil {
		return nil
	}
	err = fmt.Errorf("send to %s: %w", s.name, err)
	if n > 0 || ctx.Err() == nil { // nothing can follow a part of a record
		s.err = err
	}
	return err
}

// Close implements [queue.Sender].
func (s *Sender) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if errors.Is(s.err, queue.ErrClosed) {
		return nil
	}
	s.err = queue.ErrClosed
	if err := s.w.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.name, err)
	}
	return nil
}
