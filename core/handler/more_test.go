package handler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func ExampleTagging() {
	log := handler.NewTaggingLogger("auth")
	login := log.Tag("login")
	log.Logger().SetHandlers(core.Binding{Handler: handler.Tagging{
		"login": {{Handler: printer{}}},
	}})
	login("user {0} has logged in", "maria")
	// Output: NOTSET user maria has logged in
}

func TestTagged(t *testing.T) {
	var first, second, below sink
	log := handler.NewTaggingLogger("name")
	h := handler.Tagging{
		"info": {{Handler: &first}},
		"cmd":  {{Handler: &second}},
		"both": {{Handler: &first}, {Handler: &second}},
	}
	_ = core.Do(t.Context(), core.Setups{core.Binding{Handler: &below}, core.Binding{Handler: h}}, func(ctx context.Context) error {
		return errors.Join(
			log.Log(ctx, []string{"info"}, "info message"),
			log.Log(ctx, []string{"both"}, "all message"),
			log.Log(ctx, []string{"cmd"}, "cmd message"),
			log.Log(ctx, []string{"other"}, "other message"),
		)
	})
	first.want(t, "info message", "all message")
	second.want(t, "all message", "cmd message")
	below.want(t, "other message")
	if err := errors.Join(h.Flush(t.Context()), h.Close()); err != nil || first.closed != 2 || second.flushed != 2+2 {
		t.Errorf("closed %d, flushed %d: %v", first.closed, second.flushed, err)
	}
}

// TestTaggingLogger also covers seed bug 57 (every method logged the last tag)
// and 58 (the caller's extra data was changed, and the place was that of the logger).
func TestTaggingLogger(t *testing.T) {
	var logs logtest.TestHandler
	log := handler.NewTaggingLogger("tagged")
	log.Logger().SetHandlers(core.Binding{Handler: &logs})
	a, b := log.Tag("a"), log.Tag("b")
	extra := core.Extra("ip", "127.0.0.1")
	a("message {0}", 1, extra)
	b("message {0}", 2)
	if err := log.Log(t.Context(), []string{"c", "d"}, "message {0}", 3); err != nil {
		t.Fatal(err)
	}
	want := []string{"message 1 [a]", "message 2 [b]", "message 3 [c d]"}
	for i, r := range logs.Records() {
		if got := fmt.Sprint(r.Message(), " ", handler.Tags(r)); got != want[i] {
			t.Errorf("got %s, want %s", got, want[i])
		}
		if !strings.HasSuffix(r.Caller().File, "more_test.go") {
			t.Errorf("%s: place %+v", want[i], r.Caller())
		}
	}
	if _, ok := extra.Lookup(handler.TagsKey); ok || len(extra) != 1 {
		t.Errorf("the caller's extra data was changed: %v", extra)
	}
}

func TestTagsFromTheWire(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  []string
	}{
		{[]any{"a", 1, "b"}, []string{"a", "b"}},
		{[]string{"a"}, []string{"a"}},
		{"a", []string{"a"}},
		{"", nil},
		{5, nil},
	} {
		if diff := cmp.Diff(tt.want, handler.Tags(&core.Record{Extra: core.Extra("tags", tt.value)})); diff != "" {
			t.Errorf("%v: %s", tt.value, diff)
		}
	}
}

// Seed bug 59: level and filter of the inner handlers were ignored.
func TestTaggingHandlerRespectsLevelAndFilter(t *testing.T) {
	var high, filtered, all sink
	h := handler.Tagging{"x": {
		{Handler: &high, Level: core.LevelError},
		{Handler: &filtered, Filter: func(r *core.Record) bool { return r.Channel == "yes" }},
		{Handler: &all},
	}}
	r := rec(core.LevelInfo, "no", "message")
	r.Extra = core.Extra("tags", "x")
	handle(t, h, r)
	high.want(t)
	filtered.want(t)
	all.want(t, "message")
}

