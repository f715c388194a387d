package notifiers

import (
	"context"
	"time"
)

// Retry is an attempt to notify that failed and is going to be made again.
type Retry struct {
	Err error     // why it failed
	At  time.Time // of the next attempt
}

type retryKey struct{}

// withRetries returns a context by which [Retrying] reaches f.
func withRetries(ctx context.Context, f func(Retry)) context.Context {
	return context.WithValue(ctx, retryKey{}, f)
}

// Retrying is for a [Notifier] that makes several attempts: it tells who has called it with
// ctx that one has failed, and when the next is made, so that a status can show
// it. The error must not have a secret.
func Retrying(ctx context.Context, err error, next time.Time) {
	if f, ok := ctx.Value(retryKey{}).(func(Retry)); ok {
		f(Retry{err, next})
	}
}

// Retry returns what the handler is trying again just now.
func (h *Handler) Retry() (r Retry, retrying bool) {
	if p := h.retry.Load(); p != nil {
		return *p, true
	}
	return Retry{}, false
}
