package pipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/process"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
)

// endTime is how long a program that does not read any more may take to end, before its
// end is not the reason that is told.
const endTime = time.Second

// Program is the program that a [ProgramSender] runs. Arguments is required.
type Program struct {
	// Arguments are the program, a path or a name that is looked for in PATH, and its
	// arguments. There is no shell.
	Arguments []string
	// Dir is the directory it runs in; empty: that of this process.
	Dir string
	// Env is added to the environment of this process, as "NAME=value".
	Env []string
}

// ProgramSender sends records to the standard input of a program that it runs: Logbook's
// MultiProcessingHandler where the other process is a child. See [Sender] for who reads
// which encoding.
//
// When the program ends it is started again, with growing pauses between the attempts. On
// Linux the records that it has not read until then are written to the next one; elsewhere,
// those that were not written.
type ProgramSender struct {
	*outbox.Outbox

	printed *lastLine
}

var (
	_ queue.Sender   = (*ProgramSender)(nil)
	_ queue.Statuser = (*ProgramSender)(nil)
)

// NewProgramSender starts the program. When the sender is closed, the standard input of the
// program is closed; if it does not end within five seconds, it is killed, where the system
// allows with all that it has started.
func NewProgramSender(p Program, o SenderOptions) (*ProgramSender, error) {
	if len(p.Arguments) == 0 {
		return nil, errors.New("no program to run")
	}
	o = o.withDefaults()
	printed := new(lastLine)
	return &ProgramSender{o.newOutbox(p.Arguments[0], func() (*outlet, error) { return p.start(o, printed) }), printed}, nil
}

// Printed returns the last line that the program has printed, on either channel. It may hold
// anything.
func (s *ProgramSender) Printed() string { return s.printed.String() }

// start starts the program.
func (p Program) start(o SenderOptions, printed io.Writer) (*outlet, error) {
	in, out, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", p.Arguments[0], err)
	}
	ctx, kill := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, p.Arguments[0], p.Arguments[1:]...) //nolint:gosec // the user's own choice
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Dir, in, printed, printed
	if len(p.Env) > 0 {
		cmd.Env = append(os.Environ(), p.Env...)
	}
	cmd.WaitDelay = endTime // for what it has left behind with its output open
	process.Group(cmd)
	err = cmd.Start()
	closeAll([]*os.File{in}) // the program has its own
	if err != nil {
		kill()
		closeAll([]*os.File{out})
		return nil, fmt.Errorf("%w: run %s: %w", errUnusable, p.Arguments[0], err)
	}
	r := &run{ended: make(chan struct{})}
	s := newOutlet(p.Arguments[0], out, o)
	s.why = r.explain
	if out.SetWriteDeadline(time.Time{}) != nil { // pipes of Windows have none
		s.abort = kill
	}
	go func() {
		defer close(r.ended)
		defer kill()
		r.err = ending(cmd.Wait())
		_ = out.SetWriteDeadline(time.Now()) // what it has left behind may hold the other end
		s.looked()
		s.lost <- r.err
	}()
	s.end = func() {
		patience := time.NewTimer(stopTimeout)
		defer patience.Stop()
		select {
		case <-r.ended:
		case <-patience.C:
			kill()
			<-r.ended
		}
	}
	return s, nil
}

// run is one run of the program.
type run struct {
	ended chan struct{}
	err   error // why; to be read when ended is closed
}

// ending says how a program ended.
func ending(err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("the program has ended: %s", exit.ProcessState)
	}
	return errors.New("the program has ended")
}

// explain says why a record could not be written: mostly the program has ended.
func (r *run) explain(err error) error {
	wait := time.NewTimer(endTime)
	defer wait.Stop()
	select {
	case <-r.ended:
		return r.err
	case <-wait.C:
		return fmt.Errorf("the program has closed its standard input: %w", err)
	}
}

// lastLine keeps the last line of what is written to it.
type lastLine struct {
	mu   sync.Mutex
	line []byte
	next bool // what comes is another line
}

// maxLast bounds the line that is kept, in bytes.
const maxLast = 1 << 10

// Write implements [io.Writer]. It takes everything.
func (l *lastLine) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for part := range bytes.Lines(p) {
		if text := bytes.TrimRight(part, "\r\n"); len(text) > 0 {
			if l.next {
				l.line = l.line[:0]
			}
			l.line = append(l.line, text[:min(len(text), maxLast-len(l.line))]...)
			l.next = false
		}
		l.next = l.next || part[len(part)-1] == '\n'
	}
	return len(p), nil
}

// String returns the line.
func (l *lastLine) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.line)
}
