package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitError ends the program with a code of its own and no message, as with
// the code of a program that was run.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// run carries out one command line and returns its exit code. exit ends the process
// at once, for what cannot return any more.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, exit func(int)) int {
	root := newRoot(exit)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	var coded exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "logbook-tray: %v\nSee: %s --help\n", err, cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "logbook-tray: %v\n", err)
	return exitFailed
}

// newRoot returns the tree of commands. It is made anew for each run, so that
// tests can run one after the other.
func newRoot(exit func(int)) *cobra.Command {
	g := new(globals)
	o := &trayOptions{exit: exit}
	root := &cobra.Command{
		Use:   "logbook-tray",
		Short: "Tells you when one of your servers logs an error, and what led up to it",
		Long: `logbook-tray sits in the tray, receives the log records of your servers and
shows one notification for an error, however often it repeats. A click on it
opens the records that led up to the error.

Without a command it starts the tray app, or raises the window of the one that
runs already. Point a Python server at it with

  from logbook.queues import ZeroMQHandler, ThreadedWrapperHandler
  ThreadedWrapperHandler(ZeroMQHandler('tcp://127.0.0.1:5556', multi=True),
                         maxsize=1000).push_application()`,
		Example: `  logbook-tray                     start in the tray
  logbook-tray --show              start with the log window open
  logbook-tray --config dev.yaml   with another configuration`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return runTray(cmd, g, o) },
	}
	root.PersistentFlags().StringVar(&g.config, "config", "", "configuration `FILE` (default: config.yaml in the user's configuration directory)")
	root.PersistentFlags().StringVar(&g.socket, "control", "", "control `SOCKET` of the running instance (default: in $XDG_RUNTIME_DIR/logbook-tray)")
	root.Flags().BoolVar(&o.show, "show", false, "open the log window at once")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(
		newHeadless(g), newTail(g), newSend(), newCheck(g), newStatus(g), newAlerts(g),
		newExplain(g), newExec(), newKeygen(), newNotifyTest(g), newMan(), newReload(g), newMute(g), newUnmute(g), newRejected(g), newDemo(), newLoad(g), newSecret(), newVersion(),
	)
	return root
}

// globals are the flags of every command.
type globals struct {
	config string
	socket string
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command or argument %q", args[0])
	}
	return nil
}

func maxArgs(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef("too many arguments: %q", args[n])
		}
		return nil
	}
}
