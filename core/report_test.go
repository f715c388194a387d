package core_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

// stderrOf returns what f writes to stderr. Tests that use it are not
// parallel.
func stderrOf(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = w
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	defer func() { os.Stderr = old }()
	f()
	_ = w.Close()
	return <-text
}

var errBoom = errors.New("disk full")

func failing(context.Context, *core.Record) error { return errBoom }

func TestErrorFlag(t *testing.T) { // test_error_flag, test_handler_exception
	log := core.NewLogger("shop")
	var logs logtest.TestHandler
	setup := func(flags ...core.Setup) core.Setups {
		return append(core.Setups{
			core.Binding{Handler: &logs},
			core.Binding{Handler: core.HandlerFunc(failing), Bubble: true, Name: "file"},
		}, flags...)
	}
	t.Run("an error is printed, without the message", func(t *testing.T) {
		out := stderrOf(t, func() {
			ctx, end := core.Bind(t.Context(), setup())
			log.ErrorContext(ctx, "secret message")
			if err := end(); err != nil {
				t.Errorf("end: %v", err)
			}
		})
		for _, want := range []string{`logbook: handler "file" (core.HandlerFunc): disk full`, "record of level ERROR", `channel "shop"`, "report_test.go:"} {
			if !strings.Contains(out, want) {
				t.Errorf("stderr lacks %q:\n%s", want, out)
			}
		}
		if strings.Contains(out, "secret") {
			t.Errorf("stderr shows the message:\n%s", out)
		}
	})
	t.Run("silent", func(t *testing.T) {
		out := stderrOf(t, func() {
			ctx, end := core.Bind(t.Context(), setup(core.Flags{Errors: core.ErrorsRaise}, core.Flags{Errors: core.ErrorsSilent}))
			if err := errors.Join(log.Log(ctx, core.LevelInfo, "x"), end()); err != nil {
				t.Errorf("returned: %v", err)
			}
		})
		if out != "" {
			t.Errorf("stderr: %s", out)
		}
	})
	t.Run("raised to the caller and to who bound the flags", func(t *testing.T) {
		ctx, end := core.Bind(t.Context(), setup(core.Flags{Errors: core.ErrorsRaise}, core.Flags{Introspection: core.Off}))
		if err := log.Log(ctx, core.LevelInfo, "x"); !errors.Is(err, errBoom) {
			t.Errorf("Log: %v", err)
		}
		if err := core.Dispatch(ctx, &core.Record{Level: core.LevelInfo}); !errors.Is(err, errBoom) {
			t.Errorf("Dispatch: %v", err)
		}
		if err := end(); !errors.Is(err, errBoom) {
			t.Errorf("end: %v", err)
		}
	})
	if logs.Len() != 4 {
		t.Errorf("%d records reached the handler below, want 4", logs.Len())
	}
}

func TestRaisedErrorsAreBounded(t *testing.T) {
	ctx, end := core.Bind(t.Context(), core.Setups{core.Flags{Errors: core.ErrorsRaise}, core.Binding{Handler: core.HandlerFunc(failing)}})
	for range 250 {
		core.NewLogger("x").InfoContext(ctx, "x")
	}
	err := end()
	if n := strings.Count(err.Error(), "disk full"); n != 100 || !strings.Contains(err.Error(), "and 150 further errors") {
		t.Errorf("%d errors in %.200s", n, err)
	}
}

func TestAPanicIsCaughtAndShownOncePerKind(t *testing.T) {
	var logs logtest.TestHandler
	log := core.NewLogger("shop")
	handler := core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		panic("bad record " + r.Message()) // the text differs, the kind does not
	})
	out := stderrOf(t, func() {
		ctx, _ := core.Bind(t.Context(), core.Setups{core.Binding{Handler: &logs}, core.Binding{Handler: handler, Bubble: true}})
		for i := range 120 {
			log.InfoContext(ctx, "{0}", i)
		}
	})
	if logs.Len() != 120 {
		t.Errorf("the handler below has %d records, want 120", logs.Len())
	}
	if n := strings.Count(out, "[running]"); n != 1 {
		t.Errorf("%d stack traces, want 1:\n%s", n, out)
	}
	for _, want := range []string{"panic: bad record 0\n", "(10 times now)", "(100 times now)"} {
		if n := strings.Count(out, want); n != 1 {
			t.Errorf("%d times %q, want 1:\n%s", n, want, out)
		}
	}
	if n := strings.Count(out, "logbook: "); n != 3 {
		t.Errorf("%d reports, want 3", n)
	}
}

func TestAPanicIsReturnedWhereErrorsAreRaised(t *testing.T) {
	var logs logtest.TestHandler
	tests := map[string]core.Setup{
		"handler core.HandlerFunc: panic: disk full": core.Binding{Bubble: true, Handler: core.HandlerFunc(
			func(context.Context, *core.Record) error { panic(errBoom) })},
		"filter of blackhole: panic: disk full": core.Binding{Filter: func(*core.Record) bool { panic(errBoom) }},
		"processor: panic: disk full":           core.Processor(func(*core.Record) { panic(errBoom) }),
	}
	for want, setup := range tests {
		t.Run(want, func(t *testing.T) {
			logs.Reset()
			ctx, end := core.Bind(t.Context(), core.Setups{core.Flags{Errors: core.ErrorsRaise}, core.Binding{Handler: &logs}, setup})
			err := core.NewLogger("x").Log(ctx, core.LevelInfo, "x")
			if err == nil || err.Error() != want || !errors.Is(err, errBoom) {
				t.Errorf("got %v, want %s", err, want)
			}
			if logs.Len() != 1 {
				t.Errorf("the handler below has %d records, want 1", logs.Len())
			}
			_ = end()
		})
	}
}

func TestDisableIntrospection(t *testing.T) { // test_disable_introspection
	var logs logtest.TestHandler
	ctx, _ := core.Bind(t.Context(), core.Setups{core.Binding{Handler: &logs}, core.Flags{Introspection: core.Off}})
	core.NewLogger("x").InfoContext(ctx, "x")
	if site := logs.Last().Caller(); site != (core.Site{}) {
		t.Errorf("place %+v, want none", site)
	}
}
