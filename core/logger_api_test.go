package core_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"runtime"
	"strings"
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
		{"positional and named", "{0} {b:>4} {}", []any{"a"}, ""},
		{"named", "{b:>4}{0}", []any{1.5, core.Kw("b", "x")}, "   x1.5"},
		{"extra data beside arguments", "{0} from {extra[ip]}{extra[none]}", []any{"GET", core.Extra("ip", "::1")}, "GET from ::1"},
		{"Python's text of values", "{} {} {}", []any{nil, true, []string{"a"}}, "None True ['a']"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, logs := collect(t)
			core.NewLogger("x").InfoContext(ctx, tt.msg, tt.args...)
			if got := logs.Last().Message(); tt.want != "" && got != tt.want {
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

func TestExceptionCatching(t *testing.T) { // test_exception_catching, test_exc_info_exception_instance
	ctx, logs := collect(t)
	log := core.NewLogger("x")
	_, err := fs.ReadFile(noFiles{}, "größe.txt")
	log.ExceptionContext(ctx, err, "")
	if !logs.HasError(core.DefaultExceptionMessage) {
		t.Fatalf("got %q", logs.Formatted())
	}
	e := logs.Last().Exception
	if e.Name != "*fs.PathError" || e.ShortName() != "PathError" || e.Message != "open größe.txt: file does not exist" || !errors.Is(e.Err, fs.ErrNotExist) {
		t.Errorf("exception %+v", e)
	}
	wantParts := []string{
		"*errors.errorString: file does not exist\n\nwhich was the cause of:\n\n*fs.PathError: open größe.txt: file does not exist\n\ngoroutine ",
		"core_test.TestExceptionCatching(", "logger_api_test.go:",
	}
	for _, want := range wantParts {
		if !strings.Contains(e.Traceback, want) {
			t.Errorf("traceback lacks %q:\n%s", want, e.Traceback)
		}
	}
	if frame := strings.SplitN(e.Traceback[strings.Index(e.Traceback, "goroutine "):], "\n", 3)[1]; !strings.HasPrefix(frame, "github.com/logbook-tray/logbook-tray/core_test.TestExceptionCatching(") {
		t.Errorf("innermost call is %q", frame)
	}
	log.ExceptionContext(ctx, err, "Failed {0}", "badly")
	if !logs.HasError("Failed badly") {
		t.Errorf("got %q", logs.Formatted())
	}
	log.ExceptionContext(ctx, nil, "no error at all") // test_exc_info_when_no_exceptions_exist
	if logs.Last().Exception != nil {
		t.Errorf("exception %+v, want none", logs.Last().Exception)
	}
	log.ErrorContext(ctx, "x", core.Exc(nil)) // test_exc_info_false
	if logs.Last().Exception != nil {
		t.Errorf("exception %+v, want none", logs.Last().Exception)
	}
}

type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// selfish wraps itself.
type selfish struct{}

func (s *selfish) Error() string { return "again" }
func (s *selfish) Unwrap() error { return s }

type nilError struct{ text string }

func (n *nilError) Error() string { return n.text }

func TestChainedCauses(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"one", a, "*errors.errorString: a"},
		{"joined", errors.Join(a, b), "*errors.errorString: a\n\nand:\n\n*errors.errorString: b\n\nwhich together were the cause of:\n\n*errors.joinError: a\nb"},
		{"wrapped", fmt.Errorf("x: %w", a), "*errors.errorString: a\n\nwhich was the cause of:\n\n*fmt.wrapError: x: a"},
		{"on a nil pointer", (*nilError)(nil), "*core_test.nilError: <nil>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := core.NewException(tt.err).Traceback; got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
	t.Run("in a ring", func(t *testing.T) {
		if got := core.NewException(new(selfish)).Traceback; len(got) > 10000 {
			t.Errorf("%d bytes", len(got))
		}
	})
	if core.NewException(nil) != nil {
		t.Error("an exception of no error")
	}
}

func explode() { panic("kaboom") }

func TestCatchPanics(t *testing.T) {
	ctx, logs := collect(t)
	log := core.NewLogger("x")
	if !log.CatchPanics(ctx, explode, "") {
		t.Error("the panic was not reported")
	}
	r := logs.Last()
	if r.Message() != core.DefaultExceptionMessage || r.Exception.Message != "panic: kaboom" || r.Level != core.LevelError {
		t.Errorf("record %+v", r)
	}
	if !regexp.MustCompile(`\]:\n(?s:.{0,40}panic.{0,200})core_test\.explode\(`).MatchString(r.Exception.Traceback) &&
		!regexp.MustCompile(`\]:\n\S+core_test\.explode\(`).MatchString(r.Exception.Traceback) {
		t.Errorf("the traceback does not begin at the panic:\n%s", r.Exception.Traceback)
	}
	if site := r.Caller(); site.Function != "explode" {
		t.Errorf("attributed to %+v, want the function that panicked", site)
	}
	if log.CatchPanics(ctx, func() {}, "") || logs.Len() != 1 {
		t.Error("a function that does not panic was logged")
	}
	func() {
		defer func() {
			if recover() != "kaboom" {
				t.Error("the panic did not go on")
			}
		}()
		log.RethrowPanics(ctx, explode, "in {0}", "test")
	}()
	if !logs.HasError("in test") || logs.Last().Caller().Function != "explode" {
		t.Errorf("got %q from %+v", logs.Formatted(), logs.Last().Caller())
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		log.CatchPanics(ctx, runtime.Goexit, "is no panic")
		t.Error("the goroutine goes on after Goexit")
	}()
	<-exited
	if logs.HasError("is no panic") {
		t.Error("Goexit was logged")
	}
	core.CatchPanics(ctx, explode, "generic")
	if r := logs.Last(); r.Channel != core.GenericChannel || r.Caller().Function != "explode" {
		t.Errorf("got channel %q from %+v", r.Channel, r.Caller())
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
