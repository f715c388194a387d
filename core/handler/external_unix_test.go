//go:build unix

package handler_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleExternalApplication() {
	say, err := handler.NewExternalApplication(handler.ExternalApplicationOptions{
		Arguments: []string{"echo", "{record.level_name}", "{record.message}"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = say.Handle(context.Background(), &core.Record{Level: core.LevelError, Msg: "the server is down"})
	fmt.Print(say.Last().Output)
	// Output: ERROR the server is down
}

func external(t *testing.T, o handler.ExternalApplicationOptions) *handler.ExternalApplication {
	t.Helper()
	h, err := handler.NewExternalApplication(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestExternalApplicationHandler(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	h := external(t, handler.ExternalApplicationOptions{Arguments: []string{"sh", "-c", `printf %s "$1" > "$2"`, "sh", "{record.message}", out}})
	handle(t, h, failed("this is a really bad idea"))
	if got := content(t, out); got != "this is a really bad idea" {
		t.Errorf("got %q", got)
	}
}

func TestExternalApplicationHandlerStdin(t *testing.T) {
	h := external(t, handler.ExternalApplicationOptions{Arguments: []string{"cat"}, StdinFormat: "{record.message}\n"})
	handle(t, h, failed("this is a really bad idea"))
	if got := h.Last().Output; got != "this is a really bad idea\n" {
		t.Errorf("got %q", got)
	}
}

func TestExternalApplicationUsesNoShell(t *testing.T) {
	h := external(t, handler.ExternalApplicationOptions{Arguments: []string{"echo", "{record.message}"}})
	handle(t, h, failed("$(id) `id`; rm -rf \x00 | 'x'"))
	if got := h.Last().Output; got != "$(id) `id`; rm -rf \uFFFD | 'x'\n" {
		t.Errorf("got %q", got)
	}
}

func TestExternalApplicationDoesNotTakeItsProgramFromARecord(t *testing.T) {
	_, err := handler.NewExternalApplication(handler.ExternalApplicationOptions{Arguments: []string{"{record.message}"}})
	if err == nil || !strings.HasPrefix(err.Error(), `external application "{record.message}": `) {
		t.Errorf("error %v", err)
	}
}

func TestExternalApplicationReportsAFailure(t *testing.T) {
	h := external(t, handler.ExternalApplicationOptions{Arguments: []string{"sh", "-c", "echo out; echo trouble >&2; exit 3"}})
	err := h.Handle(t.Context(), failed("x"))
	if err == nil || err.Error() != "external application \"sh\": exit status 3: out\ntrouble" {
		t.Errorf("error %v", err)
	}
	if run := h.Last(); !errors.Is(err, run.Err) && run.Err.Error() != err.Error() || run.Output != "out\ntrouble\n" || run.Duration <= 0 {
		t.Errorf("last run %+v", run)
	}
}

func TestExternalApplicationBoundsArgumentsAndOutput(t *testing.T) {
	h := external(t, handler.ExternalApplicationOptions{Arguments: []string{"sh", "-c", `printf %s "$1"; head -c 200000 /dev/zero`, "sh", "{record.message}"}})
	handle(t, h, failed(strings.Repeat("ö", 100_000)))
	run := h.Last()
	if n := len(run.Arguments[4]); n > 33<<10 || !strings.HasSuffix(run.Arguments[4], "ö...") {
		t.Errorf("argument of %d bytes", n)
	}
	if n := len(run.Output); n != 64<<10 {
		t.Errorf("output of %d bytes", n)
	}
}

// The program and what it has started are killed.
func TestExternalApplicationTimeout(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	h := external(t, handler.ExternalApplicationOptions{
		Arguments: []string{"sh", "-c", `sleep 60 & echo $! > "$1"; wait`, "sh", pidFile}, Timeout: 300 * time.Millisecond,
	})
	start := time.Now()
	err := h.Handle(t.Context(), failed("x"))
	if err == nil || err.Error() != `external application "sh": killed after 300ms` {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(content(t, pidFile)))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child is gone", func() bool { return !running(pid) })
}

// running reports whether a process runs; one that has ended and that nobody has
// waited for does not.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestExternalApplicationEndsWithTheContext(t *testing.T) {
	h := external(t, handler.ExternalApplicationOptions{Arguments: []string{"sleep", "60"}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Handle(ctx, failed("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestExternalApplicationOptionsThatAreWrong(t *testing.T) {
	for want, o := range map[string]handler.ExternalApplicationOptions{
		`external application: no program given`:                                          {},
		`external application "no-such-program-here": executable file not found in $PATH`: {Arguments: []string{"no-such-program-here"}},
		`external application: argument "{record.message": `:                              {Arguments: []string{"sh", "{record.message"}},
		`external application: stdin "{record.nonsense}": `:                               {Arguments: []string{"sh"}, StdinFormat: "{record.nonsense}"},
	} {
		if _, err := handler.NewExternalApplication(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}
