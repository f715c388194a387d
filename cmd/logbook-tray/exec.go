package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
)

// execFlags are the flags of the command exec.
type execFlags struct {
	uri     string
	channel string
	level   core.Level
	quiet   bool
	wait    time.Duration
}

func newExec() *cobra.Command {
	o := execFlags{}
	var level string
	cmd := &cobra.Command{
		Use:   "exec [flags] -- PROGRAM [ARGS...]",
		Short: "Run a program and turn its output into records",
		Long: `Run a program and publish what it writes to its standard output and error as
records: lines of JSON in any of the known forms, tracebacks joined, everything else
as plain lines whose level is guessed. The output still appears here, unless --quiet.

The program runs whether or not logbook-tray does: records that nobody takes within
--wait of the first one are dropped, and counted at the end. The exit code is that of
the program.`,
		Example: "  logbook-tray exec -- ./server --port 8000\n  logbook-tray exec --channel build -- make -j4",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("say which program to run, behind --")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.level, err = core.ParseLevel(level); err != nil {
				return usageError{err}
			}
			return o.run(cmd, args)
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVar(&o.uri, "to", defaultPushURI, "`URI` to publish to; unix:// is the Unix socket")
	cmd.Flags().StringVarP(&o.channel, "channel", "c", "", "channel of lines that name none (default: the name of the program)")
	cmd.Flags().StringVarP(&level, "level", "l", "info", "level of plain lines that name none")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "do not show the output here")
	cmd.Flags().DurationVar(&o.wait, "wait", 3*time.Second, "how long to wait for somebody who listens")
	return cmd
}

func (o *execFlags) run(cmd *cobra.Command, args []string) error {
	if o.channel == "" {
		o.channel = strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	}
	p, err := newPublisher(o.uri, false, o.wait)
	if err != nil {
		return err
	}
	settings := pipe.Options{Channel: o.channel, Level: o.level}
	if !o.quiet {
		settings.Stdout, settings.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
	}
	// The program gets the signals of the terminal itself; its end is waited for.
	program, err := pipe.NewCommand(cmd.Context(), args, settings)
	if err != nil {
		return errors.Join(err, p.close(nil))
	}
	s := queue.NewSubscriber(program, queue.Options{Name: o.channel})
	dropped := forward(context.WithoutCancel(cmd.Context()), s, p)
	code := program.Wait()
	if err := errors.Join(s.Close(), p.close(nil)); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "logbook-tray: %v\n", err)
	}
	if dropped > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "logbook-tray: %d records were dropped: nobody listens on %s\n", dropped, o.uri)
	}
	if code != 0 {
		return exitError{code}
	}
	return nil
}

// forward publishes the records of s until it ends, and returns how many nobody took.
// After the first that nobody took it goes on to read, so that the program does not
// stand still.
func forward(ctx context.Context, s *queue.Subscriber, p *publisher) (dropped int) {
	for {
		r, err := s.Recv(ctx)
		if err != nil {
			return dropped
		}
		if dropped > 0 || p.publish(ctx, r) != nil {
			dropped++
		}
	}
}
