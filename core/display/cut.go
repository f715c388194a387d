package display

import (
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Cut returns s in at most n characters; an ellipsis, which counts, shows that
// something is left out. What a reader takes for one letter is not cut: accents, joined
// emoji and flags stay whole or go whole (the grapheme clusters of Unicode's annex 29).
// A character is a Unicode code point, of which such a letter may have several.
func Cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	if n <= 0 {
		return ""
	}
	return strings.TrimRight(s[:prefix(s, n-1)], " \r\n") + "…"
}

// prefix returns the length in bytes of the longest beginning of s that has at most n
// characters and ends between two letters.
func prefix(s string, n int) int {
	end := 0
	for letters := graphemes.FromString(s); letters.Next(); {
		letter := letters.Value()
		if n -= utf8.RuneCountInString(letter); n < 0 {
			break
		}
		end += len(letter)
	}
	return end
}
