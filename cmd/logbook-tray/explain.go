package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// explainOptions are the flags of the command explain.
type explainOptions struct {
	outputFormat

	source  string
	offline bool
}

// explainFunc says what each handler would do with a record that came now.
type explainFunc func(*core.Record) ([]pipeline.Step, error)

func newExplain(g *globals) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain [FILE]",
		Short: "Say for each record which handlers would take, limit or mute it, and why",
		Long: `Read records as lines of JSON from the standard input and say for each what every
handler of the configuration would do with it if it came now, top first: below its
level, refused by its filter, taken and stopped, taken and passed on; and what would
become of it there: shown as a notification, limited as a repeat, muted, inhibited,
buffered, or dropped since a queue is full. Nothing is delivered or counted, so each
record is judged as if it came alone.

If an instance runs with this very configuration it is asked, and mutes, limits,
inhibitions and buffers are those in force. Otherwise, and with --offline, they are
those of an instance that was just started: the mutes of the file and the mutes and
inhibitions that were kept hold records back, and every error is the first of its kind.`,
		Example: "  logbook-tray tail --format json | logbook-tray explain\n  logbook-tray alerts show 3 --format json | jq -c '.context[]' | logbook-tray explain new.yaml",
		Args:    maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				g.config = args[0]
			}
			return explain(cmd, g, o)
		},
	}
	o.flag(cmd)
	cmd.Flags().StringVar(&o.source, "source", "", "name of the source that the records came in by")
	cmd.Flags().BoolVar(&o.offline, "offline", false, "do not ask the running instance")
	return cmd
}

func explain(cmd *cobra.Command, g *globals, f explainOptions) error {
	self := core.NewLogger("explain")
	self.Disable()
	o, err := g.options(cmd, "explain", self)
	if err != nil {
		return err
	}
	all := func(explain explainFunc) error {
		return explainAll(cmd.InOrStdin(), cmd.OutOrStdout(), f.outputFormat, explain)
	}
	if !f.offline {
		c, pid, err := instanceWith(cmd.Context(), g, o)
		if err != nil {
			return err
		}
		if c != nil {
			defer c.Close()
			if !f.json() {
				fmt.Fprintf(cmd.ErrOrStderr(), "as the running instance, process %d, would do:\n", pid)
			}
			return all(func(r *core.Record) ([]pipeline.Step, error) { return c.Explain(cmd.Context(), r, f.source) })
		}
	}
	tree, ds, err := app.Explain(cmd.Context(), o, func(explain func(*core.Record) []pipeline.Step) error {
		return all(func(r *core.Record) ([]pipeline.Step, error) {
			return explain(core.NewReceived(r, core.Source{Name: f.source}, time.Now().UTC())), nil
		})
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
}

// instanceWith returns a client of the instance that runs with the configuration that o names as
// it is now; nil if there is none.
func instanceWith(ctx context.Context, g *globals, o app.Options) (c *control.Client, pid int, err error) {
	content, err := os.ReadFile(o.Config)
	if err != nil && (!o.Default || !errors.Is(err, fs.ErrNotExist)) {
		return nil, 0, nil // said when it is read to be explained
	}
	if c, err = g.client(); err != nil {
		return nil, 0, err
	}
	s, err := c.Status(ctx)
	if err != nil || !sameFile(s.Config, o.Config) || s.ConfigSum != app.Sum(content) {
		c.Close()
		return nil, 0, nil //nolint:nilerr // none runs, or none that answers
	}
	return c, s.PID, nil
}

// sameFile reports whether two paths are those of one file, or of one that is missing.
func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// explained is the output of explain as JSON, one line for each record.
type explained struct {
	Channel string          `json:"channel"`
	Level   string          `json:"level"`
	Message string          `json:"message"`
	Steps   []pipeline.Step `json:"steps"`
}

func explainAll(in io.Reader, out io.Writer, f outputFormat, explain explainFunc) error {
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
		steps, err := explain(r)
		switch {
		case err != nil:
			err = fmt.Errorf("line %d of the input: %w", n, err)
		case f.json():
			err = writeJSONLine(out, explained{r.Channel, r.Level.String(), r.Message(), steps})
		default:
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
	writeSteps(tw, steps, "  ")
	return tw.Flush()
}

// writeSteps writes a line for each handler, those inside of another further in.
func writeSteps(w io.Writer, steps []pipeline.Step, indent string) {
	for _, s := range steps {
		line := fmt.Sprintf("%s%s\t%s\t%s", indent, s.Handler, verdict(s), s.Reason)
		fmt.Fprintln(w, strings.TrimRight(line, "\t"))
		writeSteps(w, s.Inside, indent+"  ")
	}
}

func verdict(s pipeline.Step) string {
	if s.Outcome == "" {
		return string(s.Verdict)
	}
	return string(s.Verdict) + ", " + string(s.Outcome)
}

// whyText is what the context window shows: each handler, and below it the reason.
func whyText(steps []pipeline.Step, indent string) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%s%s:  %s\n", indent, s.Handler, verdict(s))
		if s.Reason != "" {
			fmt.Fprintf(&b, "%s      %s\n", indent, s.Reason)
		}
		b.WriteString(whyText(s.Inside, indent+"      "))
	}
	return b.String()
}
