package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/ui/statuswindow"
)

func TestWhatIsTriedAgainIsShownWithTheReasonAndTheNextTry(t *testing.T) {
	for _, test := range []struct{ name, options string }{
		{"by the notifier", "type: ntfy, timeout: 1m, url: "},
		{"by the queue", "type: http, retries: 100, retry_delay: 100ms, url: "},
		{"in front of a group", "type: ntfy, timeout: 1m, group_wait: 1ms, url: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			var works atomic.Bool
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if !works.Load() {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}))
			defer service.Close()
			r := runKinds(t, "handlers: [{name: phone, "+test.options+service.URL+"/x}]")
			r.log(t, core.LevelError, "declined")
			var h pipeline.HandlerStatus
			eventually(t, func() bool {
				h = r.Status().Handlers[0]
				return h.State == "retrying"
			})
			if !strings.Contains(h.Error, "503") || h.NextTry.IsZero() {
				t.Errorf("%+v", h)
			}
			next := "next try at " + moment(h.NextTry)
			var b strings.Builder
			printHandlers(&b, []pipeline.HandlerStatus{h})
			if !strings.Contains(b.String(), "retrying") || !strings.Contains(b.String(), next) {
				t.Errorf("status says\n%s", b.String())
			}
			if p := handlerPart(h); p.Condition != statuswindow.Waiting || p.Error != h.Error || !strings.Contains(strings.Join(p.Peers, ""), next) {
				t.Errorf("the status window shows %+v", p)
			}
			works.Store(true)
			eventually(t, func() bool {
				h = r.Status().Handlers[0]
				return h.State == "ok" && h.Counters["delivered"] == 1
			})
			if h.Error != "" || !h.NextTry.IsZero() {
				t.Errorf("after it: %+v", h)
			}
			r.end(t)
		})
	}
}
