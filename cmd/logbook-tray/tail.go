package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

func newTail(g *globals) *cobra.Command {
	var f outputFormat
	var level, filter string
	var backlog, limit int
	var pull bool
	cmd := &cobra.Command{
		Use:   "tail [URI]",
		Short: "Print records live, from the running instance or straight from a queue",
		Long: `Print records live until interrupted: those that the running instance receives,
or with a URI those of a server that publishes there (ZeroMQHandler). With
--pull the URI is listened on for servers that push (multi=True). --filter is an
expression as in the configuration.`,
		Example: "  logbook-tray tail\n  logbook-tray tail --level error --format json\n" +
			"  logbook-tray tail --filter 'channel startsWith \"shop.\"'\n  logbook-tray tail tcp://127.0.0.1:5000",
		Args: maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lowest, err := core.ParseLevel(level)
			if err != nil {
				return usageError{err}
			}
			o := control.TailOptions{Backlog: backlog, Level: lowest, Filter: filter}
			if _, err := o.Selection(); err != nil {
				return usageError{err}
			}
			p := newRecordPrinter(cmd.OutOrStdout(), f)
			printed := 0
			each := func(r *core.Record) error {
				if err := p.print(r); err != nil {
					return err
				}
				if printed++; printed == limit {
					return errEnough
				}
				return nil
			}
			if len(args) == 1 {
				err = tailQueue(cmd.Context(), args[0], pull, o, each)
			} else {
				err = tailInstance(cmd.Context(), g, o, each)
			}
			if errors.Is(err, errEnough) || errors.Is(err, context.Canceled) || errors.Is(err, os.ErrClosed) {
				return nil
			}
			return err
		},
	}
	f.flag(cmd)
	cmd.Flags().StringVarP(&level, "level", "l", "notset", "lowest level that is printed")
	cmd.Flags().StringVarP(&filter, "filter", "f", "", "expression that a record has to match to be printed")
	cmd.Flags().IntVarP(&backlog, "backlog", "n", 10, "how many earlier records of the running instance to print first")
	cmd.Flags().IntVar(&limit, "count", 0, "end after this many records (0: never)")
	cmd.Flags().BoolVar(&pull, "pull", false, "listen on the URI for servers that push")
	return cmd
}

// errEnough ends a tail that has printed what it was asked for.
var errEnough = errors.New("enough records")

func tailInstance(ctx context.Context, g *globals, o control.TailOptions, each func(*core.Record) error) error {
	c, err := g.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Tail(ctx, o, nil, each)
}

func tailQueue(ctx context.Context, uri string, pull bool, o control.TailOptions, each func(*core.Record) error) error {
	wanted, err := o.Selection()
	if err != nil {
		return usageError{err}
	}
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
		if !wanted(rec) {
			continue
		}
		if err := each(rec); err != nil {
			return err
		}
	}
}
