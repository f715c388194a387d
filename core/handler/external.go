package handler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/internal/process"
)

// Bounds of [ExternalApplication].
const (
	DefaultExternalTimeout = 10 * time.Second
	maxArgument            = 32 << 10 // an argument longer than 128 KiB cannot be passed at all on Linux
	maxOutput              = 64 << 10
	killDelay              = 2 * time.Second // for the pipes, after the kill
)

// ExternalApplicationOptions says what [NewExternalApplication] makes.
type ExternalApplicationOptions struct {
	// Arguments are the program and its arguments. The arguments are format
	// strings, such as "{record.message}"; the program is taken as it is, so that
	// no record can choose what runs. An argument that begins with a record's
	// text may look like an option: put "--" before it where the program
	// knows that.
	Arguments []string
	// StdinFormat is a format string for what the program gets on stdin; empty
	// means nothing.
	StdinFormat string
	// Timeout is how long a run may take; the default is [DefaultExternalTimeout]. The program
	// is killed then, with everything that it started.
	Timeout time.Duration
	// Dir is the working directory; empty is that of this process.
	Dir string
	// Env adds to the environment, as "KEY=value".
	Env []string
	// Format changes how the format strings are rendered.
	Format format.Options
}

// ExternalApplication runs a program for each record. It is Logbook's
// ExternalApplicationHandler. There is no shell: what is in a record is never
// more than an argument or input.
//
// Handle returns when the program has ended, or ctx or the timeout has; put the
// handler behind an asynchronous one where that matters. A status other than zero is
// an error that has the output.
type ExternalApplication struct {
	o         ExternalApplicationOptions
	program   string
	arguments []*format.String
	stdin     *format.String

	mu   sync.Mutex
	last ExternalRun
}

var _ core.Handler = (*ExternalApplication)(nil)

// ExternalRun tells about the last run of a program.
type ExternalRun struct {
	Arguments []string // with the program; nil if there was no run yet
	Started   time.Time
	Duration  time.Duration
	Output    string // stdout and stderr, at most the first 64 KiB
	Err       error
}

// NewExternalApplication finds the program and parses the format strings.
func NewExternalApplication(o ExternalApplicationOptions) (*ExternalApplication, error) {
	if len(o.Arguments) == 0 || o.Arguments[0] == "" {
		return nil, errors.New("external application: no program given")
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultExternalTimeout
	}
	program, err := exec.LookPath(o.Arguments[0])
	if err != nil {
		if e, ok := errors.AsType[*exec.Error](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("external application %q: %w", o.Arguments[0], err)
	}
	o.Format.NoException = true
	h := &ExternalApplication{o: o, program: program}
	for _, a := range o.Arguments[1:] {
		f, err := format.NewString(a, o.Format)
		if err != nil {
			return nil, fmt.Errorf("external application: argument %q: %w", a, err)
		}
		h.arguments = append(h.arguments, f)
	}
	if o.StdinFormat != "" {
		if h.stdin, err = format.NewString(o.StdinFormat, o.Format); err != nil {
			return nil, fmt.Errorf("external application: stdin %q: %w", o.StdinFormat, err)
		}
	}
	return h, nil
}

// Handle runs the program.
func (h *ExternalApplication) Handle(ctx context.Context, r *core.Record) error {
	args, ferr := h.render(r)
	var stdin []byte
	if h.stdin != nil {
		text, err := h.stdin.Append(nil, r)
		stdin, ferr = text, errors.Join(ferr, err)
	}
	run := h.run(ctx, args, stdin)
	h.mu.Lock()
	h.last = run
	h.mu.Unlock()
	return errors.Join(ferr, run.Err)
}

func (h *ExternalApplication) render(r *core.Record) ([]string, error) {
	args := make([]string, len(h.arguments))
	var errs []error
	for i, f := range h.arguments {
		text, err := f.Append(nil, r)
		errs = append(errs, err)
		args[i] = argument(text)
	}
	return args, errors.Join(errs...)
}

// argument makes a text one that can be passed: without NUL, and not too long.
func argument(text []byte) string {
	return strings.ReplaceAll(firstOf(string(text), maxArgument), "\x00", "\uFFFD")
}

func (h *ExternalApplication) run(ctx context.Context, args []string, stdin []byte) ExternalRun {
	ctx, cancel := context.WithTimeoutCause(ctx, h.o.Timeout, fmt.Errorf("killed after %v", h.o.Timeout))
	defer cancel()
	out := &boundedBuffer{max: maxOutput}
	cmd := exec.CommandContext(ctx, h.program, args...)
	cmd.Dir = h.o.Dir
	if len(h.o.Env) > 0 {
		cmd.Env = append(os.Environ(), h.o.Env...)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if h.stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	cmd.WaitDelay = killDelay
	process.Group(cmd)
	run := ExternalRun{Arguments: append([]string{h.program}, args...), Started: time.Now()}
	err := cmd.Run()
	run.Duration = time.Since(run.Started)
	run.Output = string(out.kept)
	run.Err = h.describe(ctx, err, run.Output)
	return run
}

func (h *ExternalApplication) describe(ctx context.Context, err error, output string) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if output = strings.TrimSpace(output); output != "" {
		return fmt.Errorf("external application %q: %w: %s", h.o.Arguments[0], err, firstOf(output, 500))
	}
	return fmt.Errorf("external application %q: %w", h.o.Arguments[0], err)
}

// firstOf returns at most n bytes of s.
func firstOf(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// Last returns what became of the last run.
func (h *ExternalApplication) Last() ExternalRun {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// boundedBuffer keeps the beginning of what is written to it. exec writes from
// one goroutine, since stdout and stderr are the same.
type boundedBuffer struct {
	kept []byte
	max  int
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if room := b.max - len(b.kept); room > 0 {
		b.kept = append(b.kept, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
