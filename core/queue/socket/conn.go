package socket

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// errHTTP says that somebody took the port for a web server.
var errHTTP = errors.New("it speaks HTTP; records over HTTP have a port of their own")

// conn is one connection.
type conn struct {
	r     *Receiver
	c     net.Conn
	peer  string
	batch []queue.Message
	gone  bool // nobody receives any more
}

// serve reads a connection to its end.
func (r *Receiver) serve(c net.Conn) error {
	s := &conn{r: r, c: c, peer: peerName(c), batch: r.inbox.New()}
	defer s.flush()
	if err := s.deadline(time.Now().Add(r.opts.FirstTimeout)); err != nil {
		return err
	}
	in := bufio.NewReader(s)
	first, err := in.Peek(1)
	if err != nil {
		return unless(quiet, err)
	}
	if err := s.deadline(time.Time{}); err != nil {
		return err
	}
	lengths := first[0] == 0
	frames := wire.NewFrames(r.opts.Decoder)
	messages := frame.NewReader(in, frame.Detect(first[0], r.opts.MaxMessageSize), r.opts.MaxMessageSize)
	for n := 0; !s.gone; n++ {
		m, err := messages.Next()
		if err != nil {
			return s.end(err)
		}
		if n == 0 && !lengths && isHTTP(m) {
			return errHTTP
		}
		if lengths {
			s.frame(frames, m)
		} else {
			s.line(m)
		}
	}
	return nil
}

// deadline sets the time until which something must come in, unless Drain has
// set one.
func (s *conn) deadline(t time.Time) error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if s.r.draining {
		return nil
	}
	return unless(quiet, s.c.SetReadDeadline(t))
}

// Read hands over what there is before it waits for more. While the receiver
// drains, a connection ends when nothing has come in for a moment.
func (s *conn) Read(p []byte) (int, error) {
	s.flush()
	if s.r.isDraining() {
		if err := s.c.SetReadDeadline(time.Now().Add(drainTime)); err != nil {
			return 0, err
		}
	}
	return s.c.Read(p)
}

// end rejects a message that was cut short or is too large.
func (s *conn) end(err error) error {
	if quiet(err) {
		return nil
	}
	reason := wire.ReasonMalformed
	if errors.Is(err, frame.ErrTooLarge) {
		reason = wire.ReasonTooLarge
	}
	s.put(queue.Message{Err: &wire.RejectError{Reason: reason, Detail: err.Error()}})
	return err
}

func unless(fine func(error) bool, err error) error {
	if fine(err) {
		return nil
	}
	return err
}

func isHTTP(first []byte) bool {
	return bytes.HasSuffix(first, []byte(" HTTP/1.1")) || bytes.HasSuffix(first, []byte(" HTTP/1.0"))
}

// frame takes a message that came behind its length.
func (s *conn) frame(frames *wire.Frames, m []byte) {
	if r, err := frames.Decode(m); r != nil || err != nil {
		s.put(queue.Message{Body: m, Record: r, Err: err})
	}
}

// line takes a message that came as a line.
func (s *conn) line(m []byte) {
	channel := s.r.opts.Channel
	if channel == "" {
		channel = s.peer
	}
	if r := line.Record(s.r.opts.Decoder, m, channel, s.r.opts.Level); r != nil {
		s.put(queue.Message{Body: m, Record: r})
	}
}

func (s *conn) put(m queue.Message) {
	m.Peer = s.peer
	s.batch = append(s.batch, m)
	if len(s.batch) == inbox.Batch {
		s.flush()
	}
}

func (s *conn) flush() {
	if len(s.batch) > 0 {
		s.gone = !s.r.inbox.Put(s.batch)
		s.batch = s.r.inbox.New()
	}
}
