package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

func newMute(g *globals) *cobra.Command {
	var m control.Mute
	cmd := &cobra.Command{
		Use:   "mute [DURATION | tomorrow | forever]",
		Short: "Hold notifications back for a while (1h unless told otherwise)",
		Long: `Hold notifications back for a while: all of them, or with flags those of one error, a
channel or a source, or those that an expression is true for; a record must match all
flags that are given. Records still reach the log window and the list of alerts; when
the time is over, one notification sums up what was held back. Critical records pass a
mute of everything, unless --critical.`,
		Example: "  logbook-tray mute 30m\n  logbook-tray mute tomorrow --channel shop.mailer\n  logbook-tray mute forever --alert 3\n  logbook-tray mute 2h --filter 'message contains \"timeout\"'\n  logbook-tray mute list",
		Args:    maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			when := "1h"
			if len(args) == 1 {
				when = args[0]
			}
			var err error
			if m.Until, err = muteEnd(when, time.Now()); err != nil {
				return err
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return c.Mute(cmd.Context(), m)
		},
	}
	cmd.Flags().Uint64Var(&m.Alert, "alert", 0, "only the error of the alert with this `ID`")
	cmd.Flags().StringVarP(&m.Channel, "channel", "c", "", "only this channel and those below it")
	cmd.Flags().StringVar(&m.Source, "source", "", "only records that came in by the subscriber of this `NAME`")
	cmd.Flags().StringVar(&m.Filter, "filter", "", "only records that this `EXPRESSION` is true for, as the filters of the configuration")
	cmd.Flags().BoolVar(&m.Critical, "critical", false, "hold critical records back too")
	cmd.AddCommand(newMuteList(g))
	return cmd
}

// muteEnd returns when a mute ends: a duration from now, the next morning, or never,
// which is the zero time.
func muteEnd(when string, now time.Time) (time.Time, error) {
	switch when {
	case "forever":
		return time.Time{}, nil
	case "tomorrow":
		return mute.Tomorrow(now), nil
	}
	d, err := config.ParseDuration(when)
	if err != nil || d <= 0 {
		return time.Time{}, usagef("%q is not a duration such as 30m, 1h or 2d, nor tomorrow or forever", when)
	}
	return now.Add(d), nil
}

func newMuteList(g *globals) *cobra.Command {
	var f outputFormat
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List what is muted, and how much each has held back",
		Example: "  logbook-tray mute list --format json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			list, err := c.Mutes(cmd.Context())
			if err != nil {
				return err
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			return printMutes(cmd.OutOrStdout(), list)
		},
	}
	f.flag(cmd)
	return cmd
}

func printMutes(w io.Writer, list []control.Mute) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "Nothing is muted.")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ID\tMUTED\tUNTIL\tHELD BACK\tERRORS\tBY")
	for _, m := range list {
		by := m.Owner
		if by == "" {
			by = "you"
		}
		fmt.Fprintf(tw, "%d\t%s\t%s\t%d\t%d\t%s\n", m.ID, display.Line(m.Label, 60), muteUntil(m), m.Held, m.Errors, by)
	}
	return tw.Flush()
}

// muteUntil says when a mute ends.
func muteUntil(m control.Mute) string {
	if m.Until.IsZero() {
		return "forever"
	}
	return m.Until.Local().Format(time.DateTime)
}

func newUnmute(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "unmute [ID]",
		Short:   "End a mute, or all of them",
		Example: "  logbook-tray unmute\n  logbook-tray unmute 2",
		Args:    maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var id uint64
			if len(args) == 1 {
				var err error
				if id, err = strconv.ParseUint(args[0], 10, 64); err != nil || id == 0 {
					return usagef("%q is not the number of a mute; see: logbook-tray mute list", args[0])
				}
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return c.Unmute(cmd.Context(), id)
		},
	}
}
