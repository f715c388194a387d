package peertest

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// python is an interpreter with the packages of Debian.
const python = "/usr/bin/python3"

// process is a program of Python that runs.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	out    *bufio.Reader
	ended  bool
}

// run starts a program, which is killed at the end of the test if it still runs.
func run(t *testing.T, args []string, stdin *os.File) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*patience)
	p := &process{cmd: exec.CommandContext(ctx, python, args...)}
	p.cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8", "PYTHONUNBUFFERED=1")
	p.cmd.WaitDelay = time.Second
	p.cmd.Stderr = &p.stderr
	if stdin != nil {
		p.cmd.Stdin = stdin
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		if p.ended {
			return
		}
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("python: %s", &p.stderr)
		}
	})
	return p
}

// line returns the next line that the program prints.
func (p *process) line(t *testing.T) string {
	t.Helper()
	text, err := p.out.ReadString('\n')
	if err != nil {
		p.ended = true
		_ = p.cmd.Wait()
		t.Fatalf("python: %v: %s", err, &p.stderr)
	}
	return strings.TrimSuffix(text, "\n")
}

// wait waits for the end of the program.
func (p *process) wait(t *testing.T) {
	t.Helper()
	p.ended = true
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("python: %v: %s", err, &p.stderr)
	}
}
