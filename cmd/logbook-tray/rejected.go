package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func newRejected(g *globals) *cobra.Command {
	var f outputFormat
	var q rejected.Query
	cmd := &cobra.Command{
		Use:   "rejected",
		Short: "List the messages that came in and are no records, and read them again",
		Long: `List the messages that came in and are no records, newest first: when, from which
source, why, how large they are and how they begin. The newest are kept, also across a
restart, and whether logbook-tray runs or not; all are counted in its status.

When a source was told how to read them, with its options dialect and map, "retry"
makes records of them.`,
		Example: `  logbook-tray rejected
  logbook-tray rejected --source socket --reason malformed --limit 20
  logbook-tray rejected --format json | jq -r '.[].detail' | sort | uniq -c
  logbook-tray rejected show 17
  logbook-tray rejected retry --all`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Limit < 0 {
				return usagef("--limit must not be negative")
			}
			list, err := g.rejected(cmd.Context(), q)
			if err != nil {
				return err
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			return printRejected(cmd.OutOrStdout(), list, q)
		},
	}
	f.flag(cmd)
	selectRejected(cmd, &q)
	cmd.Flags().IntVarP(&q.Limit, "limit", "n", 0, "the newest `N` alone (0: all)")
	cmd.AddCommand(newRejectedShow(g), newRejectedRetry(g), newRejectedClear(g))
	return cmd
}

// selectRejected adds the flags that select messages.
func selectRejected(cmd *cobra.Command, q *rejected.Query) {
	cmd.Flags().StringVar(&q.Source, "source", "", "those alone that came in by the subscriber of this `NAME`")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "those alone that were rejected for this `REASON`")
	reasons := []string{
		wire.ReasonEmpty, wire.ReasonTooLarge, wire.ReasonTooDeep, wire.ReasonTooMany, wire.ReasonMalformed, wire.ReasonNotObject,
		wire.ReasonUnknown, wire.ReasonForbidden,
	}
	_ = cmd.RegisterFlagCompletionFunc("reason", cobra.FixedCompletions(reasons, cobra.ShellCompDirectiveNoFileComp))
}

// rejectedDir returns where the rejected messages of this user are.
func rejectedDir() (string, error) {
	state, err := app.DefaultState()
	return app.RejectedDir(state), err
}

// rejected lists the rejected messages: those of the running instance, or what is on disk.
func (g *globals) rejected(ctx context.Context, q rejected.Query) ([]control.Rejected, error) {
	c, err := g.client()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	list, err := c.Rejected(ctx, q)
	if !errors.Is(err, control.ErrNotRunning) {
		return list, err
	}
	dir, err := rejectedDir()
	if err != nil {
		return nil, err
	}
	entries, err := rejected.List(dir, q)
	return control.NewRejectedList(entries), err
}

const noneRejected = "No rejected messages are kept."

// maxBegin is how much of a message a line shows, in characters.
const maxBegin = 60

func printRejected(w io.Writer, list []control.Rejected, q rejected.Query) error {
	if len(list) == 0 {
		text := noneRejected
		if q != (rejected.Query{Limit: q.Limit}) {
			text = "No such message is kept."
		}
		_, err := fmt.Fprintln(w, text)
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ID\tTIME\tSOURCE\tREASON\tSIZE\tBEGINS")
	for _, e := range list {
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\t%s\n", e.ID, e.Time.Local().Format(time.DateTime), display.Line(e.Source, 30),
			display.Line(e.Reason, 30), sizeOf(e), display.Line(e.Text, maxBegin))
	}
	return tw.Flush()
}

// sizeOf says how large a message is.
func sizeOf(e control.Rejected) string {
	if e.Cut {
		return fmt.Sprintf("%d+", e.Size)
	}
	return strconv.Itoa(e.Size)
}

