package logr_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	upstream "github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/bridge/logr"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

type secret string

func (secret) MarshalLog() any { return "***" }

func bind(t *testing.T, level core.Level) (context.Context, *logtest.TestHandler) {
	t.Helper()
	h := new(logtest.TestHandler)
	ctx, end := core.Bind(t.Context(), core.Binding{Handler: h, Level: level})
	t.Cleanup(func() { _ = end() })
	return ctx, h
}

// onBehalf logs for its caller.
func onBehalf(l upstream.Logger) { l.WithCallDepth(1).Info("helped") }

func TestRecordsOfLogr(t *testing.T) {
	ctx, logs := bind(t, core.LevelNotSet)
	log := logr.New(logr.Options{Context: ctx, Channel: "operator"}).WithName("pods").WithValues("node", "n1")
	boom := errors.New("boom")
	_, _, first, _ := runtime.Caller(0)
	log.Info("{0} is text", "pod", 7, "token", secret("x"))
	log.V(1).Info("v1")
	log.V(4).Info("v4")
	log.V(5).Info("v5", "node", "n2")
	log.Error(boom, "failed", "odd")
	log.Error(nil, "no error")
	onBehalf(log)

	type row struct {
		Level, Channel, Message string
		Extra                   map[string]any
		Line                    int
	}
	n1 := map[string]any{"node": "n1"}
	want := []row{
		{"INFO", "operator.pods", "{0} is text", map[string]any{"node": "n1", "pod": 7, "token": "***"}, 1},
		{"DEBUG", "operator.pods", "v1", n1, 2},
		{"DEBUG", "operator.pods", "v4", n1, 3},
		{"TRACE", "operator.pods", "v5", map[string]any{"node": "n2"}, 4},
		{"ERROR", "operator.pods", "failed", map[string]any{"node": "n1", "odd": ""}, 5},
		{"ERROR", "operator.pods", "no error", n1, 6},
		{"INFO", "operator.pods", "helped", n1, 7},
	}
	got := make([]row, 0, len(want))
	for _, r := range logs.Records() {
		site := r.Caller()
		if filepath.Base(site.File) != "logr_test.go" {
			t.Errorf("%q: place %+v", r.Message(), site)
		}
		got = append(got, row{r.Level.String(), r.Channel, r.Message(), r.Extra.Map(), site.Line - first})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if e := logs.Records()[4].Exception; e == nil || e.Message != "boom" {
		t.Errorf("exception %+v", e)
	}
	if e := logs.Records()[5].Exception; e != nil {
		t.Errorf("exception of no error: %+v", e)
	}
}

func TestEnabledAsksTheStack(t *testing.T) {
	ctx, logs := bind(t, core.LevelInfo)
	log := logr.New(logr.Options{Context: ctx})
	log.V(1).Info("nobody wants this")
	if !log.Enabled() || log.V(1).Enabled() || logs.Len() != 0 {
		t.Errorf("V(0) %v, V(1) %v, logged %q", log.Enabled(), log.V(1).Enabled(), logs.Formatted())
	}
	if log.Info("x"); logs.Last().Channel != "logr" {
		t.Errorf("channel %q", logs.Last().Channel)
	}
}

func ExampleNew() {
	show := core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		fmt.Println(r.Level, r.Channel, r.Message(), r.Extra.Get("pod"))
		return nil
	})
	remove := core.Install(core.Binding{Handler: show})
	defer remove() //nolint:errcheck // holds nothing back
	logr.New(logr.Options{Channel: "operator"}).WithName("pods").Info("evicted", "pod", "web-1")
	// Output: INFO operator.pods evicted web-1
}
