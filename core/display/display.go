// Package display makes text from records harmless to show: on a terminal, in
// a menu, in a notification. It changes what is shown, never the record.
package display

import (
	"strings"
	"unicode/utf8"
)

// Clean returns s without what could act on a terminal or change the order in
// which text is read: control characters other than newline and tab, and the
// marks that set the direction of text. A carriage return before a newline
// goes; Unicode's line and paragraph separators become newlines, invalid UTF-8
// becomes U+FFFD.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == 0x2028 || r == 0x2029:
			return '\n'
		case Harmful(r):
			return -1
		}
		return r // Map has made U+FFFD of what is not UTF-8
	}, s)
}

func isClean(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// Harmful reports whether a character is taken out by [Clean]. Newline and tab are
// not.
func Harmful(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0, // C0, DEL and C1
		r == 0x061c, r == 0x200e, r == 0x200f, // direction marks
		r >= 0x202a && r <= 0x202e, // embeddings and overrides
		r >= 0x2066 && r <= 0x2069: // isolates
		return true
	}
	return false
}

// Line returns the first line of s that has text, cleaned, with tabs as spaces, and
// cut to at most n characters, as [Cut] counts them; an ellipsis, which does not count,
// shows that something is left out. n of 0 or less means no limit.
func Line(s string, n int) string {
	line, _, more := strings.Cut(strings.TrimSpace(Clean(s)), "\n")
	line = strings.TrimRight(strings.ReplaceAll(line, "\t", " "), " ")
	if n > 0 {
		if end := prefix(line, n); end < len(line) {
			line, more = line[:end], true
		}
	}
	if more {
		line = strings.TrimRight(line, " ") + "…"
	}
	return line
}
