package logtest_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// level is how a level is asked for.
type level struct {
	level core.Level
	any   func(*logtest.TestHandler) bool
	has   func(*logtest.TestHandler, any) bool
}

func levels() []level {
	type h = logtest.TestHandler
	return []level{
		{core.LevelTrace, (*h).HasTraces, (*h).HasTrace},
		{core.LevelDebug, (*h).HasDebugs, (*h).HasDebug},
		{core.LevelInfo, (*h).HasInfos, (*h).HasInfo},
		{core.LevelNotice, (*h).HasNotices, (*h).HasNotice},
		{core.LevelWarning, (*h).HasWarnings, (*h).HasWarning},
		{core.LevelError, (*h).HasErrors, (*h).HasError},
		{core.LevelCritical, (*h).HasCriticals, (*h).HasCritical},
	}
}

func TestHasLevel(t *testing.T) { // test_has_level, test_regex_matching
	for _, logged := range levels() {
		var logs logtest.TestHandler
		ctx, _ := core.Bind(t.Context(), core.Binding{Handler: &logs})
		_ = core.NewLogger("x").Log(ctx, logged.level, "Hello {0}", "World")
		for _, asked := range levels() {
			want := asked.level == logged.level
			for name, got := range map[string]bool{
				"any":        asked.any(&logs),
				"text":       asked.has(&logs, "Hello World"),
				"expression": asked.has(&logs, regexp.MustCompile("lo W")),
			} {
				if got != want {
					t.Errorf("logged %v, asked for %v by %s: %t", logged.level, asked.level, name, got)
				}
			}
			if asked.has(&logs, "Hello") || asked.has(&logs, regexp.MustCompile("^World")) {
				t.Errorf("logged %v, asked for %v: another message is found", logged.level, asked.level)
			}
		}
	}
}

func TestFind(t *testing.T) {
	var logs logtest.TestHandler
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: &logs})
	core.NewLogger("a").InfoContext(ctx, "x")
	core.NewLogger("b").InfoContext(ctx, "x")
	if r := logs.Find(logtest.Query{Channel: "b", Message: "x"}); r == nil || r.Channel != "b" {
		t.Errorf("found %+v", r)
	}
	if r := logs.Find(logtest.Query{Channel: "c"}); r != nil {
		t.Errorf("found %+v", r)
	}
	defer func() {
		if recover() == nil {
			t.Error("a message of a wrong type is taken")
		}
	}()
	logs.HasInfo(42)
}

// counting counts how often it formats.
type counting struct{ n int }

func (c *counting) Append(dst []byte, r *core.Record) ([]byte, error) {
	c.n++
	return append(dst, r.Message()...), nil
}

func TestTestHandlerCache(t *testing.T) { // test_test_handler_cache
	c := new(counting)
	logs := logtest.TestHandler{Formatter: c}
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: &logs})
	log := core.NewLogger("x")
	log.InfoContext(ctx, "a")
	first := logs.Formatted()
	if second := logs.Formatted(); c.n != 1 || &first[0] != &second[0] {
		t.Errorf("formatted %d times, want once", c.n)
	}
	log.InfoContext(ctx, "b")
	if got := logs.Formatted(); !slices.Equal(got, []string{"a", "b"}) || c.n != 2 {
		t.Errorf("got %q after %d times", got, c.n)
	}
	if !slices.Equal(first, []string{"a"}) {
		t.Errorf("what was returned before is now %q", first)
	}
	logs.Reset()
	if logs.Len() != 0 || len(logs.Formatted()) != 0 || logs.Last() != nil {
		t.Error("records are left")
	}
}

func TestAnyFormatterCanBeUsed(t *testing.T) {
	f, err := format.NewString("{record.channel}|{record.extra[n]:d}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	logs := logtest.TestHandler{Formatter: f}
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: &logs})
	core.NewLogger("a").InfoContext(ctx, "x", core.Extra("n", 5))
	core.NewLogger("b").InfoContext(ctx, "x")
	want := []string{"a|5", "b| [format {record.extra[n]}: Unknown format code 'd' for object of type 'str']"}
	if got := logs.Formatted(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheTestHandlerConforms(t *testing.T) {
	logtest.TestHandlerConformance(t, func(*testing.T) core.Handler { return new(logtest.TestHandler) })
}

func TestASimpleHandlerConforms(t *testing.T) {
	logtest.TestHandlerConformance(t, func(*testing.T) core.Handler {
		var mu sync.Mutex
		var text []byte
		return core.HandlerFunc(func(_ context.Context, r *core.Record) error {
			line, err := format.Default().Append(nil, r)
			mu.Lock()
			defer mu.Unlock()
			text = append(text, line...)
			return err
		})
	})
}

func TestAFailingHandler(t *testing.T) {
	full := errors.New("no space left on device")
	err := logtest.TestHandlerFailure(t, func(*testing.T) core.Handler {
		return core.HandlerFunc(func(context.Context, *core.Record) error { return full })
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func ExampleTestHandler() {
	var logs logtest.TestHandler
	_ = core.Do(context.Background(), core.Binding{Handler: &logs}, func(ctx context.Context) error {
		core.NewLogger("shop").WarnContext(ctx, "order {0} declined", 4711)
		return nil
	})
	fmt.Println(logs.HasWarning("order 4711 declined"), logs.HasError("order 4711 declined"), logs.Formatted())
	// Output: true false [[WARNING] shop: order 4711 declined]
}
