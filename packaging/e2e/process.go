package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs for as long as its test at most. Its methods may be
// called from several goroutines.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended and all it wrote is in out
	out  output
}

// output keeps what a program writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Start starts a program with exactly this environment. When the test is over the
// program gets SIGTERM, and SIGKILL if it still runs 10 seconds later; what it wrote
// is logged when the test has failed.
func Start(t testing.TB, env []string, program string, args ...string) *Process {
	t.Helper()
	return start(t, env, nil, program, args...)
}

// start is Start with files that the program finds as descriptors 3, 4, ....
func start(t testing.TB, env []string, files []*os.File, program string, args ...string) *Process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), find(t, program), args...)
	// The context ends just before the test's clean-ups, which end the program in
	// the order in which it can end well.
	cmd.Cancel = func() error { return nil }
	cmd.Env = env
	cmd.ExtraFiles = files
	p := &Process{name: filepath.Base(program), cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	// A grandchild that keeps the output open must not keep the test.
	cmd.WaitDelay = Patience
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // ProcessState has the result
	}()
	t.Cleanup(func() {
		p.end()
		if out := p.Output(); t.Failed() && out != "" {
			t.Logf("%s wrote:\n%s", p.name, strings.TrimRight(out, "\n"))
		}
	})
	return p
}

// find returns the path of a program.
func find(t testing.TB, program string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("this desktop can only be had on Linux")
	}
	path, err := exec.LookPath(program)
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%s is not installed; run: packaging/setup test", program)
	}
	if err != nil {
		t.Fatalf("find %s: %v", program, err)
	}
	return path
}

// end asks the program to end, and ends it if it does not.
func (p *Process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended already
	select {
	case <-p.done:
		return
	case <-time.After(10 * time.Second):
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output returns what the program has written so far, to either of its outputs.
func (p *Process) Output() string { return p.out.String() }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends the program a signal.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("signal %s: %v", p.name, err)
	}
}

// Stop sends SIGTERM, waits for the end and returns the exit code, -1 if the program
// died of a signal.
func (p *Process) Stop(t testing.TB) int {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	return p.Wait(t)
}

// Wait waits for the end of the program and returns its exit code, -1 if it died of a
// signal.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		t.Fatalf("%s has not ended; it wrote:\n%s", p.name, p.Output())
	}
	return p.cmd.ProcessState.ExitCode()
}

// Run runs a program to its end with this environment and input, and returns what it
// wrote to its standard output. It ends the test when the exit code is not 0.
func Run(t testing.TB, env []string, stdin io.Reader, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), find(t, program), args...)
	cmd.Env, cmd.Stdin = env, stdin
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, stdout, stderr.String())
	}
	return string(stdout)
}
