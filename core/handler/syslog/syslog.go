package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// The time for which a daemon that could not be reached is left alone.
const (
	firstPause = time.Second
	maxPause   = 30 * time.Second
)

// Handler sends records to syslog. It is the SyslogHandler of Logbook, and the
// SysLogHandler of Python.
//
// It connects when the first record comes, and anew after the connection was lost. A
// daemon that cannot be reached is left alone for a second, and then for longer, up to
// half a minute; records that come meanwhile fail at once.
type Handler struct {
	o                        Options
	facility                 int
	withChannel, messageOnly *format.String

	mu     sync.Mutex // guards what follows and the order of messages
	conn   net.Conn
	closed bool
	pause  time.Duration
	after  time.Time // no attempt before
	cause  error     // why
}

var (
	_ core.Handler = (*Handler)(nil)
	_ io.Closer    = (*Handler)(nil)
)

// New checks the options and returns a handler.
func New(o Options) (*Handler, error) {
	if err := o.resolve(); err != nil {
		return nil, err
	}
	if o.Facility == "" {
		o.Facility = "user"
	}
	facility, ok := Facilities()[o.Facility]
	if !ok {
		return nil, fmt.Errorf("syslog: unknown facility %q", o.Facility)
	}
	withChannel, err := format.NewString("{record.channel}: {record.message}", format.Options{})
	if err != nil {
		return nil, err
	}
	messageOnly, err := format.NewString("{record.message}", format.Options{})
	if err != nil {
		return nil, err
	}
	return &Handler{o: o, facility: facility, withChannel: withChannel, messageOnly: messageOnly}, nil
}

// Handle sends r.
func (h *Handler) Handle(ctx context.Context, r *core.Record) error {
	packets, err := h.packets(r)
	ctx, cancel := context.WithTimeout(ctx, h.o.Timeout)
	defer cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range packets {
		if serr := h.send(ctx, p); serr != nil {
			return errors.Join(err, fmt.Errorf("send to syslog at %s: %w", h.o.Address, serr))
		}
	}
	return err
}

// send writes one message, over a new connection if the old one is lost.
func (h *Handler) send(ctx context.Context, p []byte) error {
	if h.closed {
		return handler.ErrClosed
	}
	if h.conn != nil {
		why := goodbye(h.conn)
		if why == nil && write(ctx, h.conn, p) == nil {
			return nil
		}
		_ = h.conn.Close() // it is lost, and the message with it, unless a new one takes it
		h.conn = nil
		if handshake.Refused(why) {
			return h.wait(why)
		}
	}
	if err := h.connect(ctx); err != nil {
		return err
	}
	if err := write(ctx, h.conn, p); err != nil {
		err = errors.Join(err, h.conn.Close())
		h.conn = nil
		return err
	}
	return nil
}

func write(ctx context.Context, c net.Conn, p []byte) error {
	deadline, _ := ctx.Deadline()
	if err := c.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := c.Write(p)
	return err
}

func (h *Handler) connect(ctx context.Context) error {
	if wait := time.Until(h.after); wait > 0 {
		return fmt.Errorf("%w (next attempt in %v)", h.cause, wait.Round(time.Second/10))
	}
	c, err := h.dial(ctx)
	if err == nil {
		h.conn, h.pause = c, 0
		return nil
	}
	if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) { // not when the caller gave up
		return h.wait(err)
	}
	return err
}

// wait puts off the next attempt to connect because of err, and says what to do about it.
func (h *Handler) wait(err error) error {
	h.pause = min(max(2*h.pause, firstPause), maxPause)
	h.after, h.cause = time.Now().Add(h.pause), handshake.Explain(err)
	return h.cause
}

// goodbye returns why the other end has hung up; nil if it has not.
func goodbye(c net.Conn) error {
	if alive(c) {
		return nil
	}
	t, encrypted := c.(*tls.Conn)
	if !encrypted {
		return io.EOF
	}
	// Something was said: that we are not welcome, or only what TLS needs.
	if err := t.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return err
	}
	for {
		_, err := t.Read(make([]byte, 1<<10))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (h *Handler) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	switch h.o.Transport {
	case Unix:
		c, err := d.DialContext(ctx, "unixgram", h.o.Address)
		if err == nil {
			return c, nil
		}
		if c, serr := d.DialContext(ctx, "unix", h.o.Address); serr == nil {
			return c, nil
		}
		return nil, err
	case TLS:
		t := tls.Dialer{NetDialer: &d, Config: h.o.TLS}
		return t.DialContext(ctx, "tcp", h.o.Address)
	case UDP, TCP:
	}
	return d.DialContext(ctx, string(h.o.Transport), h.o.Address)
}

// Close closes the connection.
func (h *Handler) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.conn == nil {
		return nil
	}
	err := h.conn.Close()
	h.conn = nil
	return err
}
