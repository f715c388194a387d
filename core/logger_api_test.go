package core_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

// collect binds a TestHandler.
func collect(t *testing.T) (context.Context, *logtest.TestHandler) {
	t.Helper()
	logs := new(logtest.TestHandler)
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: logs})
	return ctx, logs
}

func TestBasicLogging(t *testing.T) { // test_basic_logging
	ctx, logs := collect(t)
	core.NewLogger("testlogger").WarnContext(ctx, "This is a warning.  Nice hah?")
	if !logs.HasWarning("This is a warning.  Nice hah?") {
		t.Errorf("got %q", logs.Formatted())
	}
	if got, want := logs.Formatted()[0], "[WARNING] testlogger: This is a warning.  Nice hah?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGlobalFunctions(t *testing.T) { // test_global_functions
	var logs logtest.TestHandler
	install(t, core.Binding{Handler: &logs})
	calls := map[core.Level]func(){
		core.LevelTrace:    func() { core.Trace("{0}", 1) },
		core.LevelDebug:    func() { core.Debug("{0}", 1) },
		core.LevelInfo:     func() { core.Info("{0}", 1) },
		core.LevelNotice:   func() { core.Notice("{0}", 1) },
		core.LevelWarning:  func() { core.Warn("{0}", 1) },
		core.LevelError:    func() { core.Error("{0}", 1) },
		core.LevelCritical: func() { core.Critical("{0}", 1) },
	}
	for level, call := range calls {
		logs.Reset()
		call()
		r := logs.Last()
		if logs.Len() != 1 || r.Level != level || r.Message() != "1" || r.Channel != "Generic" || r.Dispatcher != nil {
			t.Errorf("%v: %d records, last %+v", level, logs.Len(), r)
		}
	}
}

func TestDispatcher(t *testing.T) { // test_dispatcher
	ctx, logs := collect(t)
	log := core.NewLogger("x")
	log.WarnContext(ctx, "x")
	if logs.Last().Dispatcher != log {
		t.Error("the dispatcher is not the logger")
	}
}

func TestLevelProperties(t *testing.T) { // test_level_properties
	log := core.NewLogger("x")
	if log.Level() != core.LevelNotSet {
		t.Errorf("a new logger has level %v", log.Level())
	}
	level, err := core.ParseLevel("warning")
	if err != nil {
		t.Fatal(err)
	}
	log.SetLevel(level)
	if log.Level() != core.LevelWarning {
		t.Errorf("level %v, want WARNING", log.Level())
	}
}

func TestLevelLookupFailures(t *testing.T) { // test_level_lookup_failures
	if _, err := core.LevelName(37); !errors.Is(err, core.ErrUnknownLevel) {
		t.Errorf("LevelName(37): %v", err)
	}
	if _, err := core.ParseLevel("FOO"); !errors.Is(err, core.ErrUnknownLevel) {
		t.Errorf("ParseLevel(FOO): %v", err)
	}
}

func TestReflectedProperties(t *testing.T) { // test_reflected_properties
	group := core.NewLoggerGroup()
	log := core.NewLogger("x")
	if err := group.Add(log); err != nil {
		t.Fatal(err)
	}
	if err := core.NewLoggerGroup().Add(log); !errors.Is(err, core.ErrInGroup) {
		t.Errorf("in a second group: %v", err)
	}
	group.SetLevel(core.LevelError)
	if log.Level() != core.LevelError {
		t.Errorf("level %v, want that of the group", log.Level())
	}
	log.SetLevel(core.LevelDebug)
	if log.Level() != core.LevelDebug {
		t.Errorf("level %v, want its own", log.Level())
	}
	log.ResetLevel()
	if !group.Remove(log) || log.Group() != nil || log.Level() != core.LevelNotSet {
		t.Errorf("after removal: group %v, level %v", log.Group(), log.Level())
	}
}

func TestGroups(t *testing.T) { // test_groups
	ctx, logs := collect(t)
	log := core.NewLogger("testlogger")
	group := core.NewLoggerGroup(log)
	group.SetLevel(core.LevelError)
	log.WarnContext(ctx, "A warning")
	if logs.HasWarnings() {
		t.Error("the level of the group does not hold")
	}
	group.SetLevel(core.LevelNotSet)
	group.SetProcessor(func(r *core.Record) { r.Extra.Set("foo", "bar") })
	log.WarnContext(ctx, "A warning")
	if logs.Last().Extra.Get("foo") != "bar" {
		t.Error("the processor of the group did not run")
	}
}

func TestGroupDisabled(t *testing.T) { // test_group_disabled
	follows, on, off := core.NewLogger("follows"), core.NewLogger("on"), core.NewLogger("off")
	group := core.NewLoggerGroup(follows, on, off)
	on.Enable()
	off.Disable()
	check := func(when string, want ...bool) {
		t.Helper()
		for i, l := range []*core.Logger{follows, on, off} {
			if l.Disabled() != want[i] {
				t.Errorf("%s: %s disabled: %t", when, l.Name(), l.Disabled())
			}
		}
	}
	group.Disable(false)
	check("disabled", true, false, true)
	group.Enable(false)
	check("enabled", false, false, true)
	group.Disable(true)
	check("disabled by force", true, true, true)
	off.Disable()
	group.Enable(true)
	check("enabled by force", false, false, false)
}

