package socket

import (
	"bytes"
	"errors"
	"io"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// errHTTP says that somebody took the port for a web server.
var errHTTP = errors.New("it speaks HTTP; records over HTTP have a port of their own")

// conn is one connection.
type conn struct {
	*stream.Conn
	opts *Options
}

// serve reads a connection to its end.
func (o Options) serve(c *stream.Conn) error {
	s := conn{c, &o}
	messages := frame.NewReader(c, nil, o.MaxMessageSize)
	first, err := messages.First()
	if err != nil {
		return err
	}
	messages.Split(frame.Detect(first, o.MaxMessageSize))
	lengths := first == 0
	frames := wire.NewFrames(o.Decoder)
	for n := 0; !c.Gone(); n++ {
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

// end rejects a message that was cut short or is too large.
func (s *conn) end(err error) error {
	switch {
	case errors.Is(err, frame.ErrTooLarge):
		s.Put(queue.Message{Err: &wire.RejectError{Reason: wire.ReasonTooLarge, Detail: err.Error()}})
	case errors.Is(err, io.ErrUnexpectedEOF):
		s.Put(queue.Message{Err: &wire.RejectError{Reason: wire.ReasonMalformed, Detail: err.Error()}})
	}
	return err
}

func isHTTP(first []byte) bool {
	return bytes.HasSuffix(first, []byte(" HTTP/1.1")) || bytes.HasSuffix(first, []byte(" HTTP/1.0"))
}

// frame takes a message that came behind its length.
func (s *conn) frame(frames *wire.Frames, m []byte) {
	if r, err := frames.Decode(m); r != nil || err != nil {
		s.Put(queue.Message{Body: m, Record: r, Err: err})
	}
}

// line takes a message that came as a line.
func (s *conn) line(m []byte) {
	channel := s.opts.Channel
	if channel == "" {
		channel = s.Peer()
	}
	if r := line.Record(s.opts.Decoder, m, channel, s.opts.Level); r != nil {
		s.Put(queue.Message{Body: m, Record: r})
	}
}
