package handler

import (
	"context"
	"errors"

	"github.com/logbook-tray/logbook-tray/core"
)

// Null takes records and does nothing with them. It serves as the target of another
// handler. On the stack, a [core.Binding] without a handler does the same and
// costs less: it stops a record before any work is done on it.
type Null struct{}

var _ core.Handler = Null{}

// Handle does nothing.
func (Null) Handle(context.Context, *core.Record) error { return nil }

// Wrapper is for handlers that do something to records and leave the rest to
// another handler: embed it and override what is different. It forwards everything
// that a handler can do, so that a wrapped handler loses no power. It is Logbook's
// WrapperHandler.
type Wrapper struct {
	// Next is the wrapped handler.
	Next core.Handler
}

var (
	_ core.BatchHandler = Wrapper{}
	_ core.Flusher      = Wrapper{}
)

// Handle gives r to the wrapped handler.
func (w Wrapper) Handle(ctx context.Context, r *core.Record) error { return w.Next.Handle(ctx, r) }

// HandleBatch gives rs to the wrapped handler.
func (w Wrapper) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	return core.HandleBatch(ctx, w.Next, rs, why)
}

// Flush flushes the wrapped handler.
func (w Wrapper) Flush(ctx context.Context) error { return core.Flush(ctx, w.Next) }

// Close closes the wrapped handler.
func (w Wrapper) Close() error { return core.Close(w.Next) }

// Unwrap returns the wrapped handler.
func (w Wrapper) Unwrap() core.Handler { return w.Next }

// Fan gives every record to several handlers, as if they were bound one above the other
// with bubbling.
type Fan []core.Handler

var (
	_ core.BatchHandler = Fan(nil)
	_ core.Flusher      = Fan(nil)
)

// Handle gives r to each handler and returns all their errors. It returns
// [core.ErrPass] if every one of them passed.
func (f Fan) Handle(ctx context.Context, r *core.Record) error {
	return f.each(func(h core.Handler) error { return h.Handle(ctx, r) })
}

// HandleBatch gives rs to each handler.
func (f Fan) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	return f.each(func(h core.Handler) error { return core.HandleBatch(ctx, h, rs, why) })
}

func (f Fan) each(do func(core.Handler) error) error {
	var errs []error
	passed := 0
	for _, h := range f {
		switch err := do(h); {
		case errors.Is(err, core.ErrPass):
			passed++
		case err != nil:
			errs = append(errs, err)
		}
	}
	if passed == len(f) {
		return core.ErrPass
	}
	return errors.Join(errs...)
}

// Flush flushes each handler.
func (f Fan) Flush(ctx context.Context) error {
	errs := make([]error, 0, len(f))
	for _, h := range f {
		errs = append(errs, core.Flush(ctx, h))
	}
	return errors.Join(errs...)
}

// Close closes each handler.
func (f Fan) Close() error {
	errs := make([]error, 0, len(f))
	for _, h := range f {
		errs = append(errs, core.Close(h))
	}
	return errors.Join(errs...)
}
