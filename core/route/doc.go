// Package route decides when and to whom records go, as the users of Prometheus'
// Alertmanager know it: [Inhibit] holds back what follows from something that is known
// already, [Wait] makes one batch of what comes at the same time, and an
// [Escalation] tells somebody else about alerts that nobody looks at.
package route

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// DefaultTimeout bounds a delivery that nobody else has set a time for.
const DefaultTimeout = 10 * time.Second

// ErrClosed is returned by handlers that were closed.
var ErrClosed = errors.New("handler is closed")

// guarded calls f within the time given; a panic becomes an error. It is for deliveries
// that are not the matter of who happens to log just then.
func guarded(ctx context.Context, timeout time.Duration, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return f(ctx)
}
