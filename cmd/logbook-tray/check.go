package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

func newCheck(g *globals) *cobra.Command {
	var f outputFormat
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check the configuration and print the stack it makes",
		Long: `Check a configuration and print what it makes: the subscribers and the stack of
handlers, top first. All mistakes are shown at once, with the line. Nothing is
listened on. The exit code is 1 if there are mistakes.`,
		Example: "  logbook-tray check\n  logbook-tray check ci.yaml --format json",
		Args:    maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			self := core.NewLogger("check")
			self.Disable()
			if len(args) == 1 {
				g.config = args[0]
			}
			o, err := g.options(cmd, "check", self)
			if err != nil {
				return err
			}
			d, tree, ds, err := app.Check(o)
			if err != nil {
				return err
			}
			return printCheck(cmd, f, d, tree, ds)
		},
	}
	f.flag(cmd)
	return cmd
}

// checked is the output of check as JSON.
type checked struct {
	File     string                `json:"file"` // empty for the built-in configuration
	OK       bool                  `json:"ok"`
	Mistakes config.Diagnostics    `json:"mistakes"`
	Graph    *pipeline.Description `json:"graph,omitempty"`
}

func printCheck(cmd *cobra.Command, f outputFormat, d pipeline.Description, tree *config.Tree, ds config.Diagnostics) error {
	ok := !ds.HasErrors()
	if f.json() {
		out := checked{File: tree.Path(), OK: ok, Mistakes: ds}
		if out.Mistakes == nil {
			out.Mistakes = config.Diagnostics{}
		}
		if ok {
			out.Graph = &d
		}
		if err := writeJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	} else {
		if err := tree.Fprint(cmd.ErrOrStderr(), ds, isTerminal(cmd.ErrOrStderr())); err != nil {
			return err
		}
		if ok {
			name := tree.Path()
			if name == "" {
				name = "the built-in configuration (there is no file)"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is valid.\n\n", name)
			if err := d.Fprint(cmd.OutOrStdout()); err != nil {
				return err
			}
		}
	}
	if !ok {
		return exitError{exitFailed}
	}
	return nil
}
