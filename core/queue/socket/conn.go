package socket

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// errHTTP says that somebody took the port for a web server.
var errHTTP = errors.New("it speaks HTTP; records over HTTP have a port of their own")

// tokenPrefix is what stands in front of a token, which is the first message of a connection.
const tokenPrefix = "!!logbook-tray!!token="

// maxToken is how long that message may be: who has not said who it is gets no more.
const maxToken = 4 << 10

// errToken is the end of a peer without it.
var errToken = errors.New("the peer has not sent the token")

// admits reports whether the first message of a connection holds the token.
func (o Options) admits(first []byte) bool {
	got, want := sha256.Sum256(bytes.TrimSpace(first)), sha256.Sum256([]byte(tokenPrefix+o.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// conn is one connection.
type conn struct {
	*stream.Conn
	opts   *Options
	spoken bool // a message has come in
}

// serve reads a connection to its end.
func (o Options) serve(c *stream.Conn) error {
	s := conn{Conn: c, opts: &o}
	if o.Token != "" {
		c.Ask()
	}
	messages := frame.NewReader(c, nil, o.MaxMessageSize)
	first, err := messages.First()
	if err != nil {
		return err
	}
	lengths := first == 0
	if o.Token != "" {
		messages.Split(frame.Detect(first, maxToken), maxToken)
		if m, err := messages.Next(); err != nil || !o.admits(m) {
			return errToken
		}
		if err := c.Admit(); err != nil {
			return err
		}
	}
	messages.Split(frame.Detect(first, o.MaxMessageSize), o.MaxMessageSize)
	frames := wire.NewFrames(o.Decoder)
	web := false
	err = c.Each(messages.Next, func(m []byte) bool {
		switch {
		case lengths:
			s.frame(frames, m)
		case !s.spoken && isHTTP(m):
			web = true
		default:
			s.line(m)
		}
		s.spoken = true
		return !web
	})
	if web {
		return errHTTP
	}
	if m, ok := stream.CutShort(err, messages.Rest()); ok {
		s.Put(m)
	}
	return err
}

func isHTTP(first []byte) bool {
	return bytes.HasSuffix(first, []byte(" HTTP/1.1")) || bytes.HasSuffix(first, []byte(" HTTP/1.0"))
}

// frame takes a message that came behind its length.
func (s *conn) frame(frames *wire.Frames, m []byte) {
	if r, err := frames.Decode(m); r != nil || err != nil {
		s.Put(queue.Message{Body: m, Record: r, Err: err, Format: frames.Format().String()})
	}
}

// line takes a message that came as a line.
func (s *conn) line(m []byte) {
	channel := s.opts.Channel
	if channel == "" {
		channel = s.Peer()
	}
	if r := line.Record(s.opts.Decoder, m, channel, s.opts.Level); r != nil {
		if r.Channel == "" {
			r.Channel = s.opts.Channel
		}
		s.Put(queue.Message{Body: m, Record: r})
	}
}
