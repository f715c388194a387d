package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

func newTail(g *globals) *cobra.Command {
	var f outputFormat
	var level string
	var backlog, limit int
	var pull bool
	cmd := &cobra.Command{
		Use:   "tail [URI]",
		Short: "Print records live, from the running instance or straight from a queue",
		Long: `Print records live until interrupted: those that the running instance receives,
or with a URI those of a server that publishes there (ZeroMQHandler). With
--pull the URI is listened on for servers that push (multi=True).`,
		Example: "  logbook-tray tail\n  logbook-tray tail --level error --format json\n  logbook-tray tail tcp://127.0.0.1:5000",
		Args:    maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lowest, err := core.ParseLevel(level)
			if err != nil {
				return usageError{err}
			}
			p := newRecordPrinter(cmd.OutOrStdout(), f)
			printed := 0
			each := func(r *core.Record) error {
				if r.Level < lowest {
					return nil
				}
				if err := p.print(r); err != nil {
					return err
				}
				if printed++; printed == limit {
					return errEnough
				}
				return nil
			}
			if len(args) == 1 {
				err = tailQueue(cmd.Context(), args[0], pull, each)
			} else {
				err = tailInstance(cmd.Context(), g, backlog, each)
			}
			if errors.Is(err, errEnough) || errors.Is(err, context.Canceled) || errors.Is(err, os.ErrClosed) {
				return nil
			}
			return err
		},
	}
	f.flag(cmd)
	cmd.Flags().StringVarP(&level, "level", "l", "notset", "lowest level that is printed")
	cmd.Flags().IntVarP(&backlog, "backlog", "n", 10, "how many earlier records of the running instance to print first")
	cmd.Flags().IntVar(&limit, "count", 0, "end after this many records (0: never)")
	cmd.Flags().BoolVar(&pull, "pull", false, "listen on the URI for servers that push")
	return cmd
}

// errEnough ends a tail that has printed what it was asked for.
var errEnough = errors.New("enough records")

func tailInstance(ctx context.Context, g *globals, backlog int, each func(*core.Record) error) error {
	c, err := g.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Tail(ctx, backlog, each)
}

func tailQueue(ctx context.Context, uri string, pull bool, each func(*core.Record) error) error {
	pattern := zeromq.Sub
	if pull {
		pattern = zeromq.Pull
	}
	r, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}, Pattern: pattern})
	if err != nil {
		return err
	}
	s := queue.NewSubscriber(r, queue.Options{})
	defer s.Close()
	for {
		rec, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		if err := each(rec); err != nil {
			return err
		}
	}
}
