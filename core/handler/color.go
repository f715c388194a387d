package handler

import (
	"io"

	"github.com/logbook-tray/logbook-tray/core/format"
)

// ColorMode says whether a [Stream] colours its lines by level, as
// [format.Color] does.
type ColorMode uint8

const (
	// ColorAuto colours where [format.WantsColor] says so: on a terminal.
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
	return format.WantsColor(w)
}
