package bridge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/bridge"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func here() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

func collect(t *testing.T) (context.Context, *logtest.TestHandler) {
	t.Helper()
	logs := new(logtest.TestHandler)
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: logs})
	return ctx, logs
}

func TestSlogPassesSlogtest(t *testing.T) {
	var got *core.Record
	var zero bool
	remove := core.Install(core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		got = r.Keep()
		return nil
	})})
	defer remove() //nolint:errcheck // holds nothing back
	newHandler := func(*testing.T) slog.Handler { return &zeroTime{bridge.NewSlog(bridge.SlogOptions{}), &zero} }
	slogtest.Run(t, newHandler, func(*testing.T) map[string]any {
		m := map[string]any{slog.LevelKey: got.Level, slog.MessageKey: got.Message()}
		if !zero {
			m[slog.TimeKey] = got.Time
		}
		maps.Insert(m, got.Extra.All())
		return m
	})
}

// zeroTime notes whether a record came without a time: core fills that in, while
// slogtest wants to see that it is left out.
type zeroTime struct {
	slog.Handler
	zero *bool
}

func (z *zeroTime) Handle(ctx context.Context, r slog.Record) error {
	*z.zero = r.Time.IsZero()
	return z.Handler.Handle(ctx, r)
}

func (z *zeroTime) WithAttrs(a []slog.Attr) slog.Handler {
	return &zeroTime{z.Handler.WithAttrs(a), z.zero}
}

func (z *zeroTime) WithGroup(n string) slog.Handler { return &zeroTime{z.Handler.WithGroup(n), z.zero} }

func TestSlogRecords(t *testing.T) { // test_basic_compat
	ctx, logs := collect(t)
	l := slog.New(bridge.NewSlog(bridge.SlogOptions{Channel: "app"}))
	boom := errors.New("boom")
	l.With("a", 1).WithGroup("g").With("b", 2).ErrorContext(ctx, "100% {}", "err", boom, slog.Group("h", "c", "x"))
	line := here() - 1
	r := logs.Last()
	if r.Channel != "app" || r.Level != core.LevelError || r.Message() != "100% {}" || time.Since(r.Time) > time.Hour {
		t.Errorf("record %+v", r)
	}
	want := map[string]any{"a": int64(1), "g": map[string]any{"b": int64(2), "err": "boom", "h": map[string]any{"c": "x"}}}
	if diff := cmp.Diff(want, r.Extra.Map()); diff != "" {
		t.Errorf("extra (-want +got):\n%s", diff)
	}
	if r.Exception == nil || !errors.Is(r.Exception.Err, boom) {
		t.Errorf("exception %+v", r.Exception)
	}
	if site := r.Caller(); site.Line != line || filepath.Base(site.File) != "bridge_test.go" || site.Function != "TestSlogRecords" {
		t.Errorf("place %+v, want line %d", site, line)
	}
	if err := bridge.NewSlog(bridge.SlogOptions{}).Handle(ctx, slog.NewRecord(time.Now(), 0, "x", 0)); err != nil {
		t.Error(err)
	}
	if site := logs.Last().Caller(); site != (core.Site{}) {
		t.Errorf("place %+v of a record without one", site)
	}
}

func TestSlogEnabled(t *testing.T) {
	ctx, _ := core.Bind(t.Context(), core.Binding{Level: core.LevelWarning, Handler: core.HandlerFunc(func(context.Context, *core.Record) error { return nil })})
	h := bridge.NewSlog(bridge.SlogOptions{Level: slog.LevelError})
	for level, want := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelWarn: false, slog.LevelError: true} {
		if got := h.Enabled(ctx, level); got != want {
			t.Errorf("%v enabled: %t", level, got)
		}
	}
	if bridge.NewSlog(bridge.SlogOptions{}).Enabled(ctx, slog.LevelInfo) {
		t.Error("enabled although nobody wants it")
	}
}

func TestLevelsThereAndBack(t *testing.T) {
	for _, l := range core.Levels() {
		if got := bridge.LevelFromSlog(bridge.LevelToSlog(l)); got != l {
			t.Errorf("%v comes back as %v", l, got)
		}
	}
	if got := bridge.LevelToSlog(core.LevelNotSet); got != slog.LevelInfo {
		t.Errorf("NOTSET is %v", got)
	}
}

func TestToSlog(t *testing.T) { // test_redirect_logbook
	var out bytes.Buffer
	text := slog.NewTextHandler(&out, &slog.HandlerOptions{AddSource: true, Level: slog.LevelInfo, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "traceback" {
			return slog.Attr{}
		}
		if s, ok := a.Value.Any().(*slog.Source); ok {
			if s.File == "" {
				return slog.Attr{}
			}
			s.File = filepath.Base(s.File)
		}
		return a
	}})
	var below logtest.TestHandler
	ctx, _ := core.Bind(t.Context(), core.Setups{core.Binding{Handler: &below}, core.Binding{Handler: bridge.NewToSlog(text)}})
	log := core.NewLogger("shop")
	log.WarnContext(ctx, "order {0}", 7, core.Extra("ip", "::1"), core.Exc(errors.New("boom")))
	line := here() - 1
	log.DebugContext(ctx, "passed on")
	_ = core.Dispatch(ctx, core.NewReceived(&core.Record{Level: core.LevelCritical, Msg: "far", Site: core.Site{File: "a.py", Line: 3}}, core.Source{}, time.Now()))
	want := []string{
		"level=WARN source=bridge_test.go:" + strconv.Itoa(line) + ` msg="order 7" channel=shop extra.ip=::1 error=boom error_type=*errors.errorString`,
		"level=ERROR+4 msg=far source=a.py:3",
	}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(out.String()), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if below.Len() != 1 || !below.HasDebug("passed on") {
		t.Errorf("below: %q", below.Formatted())
	}
}

