package eventlog

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func ExampleNew() {
	h, err := New(Options{ApplicationName: "shop"})
	if err != nil {
		return // not on Windows
	}
	defer func() { _ = h.Close() }()
	remove := core.Install(core.Binding{Handler: h, Level: core.LevelWarning, Bubble: true})
	_ = remove()
	// Output:
}

// fakeLog stands for the event log.
type fakeLog struct {
	events []string
	err    error
}

func (l *fakeLog) add(kind string, id uint32, text string) error {
	l.events = append(l.events, kind+" "+string(rune('0'+id))+" "+text)
	return l.err
}
func (l *fakeLog) Info(id uint32, text string) error    { return l.add("info", id, text) }
func (l *fakeLog) Warning(id uint32, text string) error { return l.add("warning", id, text) }
func (l *fakeLog) Error(id uint32, text string) error   { return l.add("error", id, text) }
func (l *fakeLog) Close() error                         { return nil }

func fake(t *testing.T, o Options) (*Handler, *fakeLog) {
	t.Helper()
	l := new(fakeLog)
	h, err := newHandler(o, l)
	if err != nil {
		t.Fatal(err)
	}
	return h, l
}

func rec(level core.Level, msg string) *core.Record {
	r := &core.Record{Channel: "shop", Level: level, Msg: msg, Time: time.Date(2026, 11, 20, 21, 3, 41, 0, time.UTC), Site: core.Site{File: "shop.py", Line: 12, Module: "shop", Function: "pay"}}
	r.Message()
	return core.NewReceived(r, core.Source{Name: "test"}, r.Time)
}

func TestNTEventLogHandler(t *testing.T) {
	short, err := format.NewString("{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, l := fake(t, Options{Formatter: short, MessageID: func(r *core.Record) uint32 { return uint32(len(r.Message())) }})
	for _, level := range core.Levels() {
		if err := h.Handle(t.Context(), rec(level, "x")); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"info 1 x", "info 1 x", "info 1 x", "info 1 x", "warning 1 x", "error 1 x", "error 1 x"}
	if diff := cmp.Diff(want, l.events); diff != "" {
		t.Error(diff)
	}
}

func TestEventText(t *testing.T) {
	h, l := fake(t, Options{})
	if err := h.Handle(t.Context(), rec(core.LevelError, "declined\x00")); err != nil {
		t.Fatal(err)
	}
	want := "error 1 Message Level: ERROR\nLocation: shop.py:12\nModule: shop\nFunction: pay\nExact Time: 2026-11-20 21:03:41\n\nEvent provided Message:\n\ndeclined\uFFFD\n"
	if diff := cmp.Diff([]string{want}, l.events); diff != "" {
		t.Error(diff)
	}
	if err := h.Handle(t.Context(), rec(core.LevelError, strings.Repeat("😀", 40_000))); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(l.events[1], "😀"); n > maxText/2 || n < maxText/2-200 || !strings.HasSuffix(l.events[1], "😀...") {
		t.Errorf("%d characters are left", n)
	}
}

func TestConformance(t *testing.T) {
	logtest.TestHandlerConformance(t, func(t *testing.T) core.Handler { h, _ := fake(t, Options{}); return h })
	broken := errors.New("broken")
	err := logtest.TestHandlerFailure(t, func(t *testing.T) core.Handler { h, l := fake(t, Options{}); l.err = broken; return h })
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	h, _ := fake(t, Options{})
	if err := errors.Join(h.Close(), h.Close()); err != nil {
		t.Fatal(err)
	}
	if err := h.Handle(t.Context(), rec(core.LevelInfo, "x")); !errors.Is(err, handler.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestWhereThereIsNoEventLog(t *testing.T) {
	if _, err := New(Options{}); err == nil || err.Error() != "event log: no application name" {
		t.Errorf("error %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if _, err := New(Options{ApplicationName: "shop"}); !errors.Is(err, ErrUnsupported) || err.Error() != `open event log for "shop": the event log is there on Windows only` {
		t.Errorf("error %v", err)
	}
	if err := errors.Join(Install("x"), Remove("x")); !errors.Is(err, ErrUnsupported) {
		t.Errorf("error %v", err)
	}
}
