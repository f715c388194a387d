package queue

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// DefaultSendTimeout is how long a [Handler] waits for its transport.
const DefaultSendTimeout = 100 * time.Millisecond

// HandlerOptions are the settings of a [Handler]. The zero value is useful.
type HandlerOptions struct {
	// Encode appends a record to dst in the format of the queue. nil: [wire.Append].
	Encode func(dst []byte, r *core.Record) ([]byte, error)
	// Timeout is how long a record may wait for the transport before it is
	// dropped: nobody's program stands still because a log queue is full. 0 means
	// DefaultSendTimeout; less than 0, as long as the context of the record
	// allows.
	Timeout time.Duration
}

// HandlerStats are the counters of a [Handler].
type HandlerStats struct {
	Sent    uint64 // records handed over to the transport
	Bytes   uint64 // their size
	Dropped uint64 // records that the transport did not take, or that cannot be encoded
}

// Handler publishes records through a [Sender]. With the zeromq transport it is
// Logbook's ZeroMQHandler, with a broker its MessageQueueHandler.
type Handler struct {
	sender Sender
	opts   HandlerOptions
	bufs   sync.Pool // of *[]byte

	sent, bytes, dropped atomic.Uint64
}

var _ core.Handler = (*Handler)(nil)

// NewHandler returns a handler that owns s: closing the handler closes s.
func NewHandler(s Sender, o HandlerOptions) *Handler {
	if o.Encode == nil {
		o.Encode = wire.Append
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultSendTimeout
	}
	return &Handler{sender: s, opts: o, bufs: sync.Pool{New: func() any { return new([]byte) }}}
}

// maxPooled bounds the buffers that are kept for the next record.
const maxPooled = 64 << 10

// Handle sends r.
func (h *Handler) Handle(ctx context.Context, r *core.Record) error {
	buf, _ := h.bufs.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= maxPooled {
			h.bufs.Put(buf)
		}
	}()
	body, err := h.opts.Encode((*buf)[:0], r)
	if err != nil {
		h.dropped.Add(1)
		return fmt.Errorf("encode record: %w", err)
	}
	*buf = body
	if h.opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.opts.Timeout)
		defer cancel()
	}
	if err := h.sender.Send(ctx, body); err != nil {
		h.dropped.Add(1)
		return fmt.Errorf("send record: %w", err)
	}
	h.sent.Add(1)
	h.bytes.Add(uint64(len(body)))
	return nil
}

// Stats returns the counters.
func (h *Handler) Stats() HandlerStats {
	return HandlerStats{Sent: h.sent.Load(), Bytes: h.bytes.Load(), Dropped: h.dropped.Load()}
}

// Status returns the condition of the transport.
func (h *Handler) Status() Status { return status(h.sender, StateConnected) }

// Close closes the sender.
func (h *Handler) Close() error { return h.sender.Close() }
