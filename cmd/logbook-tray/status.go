package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

func newStatus(g *globals) *cobra.Command {
	var f outputFormat
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what is connected, what was counted, and which windows are open",
		Long: `Say what the running instance does: each subscriber with its peers and counters,
each handler of the stack with what it saw, took and failed at, the open windows and
what they show.`,
		Example: "  logbook-tray status\n  logbook-tray status --format json | jq .windows",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			s, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			return printStatus(cmd.OutOrStdout(), s)
		},
	}
	f.flag(cmd)
	return cmd
}

func printStatus(w io.Writer, s control.Status) error {
	p, err := pipelineStatus(s)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "logbook-tray %s, %s, process %d, running for %s\n", s.Version, s.Mode, s.PID, time.Since(s.Started).Round(time.Second))
	fmt.Fprintf(&b, "configuration: %s\n", s.Config)
	if s.Problem != "" {
		fmt.Fprintf(&b, "PROBLEM: %s\n", s.Problem)
	}
	switch {
	case s.MutedUntil != nil:
		fmt.Fprintf(&b, "MUTED until %s\n", s.MutedUntil.Local().Format(time.DateTime))
	case s.Muted:
		fmt.Fprintln(&b, "MUTED until it is ended; see: logbook-tray mute list")
	}
	fmt.Fprintf(&b, "records held: %d   alerts: %d, %d of them new\n", s.Records.Held, s.Alerts.Total, s.Alerts.Unseen)
	if n := s.Alerts.Undelivered; n > 0 {
		fmt.Fprintf(&b, "NOT DELIVERED: of %d new alerts somebody was not told; see: logbook-tray alerts list\n", n)
	}
	printRejects(&b, s.Rejected)
	printSubscribers(&b, p.Subscribers)
	printHandlers(&b, p.Handlers)
	printStatusMutes(&b, s.Mutes)
	printRoutes(&b, s)
	printWindows(&b, s.Windows)
	_, err = io.WriteString(w, b.String())
	return err
}

func printRejects(w io.Writer, r control.Rejects) {
	if r.Kept > 0 {
		fmt.Fprintf(w, "messages that were no records: %d kept; see: logbook-tray rejected\n", r.Kept)
	}
	if r.Error != "" {
		fmt.Fprintf(w, "NOT KEPT: %s\n", r.Error)
	}
}

// pipelineStatus returns the part of the status that came as plain JSON.
func pipelineStatus(s control.Status) (p pipeline.Status, err error) {
	raw, err := json.Marshal(s.Pipeline)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read the status of the running instance: %w", err)
	}
	return p, nil
}

// shownPeers returns copies of the peers of a source. What is wrong with the only one is
// what is wrong with the source, and is said once.
func shownPeers(s pipeline.SubscriberStatus) []pipeline.Peer {
	peers := slices.Clone(s.Peers)
	if len(peers) == 1 && peers[0].Error == s.Error {
		peers[0].Error = ""
	}
	return peers
}

// maxPeersPrinted is how many peers of a source are printed.
const maxPeersPrinted = 50

func printSubscribers(w io.Writer, list []pipeline.SubscriberStatus) {
	fmt.Fprintln(w, "\nsubscribers")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range list {
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", s.Name, s.State, s.Detail, counters(s.Counters))
		if s.Error != "" {
			fmt.Fprintf(tw, "  \t%s\n", s.Error)
		}
		for i, p := range shownPeers(s) {
			if i == maxPeersPrinted {
				fmt.Fprintf(tw, "    and %d more; see: logbook-tray status --format json\n", len(s.Peers)-i)
				break
			}
			fmt.Fprintf(tw, "    %s\t%s\t%s\t%s\n", p.Address, p.State, counters(map[string]uint64{"messages": p.Messages, "bytes": p.Bytes}), p.Error)
		}
	}
	_ = tw.Flush() // a strings.Builder does not fail
}

func printHandlers(w io.Writer, list []pipeline.HandlerStatus) {
	fmt.Fprintln(w, "\nstack, top first")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, h := range list {
		fmt.Fprintf(tw, "  %s%s\t%s\tseen=%d taken=%d filtered=%d failed=%d %s\n",
			strings.Repeat("  ", h.Depth), h.Name, h.State, h.Seen, h.Taken, h.Filtered, h.Failed, counters(h.Counters))
		if h.Detail != "" {
			fmt.Fprintf(tw, "  \t%s\t\n", h.Detail)
		}
		if h.Error != "" {
			fmt.Fprintf(tw, "  \t%s\t\n", h.Error)
		}
		if !h.NextTry.IsZero() {
			fmt.Fprintf(tw, "  \tnext try at %s\t\n", moment(h.NextTry))
		}
	}
	_ = tw.Flush() // a strings.Builder does not fail
}

func printStatusMutes(w io.Writer, list []control.Mute) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, "\nmuted, newest first")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range list {
		fmt.Fprintf(tw, "  %s\t%s\theld=%d errors=%d\n", display.Line(m.Label, 60), muteUntil(m), m.Held, m.Errors)
	}
	_ = tw.Flush() // a strings.Builder does not fail
}

func printRoutes(w io.Writer, s control.Status) {
	if len(s.Inhibitions) > 0 {
		fmt.Fprintln(w, "\ninhibited")
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, i := range s.Inhibitions {
		fmt.Fprintf(tw, "  %s\tby %q\tuntil %s\theld=%d\n", i.Handler, display.Line(i.Cause, 60), i.Until.Local().Format(time.DateTime), i.Held)
	}
	_ = tw.Flush() // a strings.Builder does not fail
	if len(s.Escalations) > 0 {
		fmt.Fprintln(w, "\nescalations")
	}
	for _, e := range s.Escalations {
		fmt.Fprintf(tw, "  %s\tafter %s\tescalated=%d failed=%d waiting=%d\n", e.Handler, e.After, e.Escalated, e.Failed, len(e.Waiting))
		for _, a := range e.Waiting {
			fmt.Fprintf(tw, "    alert %d\tat %s\t\n", a.Alert, a.Due.Local().Format(time.DateTime))
		}
	}
	_ = tw.Flush() // a strings.Builder does not fail
}

func printWindows(w io.Writer, list []control.Window) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, "\nwindows")
	for _, win := range list {
		state := "open"
		if !win.Visible {
			state = "hidden"
		}
		fmt.Fprintf(w, "  %s: %q, %s, %d rows\n", win.Kind, win.Title, state, win.Rows)
	}
}

// counters renders counters in the order of their names, without those that are
// zero.
func counters(m map[string]uint64) string {
	var parts []string
	for name, n := range m {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", name, n))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
