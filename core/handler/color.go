package handler

import (
	"io"
	"os"
	"runtime"

	"github.com/logbook-tray/logbook-tray/core"
)

// ColorMode says whether a [Stream] colours its lines: errors red, notices and
// warnings yellow, everything else grey.
type ColorMode uint8

const (
	// ColorAuto colours on a terminal, unless the environment variable NO_COLOR
	// is set or TERM is "dumb".
	ColorAuto ColorMode = iota
	// ColorAlways is Logbook's force_color.
	ColorAlways
	// ColorNever is Logbook's forbid_color.
	ColorNever
)

func (m ColorMode) applies(w io.Writer) bool {
	switch m {
	case ColorAlways:
		return true
	case ColorNever:
		return false
	case ColorAuto:
	}
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && terminalHasColors()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || f == nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// terminalHasColors tells consoles of Windows that show escape sequences as they
// are from those that do not: the latter set none of these variables.
func terminalHasColors() bool {
	term := os.Getenv("TERM")
	if runtime.GOOS == "windows" {
		return os.Getenv("WT_SESSION") != "" || term != "" && term != "dumb"
	}
	return term != "dumb"
}

// The sequences are those of Logbook; the reset is right behind the text, so that the
// newline is not coloured.
const colorReset = "\x1b[39;49;00m"

func levelColor(l core.Level) string {
	switch {
	case l >= core.LevelError:
		return "\x1b[31;01m"
	case l >= core.LevelNotice:
		return "\x1b[33;01m"
	}
	return "\x1b[37m"
}

func colorize(text []byte, l core.Level) []byte {
	c := levelColor(l)
	text = append(text, c...)
	copy(text[len(c):], text[:len(text)-len(c)])
	copy(text, c)
	return append(text, colorReset...)
}
