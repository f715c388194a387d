// Package style has the colours of records and the look of the windows.
package style

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// Palette has the colours in which records are drawn. All of them are
// opaque. Every text has a contrast of at least 4.5 to 1 on every ground that it
// can be drawn on.
type Palette struct {
	Dark bool

	Ground    color.RGBA // behind rows
	Text      color.RGBA
	Muted     color.RGBA // times, hints
	Header    color.RGBA // behind the names of the columns
	Separator color.RGBA
	Hover     color.RGBA // behind the row under the mouse
	Selected  color.RGBA // behind selected rows
	Marked    color.RGBA // behind the row that a window is about
	Match     color.RGBA // behind text that was searched for
	MatchText color.RGBA
	Accent    color.RGBA // focus, marks, hints that can be clicked
	OnAccent  color.RGBA
	Bar       color.RGBA // scroll bars
	BarHover  color.RGBA

	levels [8]LevelColors
}

// LevelColors are the colours of one level.
type LevelColors struct {
	Name   color.RGBA // text of the level's name
	Badge  color.RGBA // behind the name; like the row's ground if there is no badge
	Text   color.RGBA // text of the message
	Ground color.RGBA // behind the row
	Fill   color.RGBA // bars and stripes
	Badged bool       // the name stands on a badge
}

// Level returns the colours of a level.
func (p *Palette) Level(l core.Level) LevelColors {
	named := model.NamedLevel(l)
	if named == core.LevelNotSet {
		return p.levels[0]
	}
	return p.levels[int(named-core.LevelTrace)+1]
}

func rgb(hex uint32) color.RGBA {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

// Light returns the colours for a light ground.
func Light() *Palette {
	p := &Palette{
		Ground: rgb(0xffffff), Text: rgb(0x1f2328), Muted: rgb(0x555d66),
		Header: rgb(0xf3f5f7), Separator: rgb(0xd8dee4), Hover: rgb(0xf0f3f6),
		Selected: rgb(0xd3e5ff), Marked: rgb(0xffeaa8), Match: rgb(0xffdf5d), MatchText: rgb(0x1f2328),
		Accent: rgb(0x0a5cc4), OnAccent: rgb(0xffffff), Bar: rgb(0xb6bec7), BarHover: rgb(0x8b949e),
	}
	p.setLevels(
		[...]uint32{0x575f69, 0x575f69, 0x4f5963, 0x0a57b5, 0x0a6154, 0x7a4b00, 0xb0121c, 0xffffff},
		[...]uint32{0xd0d5db, 0xd0d5db, 0xaab4bf, 0x5a9bea, 0x33ab96, 0xe0a21c, 0xdc3d46, 0xa40e26},
		0xfff8e5, 0xfff0ef, 0xffe2e0, 0xb5121c, 0x7d0c16)
	return p
}

// Dark returns the colours for a dark ground.
func Dark() *Palette {
	p := &Palette{
		Dark:   true,
		Ground: rgb(0x16191d), Text: rgb(0xe3e8ed), Muted: rgb(0x9ba5b0),
		Header: rgb(0x1f2429), Separator: rgb(0x30363d), Hover: rgb(0x21262c),
		Selected: rgb(0x1b3b63), Marked: rgb(0x40340a), Match: rgb(0xe3b341), MatchText: rgb(0x16191d),
		Accent: rgb(0x58a6ff), OnAccent: rgb(0x0b1a2b), Bar: rgb(0x444c56), BarHover: rgb(0x6e7781),
	}
	p.setLevels(
		[...]uint32{0x9ba5b0, 0x9ba5b0, 0xa9b6c3, 0x79b8ff, 0x56d4bc, 0xf2c14e, 0xff9c96, 0xffffff},
		[...]uint32{0x3d444d, 0x3d444d, 0x57626e, 0x2f81f7, 0x2a9d8a, 0xd29922, 0xf0524a, 0xff7b72},
		0x25210f, 0x2d1719, 0x421a1d, 0xbd2530, 0xffc4c0)
	return p
}

// setLevels sets the colours of all levels: names and fills from NOTSET to
// CRITICAL, the grounds of warnings, errors and criticals, the badge and the
// message of a critical record.
func (p *Palette) setLevels(names, fills [8]uint32, warning, failure, critical, badge, criticalText uint32) {
	for i := range p.levels {
		p.levels[i] = LevelColors{Name: rgb(names[i]), Badge: p.Ground, Text: p.Text, Ground: p.Ground, Fill: rgb(fills[i])}
	}
	quiet := &p.levels[1]
	quiet.Text, p.levels[0].Text, p.levels[2].Text = p.Muted, p.Muted, rgb(names[2])
	p.levels[5].Ground = rgb(warning)
	p.levels[6].Ground, p.levels[6].Text = rgb(failure), rgb(names[6])
	p.levels[7].Ground, p.levels[7].Text = rgb(critical), rgb(criticalText)
	p.levels[7].Badge, p.levels[7].Badged = rgb(badge), true
}

// PaletteFor returns the colours that go with the ground of a theme.
func PaletteFor(th fyne.Theme, variant fyne.ThemeVariant) *Palette {
	if luminance(opaque(th.Color(theme.ColorNameBackground, variant))) > 0.4 {
		return Light()
	}
	return Dark()
}

func opaque(c color.Color) color.RGBA {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return color.RGBA{R: n.R, G: n.G, B: n.B, A: 255}
}

// Contrast returns the contrast ratio of two colours as WCAG 2 defines it: from 1
// to 21.
func Contrast(a, b color.RGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}
