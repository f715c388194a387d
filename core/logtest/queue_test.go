package logtest_test

import (
	"context"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/logtest"
	"github.com/logbook-tray/logbook-tray/core/queue"
)

// nowhere is a sender that takes everything.
type nowhere struct{}

func (nowhere) Send(context.Context, []byte) error { return nil }
func (nowhere) Close() error                       { return nil }

// The handlers of package queue pass the suite as well.
func TestHandlersOfQueuesConform(t *testing.T) {
	t.Run("Async", func(t *testing.T) {
		logtest.TestHandlerConformance(t, func(*testing.T) core.Handler {
			return queue.NewAsync(new(logtest.TestHandler), queue.AsyncOptions{})
		})
	})
	t.Run("Handler", func(t *testing.T) {
		logtest.TestHandlerConformance(t, func(*testing.T) core.Handler {
			return queue.NewHandler(nowhere{}, queue.HandlerOptions{})
		})
	})
}
