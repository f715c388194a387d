package notifiers

import "unicode"

const zeroWidthJoiner = '\u200d'

// joins reports whether a character belongs to the one before it: a combining
// mark, a variation selector, the tone of a skin, a joiner. It is enough of
// Unicode's text segmentation not to cut a letter from its accents.
func joins(r rune) bool {
	return r == zeroWidthJoiner || unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) || r >= 0x1f3fb && r <= 0x1f3ff
}
