package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func newExplain(g *globals) *cobra.Command {
	var f outputFormat
	cmd := &cobra.Command{
		Use:   "explain [FILE]",
		Short: "Say for each record which handlers would take it, and why",
		Long: `Read records as lines of JSON from the standard input and say for each what every
handler of the configuration would do with it, top first: below its level, refused by
its filter, taken and stopped, taken and passed on. Nothing is delivered.`,
		Example: "  logbook-tray tail --format json | logbook-tray explain\n  logbook-tray alerts show 3 --format json | jq -c '.context[]' | logbook-tray explain new.yaml",
		Args:    maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				g.config = args[0]
			}
			self := core.NewLogger("explain")
			self.Disable()
			o, err := g.options(cmd, "explain", self)
			if err != nil {
				return err
			}
			tree, ds, err := app.Explain(o, func(explain func(*core.Record) []pipeline.Step) error {
				return explainAll(cmd.InOrStdin(), cmd.OutOrStdout(), f, explain)
			})
			if err == nil && ds.HasErrors() {
				err = exitError{exitFailed}
			}
			if tree != nil && len(ds) > 0 {
				if e := tree.Fprint(cmd.ErrOrStderr(), ds, isTerminal(cmd.ErrOrStderr())); e != nil {
					return e
				}
			}
			return err
		},
	}
	f.flag(cmd)
	return cmd
}

// explained is the output of explain as JSON, one line for each record.
type explained struct {
	Channel string          `json:"channel"`
	Level   string          `json:"level"`
	Message string          `json:"message"`
	Steps   []pipeline.Step `json:"steps"`
}

func explainAll(in io.Reader, out io.Writer, f outputFormat, explain func(*core.Record) []pipeline.Step) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxInputLine*16)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		r, err := wire.Decode(bytes.Clone(lines.Bytes()))
		if err != nil {
			return fmt.Errorf("line %d of the input: %w", n, err)
		}
		steps := explain(r)
		if f.json() {
			err = writeJSONLine(out, explained{r.Channel, r.Level.String(), r.Message(), steps})
		} else {
			err = printSteps(out, r, steps)
		}
		if err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the input: %w", err)
	}
	return nil
}

func printSteps(w io.Writer, r *core.Record, steps []pipeline.Step) error {
	fmt.Fprintf(w, "%s %s: %s\n", r.Level, display.Line(r.Channel, 60), display.Line(r.Message(), 100))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range steps {
		fmt.Fprintf(tw, "  %s\t%s\t%s\n", s.Handler, s.Verdict, s.Reason)
	}
	return tw.Flush()
}
