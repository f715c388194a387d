// Package external runs a program for each notification: Logbook's
// ExternalApplicationHandler. No shell is involved; what comes from a record
// reaches the program as single arguments, as its input, and in its environment.
package external

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// The defaults of [Options].
const (
	DefaultTimeout   = 30 * time.Second
	DefaultOutputMax = 4 << 10
)

// argMax is how many bytes an argument or a value of the environment has at most.
// Linux allows 128 KiB.
const argMax = 100 << 10

// Options are the settings of a [Notifier]. Program is required.
type Options struct {
	// Program is the program: a path, or a name that is looked for in PATH. It
	// does not depend on the record.
	Program string
	// Args make its arguments. A text that begins with "-" is an option to most
	// programs; "--" before it tells them otherwise.
	Args []notifiers.Formatter
	// Stdin makes its input; nil for none.
	Stdin notifiers.Formatter
	// Dir is the directory it runs in; "" means that of this process.
	Dir string
	// Env is added to the environment of this process, as "NAME=value".
	Env []string
	// Timeout is how long it may run; 0 means DefaultTimeout. Then it is killed,
	// where the system allows with all that it has started.
	Timeout time.Duration
	// OutputMax is how many bytes of what it prints are kept; 0 means
	// DefaultOutputMax.
	OutputMax int
}

// Run is how a program ended.
type Run struct {
	At   time.Time
	Took time.Duration
	// Err is nil if the program ended with success.
	Err error
	// Output is the beginning of what it printed, on both channels.
	Output string
}

// Notifier runs a program for each notification, one at a time for each call of
// Notify. It is safe for concurrent use.
//
// The environment of the program has LOGBOOK_CHANNEL, LOGBOOK_LEVEL,
// LOGBOOK_MESSAGE, LOGBOOK_TITLE, LOGBOOK_COUNT, LOGBOOK_TIME (RFC 3339),
// LOGBOOK_SOURCE, LOGBOOK_FILE, LOGBOOK_LINE, LOGBOOK_EXCEPTION and
// LOGBOOK_ALERT, the ID of the alert.
type Notifier struct {
	opts Options

	mu   sync.Mutex
	last Run
}

var _ notifiers.Notifier = (*Notifier)(nil)

// New returns a notifier. It is an error if the program does not exist.
func New(o Options) (*Notifier, error) {
	if o.Program == "" {
		return nil, errors.New("external program: none is given")
	}
	path, err := exec.LookPath(o.Program)
	if err != nil {
		return nil, fmt.Errorf("external program: %w", err)
	}
	o.Program = path
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.OutputMax <= 0 {
		o.OutputMax = DefaultOutputMax
	}
	return &Notifier{opts: o}, nil
}

// Last returns how the latest run ended; zero before the first.
func (n *Notifier) Last() Run {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

// Notify runs the program and waits for its end. The error has the beginning of
// what it printed.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	args, err := n.args(&of)
	if err != nil {
		return err
	}
	var input []byte
	if n.opts.Stdin != nil {
		if input, err = n.opts.Stdin.Append(nil, of.Record); err != nil {
			return fmt.Errorf("external program: make its input: %w", err)
		}
	}
	run := n.run(ctx, args, environment(&of), input)
	n.mu.Lock()
	n.last = run
	n.mu.Unlock()
	if run.Err == nil {
		return nil
	}
	if line := display.Line(run.Output, 200); line != "" {
		return fmt.Errorf("run %s: %w: %s", n.opts.Program, run.Err, line)
	}
	return fmt.Errorf("run %s: %w", n.opts.Program, run.Err)
}

func (n *Notifier) args(of *notifiers.Notification) ([]string, error) {
	args := make([]string, len(n.opts.Args))
	for i, f := range n.opts.Args {
		text, err := f.Append(nil, of.Record)
		if err != nil {
			return nil, fmt.Errorf("external program: make argument %d: %w", i+1, err)
		}
		args[i] = argument(string(text))
	}
	return args, nil
}

func (n *Notifier) run(ctx context.Context, args, env []string, input []byte) Run {
	ctx, cancel := context.WithTimeoutCause(ctx, n.opts.Timeout, fmt.Errorf("killed after %v", n.opts.Timeout))
	defer cancel()
	output := &head{max: n.opts.OutputMax}
	cmd := exec.CommandContext(ctx, n.opts.Program, args...) //nolint:gosec // the user's own choice, see Options
	cmd.Dir, cmd.Stdout, cmd.Stderr = n.opts.Dir, output, output
	cmd.Env = append(append(os.Environ(), env...), n.opts.Env...)
	if input != nil {
		cmd.Stdin = bytes.NewReader(input)
	}
	cmd.WaitDelay = time.Second // for what the program has left behind with its output open
	inGroup(cmd)
	run := Run{At: time.Now()}
	run.Err = cmd.Run()
	if cause := context.Cause(ctx); run.Err != nil && cause != nil {
		run.Err = cause
	}
	run.Took, run.Output = time.Since(run.At), output.String()
	return run
}

func environment(of *notifiers.Notification) []string {
	r := of.Record
	site := r.Caller()
	exception := ""
	if r.Exception != nil {
		exception = r.Exception.Name + ": " + r.Exception.Message
	}
	var env []string
	for _, e := range [...][2]string{
		{"CHANNEL", r.Channel},
		{"LEVEL", r.Level.String()},
		{"MESSAGE", r.Message()},
		{"TITLE", of.Title},
		{"COUNT", strconv.Itoa(of.Count)},
		{"TIME", r.Time.Format(time.RFC3339Nano)},
		{"SOURCE", r.Source.Name},
		{"FILE", site.File},
		{"LINE", strconv.Itoa(site.Line)},
		{"EXCEPTION", exception},
		{"ALERT", strconv.FormatUint(of.ID, 10)},
	} {
		env = append(env, "LOGBOOK_"+e[0]+"="+argument(e[1]))
	}
	return env
}

// argument makes a text fit to be handed to a program: without the byte that would
// end it, and not too long.
func argument(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > argMax {
		s = strings.ToValidUTF8(s[:argMax], "")
	}
	return s
}

// head keeps the beginning of what is written to it.
type head struct {
	mu  sync.Mutex
	max int
	buf []byte
}

var _ io.Writer = (*head)(nil)

// Write takes everything and keeps what fits.
func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.buf = append(h.buf, p[:min(len(p), h.max-len(h.buf))]...)
	return len(p), nil
}

// String returns what was kept.
func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.ToValidUTF8(string(h.buf), "\ufffd")
}
