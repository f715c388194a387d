//go:build unix

package pipe_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
)

func makePipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// runShell runs a script with an argument, and a named pipe as its input.
func runShell(t *testing.T, script, argument, path string) {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", argument)
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestANamedPipeIsWrittenToWhoeverReadsIt(t *testing.T) {
	path := makePipe(t)
	o := soon
	o.Linger = -1 // the last one is for nobody
	s := pipe.NewNamedSender(path, o)
	defer s.Close()
	eventually(t, "nobody reads", func() bool { return s.Status().Err != nil })
	if st := s.Status(); st.State != queue.StateConnecting || st.Err.Error() != "nobody reads the pipe "+path {
		t.Errorf("%+v", st)
	}
	want := numbers(12)
	send(t, s, want...)
	var got []string
	for range 4 {
		out := filepath.Join(t.TempDir(), "out")
		runShell(t, readThree, out, path)
		got = append(got, strings.Split(strings.TrimSpace(content(t, out)), "\n")...)
		send(t, s, "{}") // which finds out that the reader has gone; who comes before that may get records twice
		eventually(t, "nobody reads", func() bool {
			err := s.Status().Err
			return err != nil && strings.HasPrefix(err.Error(), "nobody reads")
		})
	}
	if runtime.GOOS != "linux" {
		want, got = want[:3], got[:3]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
