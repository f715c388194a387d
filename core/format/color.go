package format

import (
	"io"
	"os"
	"runtime"

	"github.com/logbook-tray/logbook-tray/core"
)

// Color formats records by another formatter and colours the text for a
// terminal, as Logbook's ColorizingStreamHandlerMixin does: errors red, notices
// and warnings yellow, everything else light grey. The colour is reset at the
// end of the text, before the newline that a handler adds.
type Color struct{ text Formatter }

var _ Formatter = (*Color)(nil)

// NewColor returns a formatter that colours what f renders.
func NewColor(f Formatter) *Color { return &Color{f} }

// Append renders r.
func (c *Color) Append(dst []byte, r *core.Record) ([]byte, error) {
	dst = append(dst, colorOf(r.Level)...)
	dst, err := c.text.Append(dst, r)
	return append(dst, "\x1b[39;49;00m"...), err
}

func colorOf(l core.Level) string {
	switch {
	case l >= core.LevelError:
		return "\x1b[31;01m"
	case l >= core.LevelNotice:
		return "\x1b[33;01m"
	}
	return "\x1b[37m"
}

// WantsColor reports whether to colour what is written to w: if it is a
// terminal, unless the environment says otherwise. NO_COLOR, not empty, forbids
// colour, FORCE_COLOR, neither empty nor "0", demands it; NO_COLOR goes first. A TERM of
// "dumb" has no colour, nor has a console of Windows that sets neither TERM nor
// WT_SESSION.
func WantsColor(w io.Writer) bool {
	switch force := os.Getenv("FORCE_COLOR"); {
	case os.Getenv("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	}
	return isTerminal(w) && terminalHasColors()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || f == nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func terminalHasColors() bool {
	term := os.Getenv("TERM")
	if runtime.GOOS == "windows" {
		return os.Getenv("WT_SESSION") != "" || term != "" && term != "dumb"
	}
	return term != "dumb"
}
