package core

import (
	"context"
	"errors"
	"io"
)

// A Handler delivers records: to a file, a notification, another handler.
// Handle may be called concurrently.
//
// Handle returns [ErrPass] to say that it did not take r, so that r goes on
// down the stack even if the binding does not bubble. Any other error is
// reported as [Flags] say; it never stops the record from being logged
// elsewhere. Cancelling ctx does not stop the delivery of a record: a handler
// that can block waits no longer than ctx allows and then returns an error.
//
// Whether a record gets to a handler, and what becomes of it after, is not the
// handler's business; see [Binding].
type Handler interface {
	Handle(ctx context.Context, r *Record) error
}

// HandlerFunc is a function that serves as a [Handler].
type HandlerFunc func(ctx context.Context, r *Record) error

// Handle calls f.
func (f HandlerFunc) Handle(ctx context.Context, r *Record) error { return f(ctx, r) }

// ErrPass is returned by a handler that did not take a record: as if it were
// not on the stack. It is control flow, never reported.
var ErrPass = errors.New("record passed on")

// BatchReason says why several records are delivered at once.
type BatchReason string

// The reasons of Logbook.
const (
	// BatchBuffer is a buffer that was flushed; every record stands for itself.
	BatchBuffer BatchReason = "buffer"
	// BatchEscalation is a buffer set free by a severe record, which is the
	// last of the batch; the others led up to it.
	BatchEscalation BatchReason = "escalation"
	// BatchGroup is a set of records that belong together, such as those of
	// one request; the first is the one to show.
	BatchGroup BatchReason = "group"
)

// BatchHandler is implemented by handlers that can deliver several records as
// one, such as one mail or one notification. Callers use [HandleBatch].
type BatchHandler interface {
	Handler
	// HandleBatch delivers rs, oldest first. The slice belongs to the callee
	// until it returns.
	HandleBatch(ctx context.Context, rs []*Record, why BatchReason) error
}

// HandleBatch delivers the records through h as one batch if h can do so, otherwise
// one by one. Wrappers call it too, so that none of them hides the power.
func HandleBatch(ctx context.Context, h Handler, rs []*Record, why BatchReason) error {
	if b, ok := h.(BatchHandler); ok {
		return b.HandleBatch(ctx, rs, why)
	}
	var errs []error
	for _, r := range rs {
		if err := h.Handle(ctx, r); err != nil && !errors.Is(err, ErrPass) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Flusher is implemented by handlers that hold records back. Callers use
// [Flush].
type Flusher interface {
	// Flush delivers what is held, within ctx.
	Flush(ctx context.Context) error
}

// Flush makes h deliver what it holds back; a handler that holds nothing
// back does nothing.
func Flush(ctx context.Context, h Handler) error {
	if f, ok := h.(Flusher); ok {
		return f.Flush(ctx)
	}
	return nil
}

// Close releases what h holds, if it is an [io.Closer]. Closing twice is
// allowed.
func Close(h Handler) error {
	if c, ok := h.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Shutdown is [Close] for who has no time to wait until all is delivered: a handler with a
// method Shutdown(context.Context) error gives that up when ctx ends.
func Shutdown(ctx context.Context, h Handler) error {
	if s, ok := h.(interface {
		Shutdown(ctx context.Context) error
	}); ok {
		return s.Shutdown(ctx)
	}
	return Close(h)
}

// Binding is a handler with the policy that Logbook attaches to every handler.
// The zero policy takes every record and stops it. A Binding is a [Setup].
type Binding struct {
	// Handler takes the records. nil discards them: a blackhole, like
	// Logbook's NullHandler. A blackhole without a filter stops a record
	// before any work is done on it.
	Handler Handler
	// Level is the lowest level that is taken.
	Level Level
	// Filter, if not nil, can refuse a record that has passed the level. It
	// runs after the processors, so that it sees what they have added.
	Filter func(*Record) bool
	// Bubble lets the record go on down the stack after it was handled.
	Bubble bool
	// Name is shown where a binding is listed or explained; it may be empty.
	Name string
}

// wants is the cheap half of the decision.
func (b *Binding) wants(l Level) bool { return l >= b.Level }

// swallows reports whether b ends the way of any record that reaches it,
// without looking at it.
func (b *Binding) swallows() bool { return b.Handler == nil && b.Filter == nil && !b.Bubble }
