//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// binary builds the program once for all tests, with the toolkit's own check that
// windows are touched on its goroutine only. It is built without the race detector,
// since that finds a race in the toolkit's tray (GetLayout against a refresh of the
// menu), which is not ours.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "logbook-tray-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "logbook-tray")
	out, err := exec.Command("go", "build", "-tags", "gles", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// program is the program as a user runs it.
type program struct {
	t    testing.TB
	path string
	env  []string
}

func newProgram(t testing.TB, env []string) *program {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return &program{t: t, path: path, env: env}
}

// start starts the program and waits until it answers. When the test is over it
// must have ended well, without complaints of the toolkit.
func (p *program) start(args ...string) *e2e.Process {
	p.t.Helper()
	proc := e2e.Start(p.t, p.env, p.path, args...)
	e2e.Eventually(p.t, "the program to answer", func() bool {
		select {
		case <-proc.Done():
			p.t.Fatalf("the program has ended:\n%s", proc.Output())
		default:
		}
		_, err := p.try("status")
		return err == nil
	})
	return proc
}

// stopped ends the program and checks how it went.
func (p *program) stopped(proc *e2e.Process) {
	p.t.Helper()
	if code := proc.Stop(p.t); code != 0 {
		p.t.Errorf("exit code %d", code)
	}
	for _, complaint := range []string{"call thread", "panic:"} {
		if strings.Contains(proc.Output(), complaint) {
			p.t.Errorf("the program complained:\n%s", proc.Output())
			return
		}
	}
}

func (p *program) try(args ...string) (string, error) {
	cmd := exec.Command(p.path, args...)
	cmd.Env = p.env
	out, err := cmd.Output()
	return string(out), err
}

// run runs a command of the program to its end and returns what it printed.
func (p *program) run(args ...string) string {
	p.t.Helper()
	return e2e.Run(p.t, p.env, nil, p.path, args...)
}

// fails runs a command that must end with this code and returns what it wrote to
// stderr.
func (p *program) fails(code int, args ...string) string {
	p.t.Helper()
	cmd := exec.Command(p.path, args...)
	cmd.Env = p.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	_ = cmd.Run() // the code tells
	if got := cmd.ProcessState.ExitCode(); got != code {
		p.t.Errorf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, stderr.String())
	}
	return stderr.String()
}

func (p *program) status() (s control.Status, pl pipeline.Status) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.run("status", "--format", "json")), &s); err != nil {
		p.t.Fatal(err)
	}
	pl, err := pipelineStatus(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return s, pl
}

func (p *program) alerts() (list []control.Alert) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.run("alerts", "list", "--format", "json", "--context")), &list); err != nil {
		p.t.Fatal(err)
	}
	return list
}

// freeAddress returns a URI that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

// configure writes the configuration of the user of this home.
func configure(t testing.TB, home, text string) string {
	t.Helper()
	dir := filepath.Join(home, ".config", "logbook-tray")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// python runs a script under testdata with Debian's Python, where Logbook is
// installed.
func python(t *testing.T, script string, args ...string) {
	t.Helper()
	out, err := exec.Command("/usr/bin/python3", append([]string{filepath.Join("testdata", script)}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n(python3-logbook and python3-zmq are installed by: packaging/setup test)", script, err, out)
	}
}
