package glyph

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const (
	zeroWidthJoiner = '\u200d'
	textSelector    = '\ufe0e'
	emojiSelector   = '\ufe0f'
	keycap          = '\u20e3'
)

// maxCluster bounds a cluster, in bytes: any number of marks can be piled on one
// letter.
const maxCluster = 64

// Next returns the length in bytes of the first cluster of text, which is a
// character with its marks or an emoji of several characters, and how many cells
// it takes: 1, 2 for wide ones, 0 for a mark that has no letter. text must not be
// empty.
func Next(text string) (n, cells int) {
	if c := text[0]; c < utf8.RuneSelf && (len(text) == 1 || text[1] < utf8.RuneSelf) {
		return 1, 1
	}
	r, n := utf8.DecodeRuneInString(text)
	cells = Width(r)
	if isRegional(r) { // two letters make a flag
		if second, m := utf8.DecodeRuneInString(text[n:]); isRegional(second) {
			return n + m, 2
		}
		return n, 1
	}
	for n < len(text) && n < maxCluster {
		next, m := utf8.DecodeRuneInString(text[n:])
		switch {
		case next == zeroWidthJoiner:
			// What is joined belongs to the cluster if it is an emoji.
			joined, k := utf8.DecodeRuneInString(text[n+m:])
			if cells < 2 || !isPictograph(joined) {
				return n + m, cells
			}
			m += k
		case next == emojiSelector:
			cells = 2
		case isModifier(next) && cells == 2, isMark(next):
		default:
			return n, cells
		}
		n += m
	}
	return n, cells
}

// Width returns how many cells a character takes by itself.
func Width(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case isMark(r):
		return 0
	case r >= 0x1f000 && isPictograph(r):
		return 2
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Cells returns how many cells text takes, counting no further than limit.
func Cells(text string, limit int) int {
	total := 0
	for len(text) > 0 && total < limit {
		n, cells := Next(text)
		total += cells
		text = text[n:]
	}
	return total
}

func isMark(r rune) bool {
	return r >= 0x300 && (unicode.In(r, unicode.Mn, unicode.Me) || r == zeroWidthJoiner ||
		r == textSelector || r == emojiSelector || r == keycap)
}

func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

func isModifier(r rune) bool { return r >= 0x1f3fb && r <= 0x1f3ff }

func isPictograph(r rune) bool {
	return r >= 0x1f300 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf || r >= 0x2b00 && r <= 0x2bff || r == 0x1f004 || r == 0x1f0cf
}