func ExampleDedup() {
	setup := core.Setups{
		core.Binding{Handler: printer{}},
		core.Binding{Handler: handler.NewDedup(handler.DedupOptions{})},
	}
	_ = core.Do(context.Background(), setup, func(ctx context.Context) error {
		for _, msg := range []string{"foo", "bar", "foo"} {
			core.NewLogger("x").InfoContext(ctx, msg)
		}
		return nil
	})
	// Output:
	// INFO message repeated 2 times: foo
	// INFO message repeated 1 times: bar
}

func TestDedupHandler(t *testing.T) {
	var below sink
	dedup := handler.NewDedup(handler.DedupOptions{})
	log := core.NewLogger("x")
	_ = core.Do(t.Context(), core.Binding{Handler: &below}, func(ctx context.Context) error {
		return core.Do(ctx, core.Binding{Handler: dedup}, func(ctx context.Context) error {
			log.InfoContext(ctx, "foo")
			log.InfoContext(ctx, "bar")
			log.InfoContext(ctx, "foo")
			below.want(t)
			return nil
		})
	})
	below.want(t, "message repeated 2 times: foo", "message repeated 1 times: bar")
}

func TestDedupInOneSetupWithWhatIsBelow(t *testing.T) {
	var below sink
	setup := core.Setups{core.Binding{Handler: &below}, core.Binding{Handler: handler.NewDedup(handler.DedupOptions{})}}
	log := core.NewLogger("x")
	err := core.Do(t.Context(), setup, func(ctx context.Context) error {
		log.InfoContext(ctx, "foo")
		log.InfoContext(ctx, "foo")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	below.want(t, "message repeated 2 times: foo")
}

func TestDedupToAHandler(t *testing.T) {
	var s sink
	d := handler.NewDedup(handler.DedupOptions{Handler: &s, Format: "{count}x {message}", MaxMessages: 2})
	handle(t, d, info("a"), warning("a"), info("a"), info("beyond the bound"))
	s.want(t, "beyond the bound")
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	s.want(t, "beyond the bound", "2x a", "1x a")
}

func TestExceptionHandler(t *testing.T) {
	log := core.NewLogger("x")
	err := core.Do(t.Context(), handler.NewRaising(core.LevelNotSet, handler.Exception{Formatter: messageOnly(t)}), func(ctx context.Context) error {
		err := log.Log(ctx, core.LevelInfo, "here i am")
		if re, ok := errors.AsType[*handler.RecordError](err); !ok || re.Error() != "here i am" {
			t.Errorf("the call that logs returned %v", err)
		}
		return nil
	})
	var re *handler.RecordError
	if !errors.As(err, &re) || re.Record.Message() != "here i am" {
		t.Errorf("the end of the binding returned %v", err)
	}
}

func TestExceptionHandlerSpecificLevel(t *testing.T) {
	var below sink
	cause := errors.New("cause")
	log := core.NewLogger("x")
	err := core.Do(t.Context(), core.Setups{core.Binding{Handler: &below}, handler.NewRaising(core.LevelWarning, handler.Exception{})}, func(ctx context.Context) error {
		log.InfoContext(ctx, "this is irrelevant")
		log.WarnContext(ctx, "here i am", core.Exc(cause))
		return nil
	})
	below.want(t, "this is irrelevant")
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "WARNING: x: here i am") {
		t.Errorf("error %v", err)
	}
}

func TestExceptionHandlerWithATypeOfItsOwn(t *testing.T) {
	h := handler.Exception{Formatter: messageOnly(t), New: func(text string, r *core.Record) error {
		return fmt.Errorf("%w: %s %s", errBroken, r.Level, text)
	}}
	err := h.Handle(t.Context(), warning("x"))
	if !errors.Is(err, errBroken) || err.Error() != "broken: WARNING x" {
		t.Errorf("error %v", err)
	}
}

func ExampleException() {
	err := core.Do(context.Background(), handler.NewRaising(core.LevelWarning, handler.Exception{}), func(ctx context.Context) error {
		core.NewLogger("test").WarnContext(ctx, "deprecated")
		return nil
	})
	fmt.Println(err != nil)
	// Output: true
}
