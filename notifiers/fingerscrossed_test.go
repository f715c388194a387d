package notifiers_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// The way it is put together in the program: fingers crossed, a queue, the handler.
func TestBehindFingersCrossedAndAQueueAnErrorIsOneNotificationWithItsDebugRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(screen)
		h := notifiers.NewHandler(s, notifiers.Options{})
		async := queue.NewAsync(h, queue.AsyncOptions{})
		fc := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: async, Reset: true})
		for i := range 3 {
			debug := at(1, fmt.Sprint("step ", i))
			debug.Level = core.LevelDebug
			handle(t, fc, debug)
		}
		for range 1000 {
			handle(t, fc, record("declined"))
		}
		time.Sleep(61 * time.Second)
		expect(t, s, "1 shop: Error | declined", "1 shop: Error | declined (1000 times in 60 s)")
		a, _ := h.Alerts().Get(1)
		var context []string
		for _, r := range a.Context {
			context = append(context, r.Message())
		}
		if diff := cmp.Diff([]string{"step 0", "step 1", "step 2", "declined"}, context); diff != "" || a.Count != 1000 {
			t.Errorf("count %d, context (-want +got):\n%s", a.Count, diff)
		}
		if err := async.Close(); err != nil { // closes the handler too
			t.Error(err)
		}
	})
}
