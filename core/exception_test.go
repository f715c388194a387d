package core_test

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
)

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
		"core_test.TestExceptionCatching(", "exception_test.go:",
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

func writeToNil() {
	var m map[string]int
	m["a"] = 1 //nolint:govet,staticcheck // on purpose
}

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
	log.CatchPanics(ctx, writeToNil, "of the runtime")
	if site := logs.Last().Caller(); site.Function != "writeToNil" {
		t.Errorf("attributed to %+v, want the function that panicked", site)
	}
	logs.Reset()
	if log.CatchPanics(ctx, func() {}, "") || logs.Len() != 0 {
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
