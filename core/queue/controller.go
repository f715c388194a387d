package queue

import (
	"context"
	"errors"

	"github.com/logbook-tray/logbook-tray/core"
)

// Controller owns a goroutine that dispatches in the background. It is
// Logbook's ThreadController.
type Controller struct {
	cancel context.CancelFunc
	drain  func()
	done   chan struct{}
	err    error // valid once done is closed
}

// DispatchInBackground starts a goroutine that does [Subscriber.DispatchForever] with
// setup on top of its stack; setup may be nil. The goroutine runs until the
// controller is stopped or the subscriber closed.
func (s *Subscriber) DispatchInBackground(setup core.Setup) *Controller {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Controller{cancel: cancel, drain: cancel, done: make(chan struct{})}
	if d, ok := s.receiver.(Drainer); ok {
		c.drain = d.Drain
	}
	bound, end := core.Bind(ctx, setup)
	err := s.enter() // here, so that a Close that follows waits for the goroutine
	go func() {
		defer close(c.done)
		if err == nil {
			err = s.loop(bound)
			s.leave()
		}
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = nil
		}
		c.err = errors.Join(err, end())
	}()
	return c
}

// Stop ends the goroutine and waits for it: records that it has received are
// dispatched, and the setup is unbound and flushed, when Stop returns. What
// the transport holds stays there. The error is what ended the dispatching,
// if it was not Stop, joined with those of the setup. Stop may be called more than once; it
// must not be called by a handler that the goroutine dispatches to.
func (c *Controller) Stop() error {
	c.cancel()
	<-c.done
	return c.err
}

// Drain stops the transport from accepting more, dispatches what it has
// accepted, and then does what [Controller.Stop] does. ctx bounds the first part.
// A receiver that is no [Drainer] is just stopped.
func (c *Controller) Drain(ctx context.Context) error {
	c.drain()
	select {
	case <-c.done:
	case <-ctx.Done():
	}
	return c.Stop()
}

// Done returns a channel that is closed when the goroutine has ended.
func (c *Controller) Done() <-chan struct{} { return c.done }

// Err returns what Stop would, or nil while the goroutine runs.
func (c *Controller) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}
