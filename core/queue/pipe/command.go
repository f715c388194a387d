package pipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// stopTimeout is how long a program may take to end when it is asked to.
const stopTimeout = 5 * time.Second

// Command is a program that runs, and whose output is received.
type Command struct {
	*Receiver
	cmd *exec.Cmd
}

// NewCommand starts the program args[0] with the arguments behind it, and receives what it
// and its children write to standard output and error. It is asked to end when ctx is done
// or the receiver closed, and killed when it does not within five seconds. Its standard
// input is that of this program.
func NewCommand(ctx context.Context, args []string, o Options) (*Command, error) {
	if len(args) == 0 {
		return nil, errors.New("no program to run")
	}
	return command(ctx, args, o, Options.stream)
}

func command(ctx context.Context, args []string, o Options, read func(Options, *Receiver, io.Reader) error) (*Command, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	outputs, inputs, err := pipes()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", args[0], err)
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, inputs[0], inputs[1]
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopTimeout
	err = cmd.Start()
	closeAll(inputs[:]) // the program has its own
	if err != nil {
		cancel()
		closeAll(outputs[:])
		return nil, fmt.Errorf("run %s: %w", args[0], err)
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		defer cancel()
		_ = cmd.Wait() // the state says how it ended
	}()
	stop := func() {
		cancel()
		<-finished
		closeAll(outputs[:]) // its children may hold the other end
	}
	r := o.start(args[0], cancel, stop, func(p *Receiver, r io.Reader) error {
		err := read(o, p, r)
		_, _ = io.Copy(io.Discard, r) // a program that nobody reads stands still
		<-finished
		return err
	}, tee(outputs[0], o.Stdout), tee(outputs[1], o.Stderr))
	return &Command{r, cmd}, nil
}

// tee returns a reader that also writes what it reads to w, if there is one.
func tee(r io.Reader, w io.Writer) io.Reader {
	if w == nil {
		return r
	}
	return io.TeeReader(r, w)
}

// pipes makes the pipes for standard output and error.
func pipes() (outputs, inputs [2]*os.File, err error) {
	for i := range outputs {
		if outputs[i], inputs[i], err = os.Pipe(); err != nil {
			closeAll(outputs[:i])
			closeAll(inputs[:i])
			return outputs, inputs, err
		}
	}
	return outputs, inputs, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // nothing is written through them
	}
}

// Wait waits until the program has ended and its output is read, and returns its exit
// code: 128 plus the number of the signal if one has ended it, as shells have it.
func (c *Command) Wait() int {
	<-c.ended
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return c.cmd.ProcessState.ExitCode()
}

// NewJournal receives the journal of systemd from now on, as journalctl prints it. units
// limits it to those; none means all.
func NewJournal(ctx context.Context, units []string, o Options) (*Command, error) {
	args := []string{"journalctl", "--output=json", "--follow", "--lines=0", "--all"}
	for _, u := range units {
		args = append(args, "--unit="+u)
	}
	return command(ctx, args, o, Options.journal)
}

// journalFormat is the [queue.Message].Format of an entry of the journal.
const journalFormat = "journal"

// journal reads what journalctl prints.
func (o Options) journal(p *Receiver, r io.Reader) error {
	cut := newCutter(o.MaxLine)
	lines := frame.NewReader(r, cut.split, o.MaxLine)
	for {
		m, err := lines.Next()
		if err != nil {
			return err
		}
		if cut.cut {
			if !p.put(cut.tooLong(m)) {
				return nil
			}
			continue
		}
		if m[0] != '{' { // complaints of journalctl
			p.note(fmt.Errorf("journalctl: %s", bytes.TrimSpace(m)))
			continue
		}
		rec, err := o.journalRecord(m)
		if !p.put(queue.Message{Body: m, Record: rec, Err: err, Format: journalFormat}) {
			return nil
		}
	}
}
