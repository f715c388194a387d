package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// outputFormat is the flag --format of the commands that print.
type outputFormat string

const (
	outputText outputFormat = "text"
	outputJSON outputFormat = "json"
)

func (f *outputFormat) flag(cmd *cobra.Command) {
	*f = outputText
	cmd.Flags().Var(f, "format", "output format: text or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

func (f outputFormat) json() bool { return f == outputJSON }

// String, Set and Type make it a flag value.
func (f *outputFormat) String() string { return string(*f) }

// Set accepts the known formats.
func (f *outputFormat) Set(s string) error {
	switch outputFormat(s) {
	case outputText, outputJSON:
		*f = outputFormat(s)
		return nil
	}
	return fmt.Errorf("unknown format %q, use text or json", s)
}

// Type is what the help text calls the value.
func (f *outputFormat) Type() string { return "FORMAT" }

// recordPrinter prints records one a line (and the lines of their traceback),
// or as lines of Logbook's JSON.
type recordPrinter struct {
	w    io.Writer
	json bool
	text format.Formatter
	buf  []byte
}

func newRecordPrinter(w io.Writer, f outputFormat) *recordPrinter {
	return &recordPrinter{w: w, json: f.json(), text: format.Default()}
}

func (p *recordPrinter) print(r *core.Record) error {
	var err error
	if p.json {
		p.buf, err = wire.Append(p.buf[:0], r)
	} else {
		p.buf, err = p.text.Append(p.buf[:0], r)
	}
	if err != nil {
		return fmt.Errorf("format a record: %w", err)
	}
	_, err = p.w.Write(append(p.buf, '\n'))
	return err
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
