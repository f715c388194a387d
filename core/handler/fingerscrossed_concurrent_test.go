package handler_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

// Every record is delivered exactly once and none is left behind, whoever
// logs at the same time.
func TestFingersCrossedConcurrently(t *testing.T) {
	for _, reset := range []bool{false, true} {
		var logs logtest.TestHandler
		h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &logs, Reset: reset, BufferSize: -1, Key: func(r *core.Record) string { return r.Channel }})
		const writers, each = 8, 200
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					level := core.LevelDebug
					if i%20 == 19 {
						level = core.LevelError
					}
					_ = h.Handle(t.Context(), rec(level, fmt.Sprint("c", w%2), fmt.Sprintf("%d-%d", w, i)))
				}
			})
		}
		wg.Wait()
		for c := range 2 {
			handle(t, h, rec(core.LevelError, fmt.Sprint("c", c), "last"))
		}
		seen := map[string]int{}
		for _, r := range logs.Records() {
			seen[r.Message()]++
		}
		for w := range writers {
			for i := range each {
				if n := seen[fmt.Sprintf("%d-%d", w, i)]; n != 1 {
					t.Fatalf("reset %v: record %d of writer %d delivered %d times", reset, i, w, n)
				}
			}
		}
	}
}

// A handler that logs to the stack it is on must not lock up.
func TestFingersCrossedHandlerThatLogs(t *testing.T) {
	var h *handler.FingersCrossed
	var got []string
	h = handler.NewFingersCrossed(handler.FingersCrossedOptions{Reset: true, Handler: core.HandlerFunc(func(ctx context.Context, r *core.Record) error {
		got = append(got, r.Message())
		return h.Handle(ctx, debug("delivered "+r.Message()))
	})})
	handle(t, h, failed("boom"))
	if diff := cmp.Diff([]string{"boom"}, got); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkFingersCrossed(b *testing.B) {
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: handler.Null{}})
	r := debug("cart has three items")
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Handle(b.Context(), r)
	}
}
