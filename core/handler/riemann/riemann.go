// Package riemann sends records to Riemann, a server that watches streams of
// events.
package riemann

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// Defaults of [Options].
const (
	DefaultAddress = "127.0.0.1:5555"
	DefaultTTL     = 60 * time.Second
	DefaultTimeout = 5 * time.Second
)

// maxAnswer bounds what is read of an answer; maxText a text in an event.
const (
	maxAnswer = 64 << 10
	maxText   = 64 << 10
)

// Options says what [New] makes. The zero value sends to a server on this machine.
type Options struct {
	// Address is the host and port; the default is [DefaultAddress].
	Address string
	// Host is the host of the events; the default is the name of this machine.
	Host string
	// TTL is how long an event is valid; the default is [DefaultTTL].
	TTL time.Duration
	// Timeout is how long connecting, sending and the answer may take together; the
	// default is [DefaultTimeout].
	Timeout time.Duration
}

// Handler sends each record as an event over TCP and waits until it is acknowledged. It
// is Logbook's RiemannHandler: the service is channel and process, the state "error" from
// ERROR on and "ok" below, the tags are "log" and the level.
//
// A batch is sent as one message; behind a handler.Memory that is one for every so many
// records, as Logbook's flush_threshold has it.
type Handler struct {
	o Options

	mu     sync.Mutex // one message at a time; held while sending
	conn   net.Conn   // nil before the first message and after an error
	closed bool
}

var (
	_ core.BatchHandler = (*Handler)(nil)
	_ io.Closer         = (*Handler)(nil)
)

// New checks the options and returns a handler. It connects when the first record
// comes.
func New(o Options) (*Handler, error) {
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	if _, _, err := net.SplitHostPort(o.Address); err != nil {
		return nil, fmt.Errorf("riemann: address %q: want host:port: %w", o.Address, err)
	}
	if o.Host == "" {
		o.Host, _ = os.Hostname() // empty if there is none
	}
	if o.TTL <= 0 {
		o.TTL = DefaultTTL
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	return &Handler{o: o}, nil
}

// Handle sends r.
func (h *Handler) Handle(ctx context.Context, r *core.Record) error {
	return h.HandleBatch(ctx, []*core.Record{r}, core.BatchBuffer)
}

// HandleBatch sends the records in one message.
func (h *Handler) HandleBatch(ctx context.Context, rs []*core.Record, _ core.BatchReason) error {
	if len(rs) == 0 {
		return nil
	}
	msg := make([]byte, 4, 512) // room for the length
	for _, r := range rs {
		msg = appendBytes(msg, msgEvents, h.event(r))
	}
	binary.BigEndian.PutUint32(msg, uint32(len(msg)-4))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return fmt.Errorf("riemann at %s: %w", h.o.Address, handler.ErrClosed)
	}
	reused := h.conn != nil
	err := h.send(ctx, msg)
	if _, refused := errors.AsType[*refusal](err); err != nil && !refused && reused && ctx.Err() == nil {
		// The server may have closed the connection long ago. If it has not, an event
		// is there twice, which is better than not at all.
		err = h.send(ctx, msg)
	}
	if err != nil {
		return fmt.Errorf("send to riemann at %s: %w", h.o.Address, err)
	}
	return nil
}

func (h *Handler) event(r *core.Record) []byte {
	state, channel := "ok", r.Channel
	if r.Level >= core.LevelError {
		state = "error"
	}
	if channel == "" {
		channel = "unknown"
	}
	text := r.Message()
	if r.Exception != nil {
		text = r.Exception.Message
	}
	if len(text) > maxText {
		text = text[:maxText]
	}
	e := appendUint(nil, eventTime, uint64(r.Time.Unix()))
	e = appendText(e, eventState, state)
	e = appendText(e, eventService, channel+"."+strconv.Itoa(r.Process.ID))
	e = appendText(e, eventHost, h.o.Host)
	e = appendText(e, eventDescription, text)
	e = appendText(e, eventTags, "log")
	e = appendText(e, eventTags, r.Level.String())
	e = appendFloat(e, eventTTL, float32(h.o.TTL.Seconds()))
	e = appendUint(e, eventTimeMicros, uint64(r.Time.UnixMicro()))
	return appendFloat(e, eventMetric, 1)
}

// refusal is what the server says about a message that has arrived.
type refusal struct{ text string }

func (e *refusal) Error() string { return "the server refused the events: " + e.text }

// send sends one message and reads the answer. After an error there is no
// connection.
func (h *Handler) send(ctx context.Context, msg []byte) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.o.Timeout, fmt.Errorf("gave up after %v", h.o.Timeout))
	defer cancel()
	if h.conn == nil {
		if h.conn, err = new(net.Dialer).DialContext(ctx, "tcp", h.o.Address); err != nil {
			h.conn = nil
			return err
		}
	}
	conn := h.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends what waits
	answer, err := exchange(conn, msg)
	if !stop() && err != nil {
		err = context.Cause(ctx)
	}
	if err != nil || ctx.Err() != nil {
		_ = conn.Close() // broken already
		h.conn = nil
		return err
	}
	return readAnswer(answer)
}

func exchange(conn net.Conn, msg []byte) ([]byte, error) {
	if _, err := conn.Write(msg); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxAnswer {
		return nil, fmt.Errorf("read the answer: %d bytes are more than expected", n)
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return answer, nil
}

// Close closes the connection. Closing twice is allowed.
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
