package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/demo"
	"github.com/logbook-tray/logbook-tray/core"
)

func newDemo() *cobra.Command {
	var o demo.Options
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "demo [URI]",
		Short: "Publish a believable development server's day, errors and a storm included",
		Long: `Publish a believable development server's day over ZeroMQ: debug chatter of a
web shop, a declined payment with its traceback, a storm of equal errors, a
worker that runs out of memory. Start logbook-tray first, or within --wait.`,
		Example: "  logbook-tray demo\n  logbook-tray demo --loop --speed 2\n  logbook-tray demo --storm 10000 --speed 50",
		Args:    maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			uri := defaultPushURI
			if len(args) == 1 {
				uri = args[0]
			}
			ctx := cmd.Context()
			p, err := newPublisher(uri, false, wait)
			if err != nil {
				return err
			}
			n, err := demo.Play(ctx, o, func(ctx context.Context, r *core.Record) error { return p.publish(ctx, r) })
			if err := p.close(err); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d records published to %s\n", n, uri)
			return nil
		},
	}
	cmd.Flags().BoolVar(&o.Loop, "loop", false, "start again when the day is over, until interrupted")
	cmd.Flags().Float64Var(&o.Speed, "speed", 1, "how much faster than life")
	cmd.Flags().IntVar(&o.Storm, "storm", 500, "how many equal errors the storm has; -1 for no storm")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 0, "make two days equal (0: every day is different)")
	cmd.Flags().DurationVar(&wait, "wait", 10*time.Second, "how long to wait for somebody who listens")
	return cmd
}
