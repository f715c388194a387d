package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man [COMMAND...]",
		Short: "Print the manual page of a command, or write all of them to a directory",
		Example: `  logbook-tray man | man -l -
  logbook-tray man alerts list | man -l -
  logbook-tray man --dir ~/.local/share/man/man1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			header := &doc.GenManHeader{Section: "1", Source: "logbook-tray", Manual: "logbook-tray"}
			cmd.Root().DisableAutoGenTag = true // equal for equal versions
			if dir != "" {
				if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // manual pages are for everybody
					return fmt.Errorf("write the manual pages: %w", err)
				}
				if err := doc.GenManTree(cmd.Root(), header, dir); err != nil {
					return fmt.Errorf("write the manual pages: %w", err)
				}
				return nil
			}
			page, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("there is no command %q", args)
			}
			return doc.GenMan(page, header, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "write all pages to this `DIRECTORY`")
	return cmd
}