func newRejectedShow(g *globals) *cobra.Command {
	var f outputFormat
	var raw bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Print what is known about a rejected message, and the message",
		Long: `Print what is known about a rejected message, and the message itself: text with
what could act on a terminal as escapes such as \x1b, anything else as hexadecimal
numbers. --raw writes its bytes as they came in, and nothing else.`,
		Example: "  logbook-tray rejected show 17\n  logbook-tray rejected show 17 --raw > message.bin",
		Args:    oneRejected, ValidArgsFunction: completeRejected,
		RunE: func(cmd *cobra.Command, args []string) error {
			if raw && f.json() {
				return usagef("--raw and --format json do not go together")
			}
			id, _ := strconv.ParseUint(args[0], 10, 64) // checked by oneRejected
			e, err := g.rejectedMessage(cmd.Context(), id)
			switch {
			case err != nil:
				return err
			case raw:
				_, err = cmd.OutOrStdout().Write(e.Body)
				return err
			case f.json():
				return writeJSON(cmd.OutOrStdout(), e)
			}
			return printRejectedMessage(cmd.OutOrStdout(), e)
		},
	}
	f.flag(cmd)
	cmd.Flags().BoolVar(&raw, "raw", false, "write the bytes of the message as they came in")
	return cmd
}

func (g *globals) rejectedMessage(ctx context.Context, id uint64) (control.Rejected, error) {
	c, err := g.client()
	if err != nil {
		return control.Rejected{}, err
	}
	defer c.Close()
	e, err := c.RejectedMessage(ctx, id)
	if !errors.Is(err, control.ErrNotRunning) {
		return e, err
	}
	dir, err := rejectedDir()
	if err != nil {
		return control.Rejected{}, err
	}
	entry, err := rejected.Read(dir, id)
	if errors.Is(err, rejected.ErrNotFound) {
		err = control.NoRejected(id)
	}
	return control.NewRejected(entry), err
}

func printRejectedMessage(w io.Writer, e control.Rejected) error {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-8s %s\n", name+":", display.Line(value, 0))
		}
	}
	line("time", e.Time.Local().Format("2006-01-02 15:04:05.000 MST"))
	line("source", e.Source+" ("+e.Type+")")
	line("peer", e.Peer)
	line("reason", e.Reason)
	line("detail", e.Detail)
	line("format", strings.Trim(e.Format, "; "))
	size := fmt.Sprintf("%d bytes", e.Size)
	switch {
	case e.Cut:
		size = fmt.Sprintf("more than %d bytes", e.Size)
		fallthrough
	case e.Kept < e.Size:
		size += fmt.Sprintf(", of which the first %d are kept", e.Kept)
	}
	line("size", size)
	b.WriteString("\n")
	b.WriteString(e.Text)
	if !strings.HasSuffix(e.Text, "\n") && e.Text != "" {
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func newRejectedRetry(g *globals) *cobra.Command {
	var f outputFormat
	var all bool
	var q rejected.Query
	cmd := &cobra.Command{
		Use:   "retry ID... | --all",
		Short: "Read rejected messages again, with the configuration as it is now",
		Long: `Read rejected messages again, by the rules of their source as they are now: after its
options dialect or map were changed, for example. What is a record now goes the way of
all records, with "retried" among its extra data, and is not kept as rejected any
longer. The exit code is 1 if one of them is still none.`,
		Example: "  logbook-tray rejected retry 17\n  logbook-tray rejected retry --all --source socket",
		Args: func(_ *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usagef("give the numbers of messages, as 'logbook-tray rejected' shows them, or --all")
			}
			return rejectedIDs(args)
		},
		ValidArgsFunction: completeRejected,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !all && q != (rejected.Query{}) {
				return usagef("--source and --reason go with --all")
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			done, err := retryRejected(cmd.Context(), c, args, q)
			if err != nil {
				return err
			}
			if f.json() {
				err = writeJSON(cmd.OutOrStdout(), done)
			} else {
				err = printRetried(cmd, done)
			}
			if err == nil && len(done.Failed) > 0 {
				err = exitError{exitFailed}
			}
			return err
		},
	}
	f.flag(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "every message that is kept")
	selectRejected(cmd, &q)
	return cmd
}

