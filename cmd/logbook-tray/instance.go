package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/display"
)

// client returns a client of the running instance.
func (g *globals) client() (*control.Client, error) {
	path, err := g.socketPath()
	if err != nil {
		return nil, err
	}
	return control.NewClient(path), nil
}

func (g *globals) socketPath() (string, error) {
	if g.socket != "" {
		return g.socket, nil
	}
	return control.DefaultSocket()
}

func newReload(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "reload",
		Short:   "Make the running instance read its configuration again",
		Long:    "Make the running instance read its configuration again. If there are mistakes in\nit they are printed, and the old rules stay.",
		Example: "  logbook-tray reload",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return c.Reload(cmd.Context())
		},
	}
}

func newAlerts(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "alerts",
		Short:   "List the recent alerts, and open or dismiss one",
		Example: "  logbook-tray alerts list\n  logbook-tray alerts show 3",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("say what to do: list, show, open or dismiss")
		},
	}
	cmd.AddCommand(newAlertsList(g), newAlertsShow(g),
		alertAction(g, "open", "Open the context window of an alert", func(cmd *cobra.Command, c *control.Client, id uint64) error {
			return c.OpenAlert(cmd.Context(), id)
		}),
		newAlertsDismiss(g))
	return cmd
}

func newAlertsDismiss(g *globals) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "dismiss ID... | --all",
		Short:   "Mark alerts as seen",
		Example: "  logbook-tray alerts dismiss 3 4\n  logbook-tray alerts dismiss --all",
		Args: func(_ *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usagef("give the numbers of alerts, as 'logbook-tray alerts list' shows them, or --all")
			}
			for _, id := range args {
				if err := oneID(nil, []string{id}); err != nil {
					return err
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			if all {
				return c.DismissAlert(cmd.Context(), 0)
			}
			var errs []error
			for _, arg := range args {
				id, _ := strconv.ParseUint(arg, 10, 64) // checked above
				errs = append(errs, c.DismissAlert(cmd.Context(), id))
			}
			return errors.Join(errs...)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every alert that is new")
	return cmd
}

func newAlertsList(g *globals) *cobra.Command {
	var f outputFormat
	var full bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the recent alerts, newest first",
		Example: "  logbook-tray alerts list --format json --context",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			list, err := c.Alerts(cmd.Context())
			if err != nil {
				return err
			}
			for i := range list {
				if !full {
					break
				}
				if list[i], err = c.Alert(cmd.Context(), list[i].ID); err != nil {
					return err
				}
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			return writeAlerts(cmd.OutOrStdout(), list)
		},
	}
	f.flag(cmd)
	cmd.Flags().BoolVar(&full, "context", false, "with the records that led up to each (json only)")
	return cmd
}

func writeAlerts(w io.Writer, list []control.Alert) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "No alerts yet.")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ID\tSTATE\tLEVEL\tCHANNEL\tCOUNT\tLAST\tMESSAGE")
	for _, a := range list {
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%d\t%s\t%s\n", a.ID, stateOf(a), a.Level, display.Line(a.Channel, 40), a.Count,
			a.Last.Local().Format(time.DateTime), display.Line(a.Message, 100))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, a := range list {
		if err := writeFailures(w, a); err != nil {
			return err
		}
	}
	return nil
}

// stateOf returns the state of an alert; failed if it is new and somebody could not be told.
func stateOf(a control.Alert) string {
	if len(a.Failures) > 0 && a.State == alert.New.String() {
		return "failed"
	}
	return a.State
}

// writeFailures says who could not tell the user about an alert.
func writeFailures(w io.Writer, a control.Alert) error {
	for _, f := range a.Failures {
		if _, err := fmt.Fprintf(w, "alert %d was not delivered by %s at %s: %s\n", a.ID, display.Line(f.By, 60),
			f.At.Local().Format(time.DateTime), display.Line(f.Reason, 300)); err != nil {
			return err
		}
	}
	return nil
}

func newAlertsShow(g *globals) *cobra.Command {
	var f outputFormat
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Print the records that led up to an alert",
		Example: "  logbook-tray alerts show 3",
		Args:    oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			id, _ := strconv.ParseUint(args[0], 10, 64) // checked by oneID
			a, err := c.Alert(cmd.Context(), id)
			if err != nil {
				return err
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), a)
			}
			if err := writeFailures(cmd.ErrOrStderr(), a); err != nil {
				return err
			}
			p := newRecordPrinter(cmd.OutOrStdout(), f)
			for _, r := range a.Context {
				if err := p.print(r.Record); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.flag(cmd)
	return cmd
}

func alertAction(g *globals, name, short string, do func(*cobra.Command, *control.Client, uint64) error) *cobra.Command {
	return &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: "  logbook-tray alerts " + name + " 3",
		Args:    oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			defer c.Close()
			id, _ := strconv.ParseUint(args[0], 10, 64) // checked by oneID
			return do(cmd, c, id)
		},
	}
}

func oneID(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("give the number of one alert, as 'logbook-tray alerts list' shows it")
	}
	if id, err := strconv.ParseUint(args[0], 10, 64); err != nil || id == 0 {
		return usagef("%q is not the number of an alert", args[0])
	}
	return nil
}

// writeJSONLine writes v as one line.
func writeJSONLine(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
