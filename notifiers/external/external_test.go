//go:build unix

package external_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/external"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func text(f func(*core.Record) string) notifiers.Formatter {
	return format.Func(func(dst []byte, r *core.Record) ([]byte, error) { return append(dst, f(r)...), nil })
}

var (
	message = text((*core.Record).Message)
	literal = func(s string) notifiers.Formatter { return text(func(*core.Record) string { return s }) }
)

func notification(message string) notifiers.Notification {
	r := &core.Record{Channel: "shop", Level: core.LevelError, Site: core.Site{File: "cart.py", Line: 12}}
	r.SetMessage(message)
	return notifiers.Notification{ID: 42, Title: "shop: Error", Body: message, Level: r.Level, Count: 3, Record: r}
}

// sh returns a notifier that runs a script of the test's own.
func sh(t *testing.T, o external.Options, script string, args ...notifiers.Formatter) *external.Notifier {
	t.Helper()
	o.Program = "sh"
	o.Args = append([]notifiers.Formatter{literal("-c"), literal(script), literal("script")}, args...)
	n, err := external.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTextFromARecordIsOneArgumentAndNoScript(t *testing.T) {
	n := sh(t, external.Options{Stdin: message, Env: []string{"OWN=1"}}, `printf '%s|' "$#" "$1" "$LOGBOOK_LEVEL" "$LOGBOOK_COUNT" "$LOGBOOK_MESSAGE" "$OWN"; cat`, message)
	evil := `$(touch x) "; rm -rf ' ` + "\n`id`\x00"
	if err := n.Notify(t.Context(), notification(evil)); err != nil {
		t.Fatal(err)
	}
	clean := strings.TrimSuffix(evil, "\x00")
	if got, want := n.Last().Output, "1|"+clean+"|ERROR|3|"+clean+"|1|"+evil; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAFailureHasWhatTheProgramPrinted(t *testing.T) {
	n := sh(t, external.Options{}, `echo "no such card" >&2; exit 3`)
	err := n.Notify(t.Context(), notification("x"))
	if err == nil || !strings.HasSuffix(err.Error(), "sh: exit status 3: no such card") {
		t.Errorf("error: %v", err)
	}
	if last := n.Last(); last.Err == nil || last.At.IsZero() {
		t.Errorf("last: %+v", last)
	}
}

func TestAProgramThatHangsIsKilledWithWhatItStarted(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	n := sh(t, external.Options{Timeout: 200 * time.Millisecond}, `sleep 1000 & echo $! > "$1"; wait`, literal(pid))
	start := time.Now()
	err := n.Notify(t.Context(), notification("x"))
	if err == nil || !strings.HasSuffix(err.Error(), "killed after 200ms") || time.Since(start) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	child, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		// A process that nobody has waited for yet is dead all the same.
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(child)) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the child runs on: %s", state)
		}
	}
}

func TestTheContextEndsItToo(t *testing.T) {
	n := sh(t, external.Options{}, `sleep 1000`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := n.Notify(ctx, notification("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
}

func TestOutputAndArgumentsAreBounded(t *testing.T) {
	n := sh(t, external.Options{OutputMax: 10}, `echo "${#1}"; head -c 1000000 /dev/zero | tr '\0' x`, message)
	if err := n.Notify(t.Context(), notification(strings.Repeat("y", 1<<20))); err != nil {
		t.Fatal(err)
	}
	if got, want := n.Last().Output, "102400\nxxx"; got != want {
		t.Errorf("output %q, want %q", got, want)
	}
}

func TestAProgramThatDoesNotExistIsAnErrorAtOnce(t *testing.T) {
	for program, want := range map[string]string{
		"":                     "external program: none is given",
		"no-such-program-here": `external program: exec: "no-such-program-here": executable file not found in $PATH`,
	} {
		if _, err := external.New(external.Options{Program: program}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestAFormatThatFailsRunsNothing(t *testing.T) {
	broken := format.Func(func(dst []byte, _ *core.Record) ([]byte, error) { return dst, errors.New("no such field") })
	n, err := external.New(external.Options{Program: "sh", Args: []notifiers.Formatter{broken}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Notify(t.Context(), notification("x")); err == nil || err.Error() != "external program: make argument 1: no such field" || !n.Last().At.IsZero() {
		t.Errorf("error: %v, last %+v", err, n.Last())
	}
}
