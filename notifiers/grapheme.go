package notifiers

import (
	"unicode"
	"unicode/utf8"
)

const zeroWidthJoiner = '\u200d'

// joins reports whether a character belongs to the one before it: a combining
// mark, a variation selector, the tone of a skin, a joiner. It is enough of
// Unicode's text segmentation not to cut a letter from its accents.
func joins(r rune) bool {
	return r == zeroWidthJoiner || unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) || r >= 0x1f3fb && r <= 0x1f3ff
}

// lastStart returns where the last group of joined characters of s begins.
func lastStart(s string) int {
	for end := len(s); end > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:end])
		end -= size
		before, _ := utf8.DecodeLastRuneInString(s[:end])
		if !joins(r) && before != zeroWidthJoiner {
			return end
		}
	}
	return 0
}
