package core_test

import (
	"context"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
)

// here returns the line of its caller.
func here() int {
	_, _, line, _ := runtime.Caller(1)
	return line
}

func TestEveryLogCallIsAttributedToItsCaller(t *testing.T) {
	var got *core.Record
	setup := core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		got = r
		return nil
	})}
	defer core.Install(setup)() //nolint:errcheck // holds nothing back
	log := core.NewLogger("test")
	ctx := t.Context()
	helper := func() { _ = log.LogDepth(ctx, 1, core.LevelInfo, "x") }
	calls := map[string]func() int{
		"Debug":            func() int { log.Debug("x"); return here() },
		"Error":            func() int { log.Error("x"); return here() },
		"WarnContext":      func() int { log.WarnContext(ctx, "x"); return here() },
		"Log":              func() int { _ = log.Log(ctx, core.LevelInfo, "x"); return here() },
		"LogDepth":         func() int { helper(); return here() },
		"Exception":        func() int { log.Exception(context.Canceled, ""); return here() },
		"ExceptionContext": func() int { log.ExceptionContext(ctx, context.Canceled, ""); return here() },
		"package level":    func() int { core.Warn("x"); return here() },
		"package Log":      func() int { _ = core.Log(ctx, core.LevelInfo, "x"); return here() },
		"LogException":     func() int { core.LogException(context.Canceled, ""); return here() },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			got = nil
			line := call()
			if got == nil {
				t.Fatal("no record")
			}
			site := got.Caller()
			if site.Line != line || filepath.Base(site.File) != "logger_test.go" {
				t.Errorf("attributed to %s:%d, want logger_test.go:%d", site.File, site.Line, line)
			}
		})
	}
}

func TestADisabledCallAllocatesNothing(t *testing.T) {
	log := core.NewLogger("test")
	log.SetLevel(core.LevelError)
	n := testing.AllocsPerRun(100, func() { log.Debug("{0} of {1}", 1, "x") })
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	log.ResetLevel() // now it is the stack that wants nothing
	n = testing.AllocsPerRun(100, func() { log.Debug("{0} of {1}", 1, "x") })
	if n != 0 {
		t.Errorf("with an empty stack: %v allocations, want 0", n)
	}
}
