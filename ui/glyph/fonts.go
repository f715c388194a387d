// Package glyph draws text in a grid of cells, fast: every cluster of characters is
// shaped and rasterised once and then blended from a cache of masks. It does
// not know what the text means.
//
// Nothing here is safe for concurrent use: it belongs to the goroutine that
// paints.
package glyph

import (
	"bytes"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/fontscan"
	"github.com/go-text/typesetting/language"
)

// Fonts finds a font for a character: Fyne's monospaced one first, then its
// symbols and emoji, then what the system has.
type Fonts struct {
	mono, symbol, emoji *font.Face
	system              *fontscan.FontMap // nil until it is needed, or not to be used
	useSystem           bool
	found               map[rune]*font.Face // answers of system
}

// maxFound bounds how many answers are remembered.
const maxFound = 4096

// NewFonts loads the fonts that come with Fyne. With system, the fonts of the
// computer serve for what these lack; they are looked up when the first such
// character is drawn.
func NewFonts(system bool) *Fonts {
	return &Fonts{
		mono:      parse(theme.DefaultTextMonospaceFont()),
		symbol:    parse(theme.DefaultSymbolFont()),
		emoji:     parse(theme.DefaultEmojiFont()),
		useSystem: system,
		found:     map[rune]*font.Face{},
	}
}

func parse(resource fyne.Resource) *font.Face {
	if resource == nil { // Fyne can be built without emoji
		return nil
	}
	face, err := font.ParseTTF(bytes.NewReader(resource.Content()))
	if err != nil {
		return nil
	}
	return face
}

// face returns a font that has a glyph for r, nil if there is none.
func (f *Fonts) face(r rune, emoji bool) *font.Face {
	order := [...]*font.Face{f.mono, f.symbol, f.emoji}
	if emoji {
		order = [...]*font.Face{f.emoji, f.mono, f.symbol}
	}
	for _, face := range order {
		if has(face, r) {
			return face
		}
	}
	if !f.useSystem {
		return nil
	}
	face, ok := f.found[r]
	if !ok {
		if len(f.found) >= maxFound {
			clear(f.found)
		}
		face = f.lookup(r)
		f.found[r] = face
	}
	return face
}

func has(face *font.Face, r rune) bool {
	if face == nil {
		return false
	}
	_, ok := face.NominalGlyph(r)
	return ok
}

func (f *Fonts) lookup(r rune) *font.Face {
	if f.system == nil {
		// Fyne has scanned the system's fonts when it showed its first text;
		// the list is shared.
		f.system = fontscan.NewFontMap(silent{})
		if err := f.system.UseSystemFonts(""); err != nil {
			f.useSystem = false
			return nil
		}
	}
	f.system.SetQuery(fontscan.Query{Families: []string{fontscan.Monospace}})
	f.system.SetScript(language.LookupScript(r))
	if face := f.system.ResolveFace(r); has(face, r) {
		return face
	}
	return nil
}

// silent keeps the font scanner from writing to stderr.
type silent struct{}

func (silent) Printf(string, ...any) {}
