package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
)

func newNotifyTest(g *globals) *cobra.Command {
	var level string
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "notify-test NAME [MESSAGE]",
		Short: "Send a test record to one handler of the configuration",
		Long: `Send a test record to the handler with this name, such as "desktop" or "phone", and
to no other, and wait until it is delivered. Its level and filter do not matter. What
goes wrong is said; the names are those of 'logbook-tray check'.`,
		Example: "  logbook-tray notify-test desktop\n  logbook-tray notify-test phone \"does this reach me?\"",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("say which handler to test; see: logbook-tray check")
			}
			return maxArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			message := "This is a test of logbook-tray."
			if len(args) == 2 {
				message = args[1]
			}
			lowest, err := core.ParseLevel(level)
			if err != nil {
				return usageError{err}
			}
			return notifyTest(cmd, g, args[0], message, lowest, limit)
		},
	}
	cmd.Flags().StringVarP(&level, "level", "l", "error", "level of the record")
	cmd.Flags().DurationVar(&limit, "wait", 30*time.Second, "how long the delivery may take")
	return cmd
}

func notifyTest(cmd *cobra.Command, g *globals, name, message string, level core.Level, limit time.Duration) error {
	self := core.NewLogger("notify-test")
	self.Disable()
	o, err := g.options(cmd, "notify-test", self)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), limit)
	defer cancel()
	tree, ds, err := app.Deliver(ctx, o, name, app.TestRecord(level, message, 0))
	if tree != nil && len(ds) > 0 {
		if e := tree.Fprint(cmd.ErrOrStderr(), ds, isTerminal(cmd.ErrOrStderr())); e != nil {
			return e
		}
	}
	switch {
	case err != nil:
		return err
	case ds.HasErrors():
		return exitError{exitFailed}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "delivered to %s\n", name)
	return nil
}