// retryRejected reads messages again, or without ids all that q selects.
func retryRejected(ctx context.Context, c *control.Client, ids []string, q rejected.Query) (control.Retried, error) {
	if len(ids) == 0 {
		return c.RetryRejected(ctx, 0, q)
	}
	var all control.Retried
	for _, arg := range ids {
		id, _ := strconv.ParseUint(arg, 10, 64) // checked
		one, err := c.RetryRejected(ctx, id, q)
		if err != nil {
			return all, err
		}
		all.Records, all.Failed = append(all.Records, one.Records...), append(all.Failed, one.Failed...)
	}
	return all, nil
}

func printRetried(cmd *cobra.Command, done control.Retried) error {
	var b, failed strings.Builder
	for _, r := range done.Records {
		fmt.Fprintf(&b, "%d is a record now: %s: %s: %s\n", r.ID, r.Level, display.Line(r.Channel, 40), display.Line(r.Message, 100))
	}
	for _, e := range done.Failed {
		fmt.Fprintf(&failed, "%d: %s\n", e.ID, display.Line(e.Error, 300))
	}
	if len(done.Records)+len(done.Failed) == 0 {
		b.WriteString(noneRejected + "\n")
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	_, failedErr := io.WriteString(cmd.ErrOrStderr(), failed.String())
	return errors.Join(err, failedErr)
}

func newRejectedClear(g *globals) *cobra.Command {
	var q rejected.Query
	cmd := &cobra.Command{
		Use:               "clear [ID...]",
		Short:             "Remove rejected messages: all of them, or some",
		Example:           "  logbook-tray rejected clear\n  logbook-tray rejected clear 17 18\n  logbook-tray rejected clear --source socket",
		Args:              func(_ *cobra.Command, args []string) error { return rejectedIDs(args) },
		ValidArgsFunction: completeRejected,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && q != (rejected.Query{}) {
				return usagef("--source and --reason do not go with the numbers of messages")
			}
			n, err := g.clearRejected(cmd.Context(), args, q)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "removed: %d\n", n)
			return err
		},
	}
	selectRejected(cmd, &q)
	return cmd
}

// clearRejected removes messages, or without ids all that q selects. Where no instance runs
// they are removed from the disk.
func (g *globals) clearRejected(ctx context.Context, ids []string, q rejected.Query) (int, error) {
	c, err := g.client()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	dir, err := rejectedDir()
	if err != nil {
		return 0, err
	}
	clearOne := func(id uint64) (int, error) {
		n, err := c.ClearRejected(ctx, id, q)
		if errors.Is(err, control.ErrNotRunning) {
			return rejected.Clear(dir, id, q)
		}
		return n, err
	}
	if len(ids) == 0 {
		return clearOne(0)
	}
	total := 0
	var errs []error
	for _, arg := range ids {
		id, _ := strconv.ParseUint(arg, 10, 64) // checked
		n, err := clearOne(id)
		if errors.Is(err, rejected.ErrNotFound) {
			err = control.NoRejected(id)
		}
		if err == nil {
			total += n
		}
		errs = append(errs, err)
	}
	return total, errors.Join(errs...)
}

func oneRejected(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("give the number of one message, as 'logbook-tray rejected' shows it")
	}
	return rejectedIDs(args)
}

func rejectedIDs(args []string) error {
	for _, arg := range args {
		if id, err := strconv.ParseUint(arg, 10, 64); err != nil || id == 0 {
			return usagef("%q is not the number of a message", arg)
		}
	}
	return nil
}

// completeRejected offers the numbers of what is on disk.
func completeRejected(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if dir, err := rejectedDir(); err == nil {
		list, _ := rejected.List(dir, rejected.Query{Limit: 50}) // what cannot be read is not offered
		for _, e := range list {
			out = append(out, fmt.Sprintf("%d\t%s: %s", e.ID, display.Line(e.Source, 30), display.Line(e.Reason, 30)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