func TestToSlogConforms(t *testing.T) {
	handlers := map[string]slog.Handler{
		"JSON": slog.NewJSONHandler(new(bytes.Buffer), nil), "text": slog.NewTextHandler(new(bytes.Buffer), &slog.HandlerOptions{AddSource: true}),
	}
	for name, h := range handlers {
		t.Run(name, func(t *testing.T) {
			logtest.TestHandlerConformance(t, func(*testing.T) core.Handler { return bridge.NewToSlog(h) })
		})
	}
}

func TestTheStandardLogIsRedirected(t *testing.T) {
	ctx, logs := collect(t)
	var out bytes.Buffer
	l := log.New(&out, "web: ", log.LstdFlags)
	restore := bridge.RedirectLog(l, bridge.WriterOptions{Context: ctx, Level: core.LevelError})
	l.Printf("listen on %d", 80)
	line := here() - 1
	l.Print("two\nlines")
	restore()
	restore()
	l.Print("as before")
	if diff := cmp.Diff([]string{"[ERROR] log: web: listen on 80", "[ERROR] log: web: two", "[ERROR] log: lines"}, logs.Formatted()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if site := logs.Records()[0].Caller(); site.Line != line || site.Function != "TestTheStandardLogIsRedirected" {
		t.Errorf("place %+v, want line %d", site, line)
	}
	if got := out.String(); !strings.HasSuffix(got, "as before\n") || strings.Count(got, "\n") != 1 || l.Flags() != log.LstdFlags {
		t.Errorf("the logger wrote %q, flags %d", got, l.Flags())
	}
	std := bridge.NewStdLogger(bridge.WriterOptions{Context: ctx})
	std.Print("x")
	if !logs.HasInfo("x") || logs.Last().Caller().Line != here()-1 {
		t.Errorf("got %q from %+v", logs.Formatted(), logs.Last().Caller())
	}
}

func TestWriter(t *testing.T) {
	tests := []struct {
		name   string
		writes []string
		max    int
		want   []string
	}{
		{"lines", []string{"a\nb\n"}, 0, []string{"a", "b"}},
		{"parts of a line are joined", []string{"a", "b", "c\nd", "\n"}, 0, []string{"abc", "d"}},
		{"what is left at the end", []string{"a\nrest"}, 0, []string{"a", "rest"}},
		{"empty lines and carriage returns", []string{"\n\r\na\r\n\n"}, 0, []string{"a"}},
		{"braces are text", []string{"{0} {}\n"}, 0, []string{"{0} {}"}},
		{"a long line becomes several", []string{"abcde", "fgh\nij\n"}, 3, []string{"abc", "def", "gh", "ij"}},
		{"a line as long as allowed", []string{"abc\n", "def", "\n"}, 3, []string{"abc", "def"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, logs := collect(t)
			w := bridge.NewWriter(bridge.WriterOptions{Context: ctx, MaxLine: tt.max})
			for _, s := range tt.writes {
				if n, err := io.WriteString(w, s); n != len(s) || err != nil {
					t.Errorf("Write: %d, %v", n, err)
				}
			}
			if err := errors.Join(w.Close(), w.Close()); err != nil {
				t.Error(err)
			}
			var got []string
			for _, r := range logs.Records() {
				got = append(got, r.Message())
				if r.Caller() != (core.Site{}) || r.Level != core.LevelInfo {
					t.Errorf("record %+v", r)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAWriterIsSafeForConcurrentUse(t *testing.T) {
	ctx, logs := collect(t)
	w := bridge.NewWriter(bridge.WriterOptions{Context: ctx})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				_, _ = io.WriteString(w, "a whole line\n")
			}
		})
	}
	wg.Wait()
	for _, r := range logs.Records() {
		if r.Message() != "a whole line" {
			t.Fatalf("line %q", r.Message())
		}
	}
	if logs.Len() != 400 {
		t.Errorf("%d lines, want 400", logs.Len())
	}
}

func ExampleNewSlog() {
	show := core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		fmt.Println(r.Level, r.Channel, r.Message(), r.Extra.Get("user"))
		return nil
	})
	remove := core.Install(core.Binding{Handler: show})
	defer remove() //nolint:errcheck // holds nothing back
	slog.New(bridge.NewSlog(bridge.SlogOptions{Channel: "app"})).Warn("slow login", "user", "ann")
	// Output: WARNING app slow login ann
}

func ExampleNewWriter() {
	log := core.NewLogger("legacy")
	log.SetHandlers(core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		fmt.Println(r.Level, r.Channel, r.Message())
		return nil
	})})
	w := bridge.NewWriter(bridge.WriterOptions{Logger: log, Level: core.LevelWarning})
	_, _ = fmt.Fprint(w, "one line ")
	_, _ = fmt.Fprintln(w, "in two writes")
	_ = w.Close()
	// Output: WARNING legacy one line in two writes
}

func ExampleRedirectLog() {
	remove := core.Install(core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		fmt.Println(r.Level, r.Channel, r.Message())
		return nil
	})})
	defer remove() //nolint:errcheck // holds nothing back
	std := log.New(io.Discard, "http: ", 0)
	restore := bridge.RedirectLog(std, bridge.WriterOptions{})
	defer restore()
	std.Print("bad request")
	// Output: INFO log http: bad request
}

func ExampleNewToSlog() {
	plain := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	_ = core.Do(context.Background(), core.Binding{Handler: bridge.NewToSlog(plain)}, func(ctx context.Context) error {
		core.NewLogger("shop").WarnContext(ctx, "order {0} is late", 4711, core.Extra("user", "ann"))
		return nil
	})
	// Output: level=WARN msg="order 4711 is late" channel=shop extra.user=ann
}
