package display

import (
	"strings"
	"unicode/utf8"

	"github.com/go-text/typesetting/segmenter"
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
	return strings.TrimRight(s[:prefix(s, n-1)], " \n") + "…"
}

// lookBack is how many characters before a cut are looked at: more than any letter
// that can be read has.
const lookBack = 256

// prefix returns the length in bytes of the longest beginning of s that has at most n
// characters and ends between two letters.
func prefix(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	runes := make([]rune, 0, min(len(s), n+1))
	end := len(s)
	for i, r := range s {
		if len(runes) == n {
			end = i
			runes = append(runes, r) // decides whether the one before it is complete
			break
		}
		runes = append(runes, r)
	}
	if len(runes) <= n {
		return len(s)
	}
	if n == 0 || !joinable(runes[n-1]) && !joinable(runes[n]) && runes[n] != '\n' {
		return end
	}
	start := max(n-lookBack, 0)
	for start > 0 && isFlag(runes[start]) && isFlag(runes[start-1]) {
		start-- // two and two make a flag, counted from the first
	}
	var seg segmenter.Segmenter
	seg.Init(runes[start:])
	last := start
	for letters := seg.GraphemeIterator(); letters.Next(); {
		at := start + letters.Grapheme().Offset
		if at > n {
			break
		}
		last = at
	}
	for i := range s {
		if last == 0 {
			return i
		}
		last--
	}
	return end // not reached
}

// joinable reports whether a character may belong together with one beside it. No
// character below the first combining mark does.
func joinable(r rune) bool { return r >= 0x300 }

// isFlag reports whether a character is a regional indicator.
func isFlag(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }
