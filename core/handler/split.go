package handler

import (
	"io"
	"os"

	"github.com/logbook-tray/logbook-tray/core"
)

// LevelRange returns a filter for a [core.Binding] that takes the levels from
// low to high, both included.
func LevelRange(low, high core.Level) func(*core.Record) bool {
	return func(r *core.Record) bool { return low <= r.Level && r.Level <= high }
}

// NewStdout is [NewStderr] for [os.Stdout].
func NewStdout(o StreamOptions) *Stream {
	return newStream(func() io.Writer { return os.Stdout }, o)
}

// NewSplit returns a setup that writes the levels from INFO to WARNING to stdout and
// everything else to stderr, so that a shell can tell results from trouble.
func NewSplit(o StreamOptions) core.Setup {
	return core.Setups{
		core.Binding{Handler: NewStderr(o), Name: "stderr"},
		core.Binding{Handler: NewStdout(o), Name: "stdout", Filter: LevelRange(core.LevelInfo, core.LevelWarning)},
	}
}