func TestExtraDict(t *testing.T) { // test_extradict
	ctx, logs := collect(t)
	core.NewLogger("x").InfoContext(ctx, "x", core.Extra("existing", "foo", 5, nil, "odd"))
	extra := logs.Last().Extra
	if extra.Get("missing") != "" || extra.Get("existing") != "foo" || extra.Get("5") != nil || extra.Get("odd") != "" {
		t.Errorf("extra %v", extra)
	}
	if _, ok := extra.Lookup("missing"); ok {
		t.Error("a missing key is there")
	}
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name, msg string
		args      []any
		want      string
	}{
		{"without arguments the braces stay", "100% {}", nil, "100% {}"},
		{"extra data alone is no argument", "{x}", []any{core.Extra("x", 1)}, "{x}"},
		{"named", "{b:>4}{0}", []any{1.5, core.Kw("b", "x")}, "   x1.5"},
		{"extra data beside arguments", "{0} from {extra[ip]}{extra[none]}", []any{"GET", core.Extra("ip", "::1")}, "GET from ::1"},
		{"Python's text of values", "{} {} {}", []any{nil, true, []string{"a"}}, "None True ['a']"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, logs := collect(t)
			core.NewLogger("x").InfoContext(ctx, tt.msg, tt.args...)
			if got := logs.Last().Message(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFormattingException(t *testing.T) { // test_formatting_exception
	ctx, logs := collect(t)
	core.NewLogger("x").WarnContext(ctx, "Hello {foo:invalid}", core.Kw("foo", 42), 1)
	line := here() - 1
	want := fmt.Sprintf("Could not format message with provided arguments: Invalid format specifier 'invalid' for object of type 'int'\n"+
		"  msg='Hello {foo:invalid}'\n  args=[1]\n  kwargs={'foo': 42}\nHappened in file %s, line %d", logs.Last().Caller().File, line)
	if got := logs.Last().Message(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFrameCorrection(t *testing.T) { // test_frame_correction
	ctx, logs := collect(t)
	helper := func() { _ = core.NewLogger("x").LogDepth(ctx, 1, core.LevelInfo, "x") }
	helper()
	if got, want := logs.Last().Caller().Line, here()-1; got != want {
		t.Errorf("line %d, want %d", got, want)
	}
	r := &core.Record{Level: core.LevelInfo, FrameCorrection: 1}
	dispatch := func() { _ = core.Dispatch(ctx, r) }
	dispatch()
	if got, want := logs.Last().Caller().Line, here()-1; got != want {
		t.Errorf("line %d, want %d", got, want)
	}
}

func TestLoggedIfSlow(t *testing.T) { // test_logged_if_slow_reached, _did_not_reached, _logger, _level
	synctest.Test(t, func(t *testing.T) {
		ctx, logs := collect(t)
		log := core.NewLogger("slow")
		done := log.LogIfSlow(ctx, time.Second, core.LevelDebug, "checking {0}...", "x")
		line := here() - 1
		time.Sleep(999 * time.Millisecond) // of the fake clock
		if logs.Len() != 0 {
			t.Error("logged too early")
		}
		time.Sleep(2 * time.Millisecond)
		if !logs.HasDebug("checking x...") {
			t.Errorf("got %q while it still runs", logs.Formatted())
		}
		done()
		done()
		if got := logs.Last().Caller().Line; got != line {
			t.Errorf("attributed to line %d, want %d", got, line)
		}
		logs.Reset()
		log.LogIfSlow(ctx, time.Second, core.LevelWarning, "checking")()
		time.Sleep(time.Hour)
		if logs.Len() != 0 {
			t.Errorf("got %q although it was fast", logs.Formatted())
		}
	})
}

func oldFunction(d *core.Deprecations) { d.Warn("some_message") }

func TestDeprecationMessage(t *testing.T) { // test_deprecation_message_different_sources, _same_sources, _full_warning
	var logs logtest.TestHandler
	install(t, core.Binding{Handler: &logs})
	var d core.Deprecations
	for range 3 {
		oldFunction(&d)
	}
	line := here() - 2
	if logs.Len() != 1 || !logs.HasWarning("Deprecation message: some_message") || logs.Last().Caller().Line != line {
		t.Errorf("got %q from %+v, want one from line %d", logs.Formatted(), logs.Last().Caller(), line)
	}
	oldFunction(&d)
	if logs.Len() != 2 {
		t.Errorf("%d records, want one more for another place", logs.Len())
	}
}

func TestKeepFreezesTheRecord(t *testing.T) {
	list := []string{"a"}
	r := &core.Record{Msg: "{0}", Args: []any{list}, Extra: core.Extra("m", map[string]any{"k": &list})}
	kept := r.Keep()
	list[0] = "changed"
	if got := kept.Message(); got != "['a']" {
		t.Errorf("message %q", got)
	}
	if got := fmt.Sprint(kept.Args[0], kept.Extra.Get("m")); got != "[a] map[k:[a]]" {
		t.Errorf("values %q", got)
	}
	if kept.Keep() != kept {
		t.Error("a kept record was copied again")
	}
}
