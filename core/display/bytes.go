package display

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape returns bytes of which nothing is known as text that is harmless on a terminal and
// in a window, with nothing left out: what [Clean] would take out, other characters that
// cannot be seen, and bytes that are no UTF-8 are shown as escapes such as \x1b and \u202e.
// Newlines and tabs stay.
func Escape(b []byte) string { return escape(b, -1, "\n\t") }

// EscapeLine is [Escape] on one line, with newlines and tabs as \n and \t, cut to at most n
// characters; an ellipsis, which does not count, shows that something is left out.
func EscapeLine(b []byte, n int) string { return escape(b, n, "") }

// escape stops after n characters, if n is not negative. Characters in stay are not escaped.
func escape(b []byte, n int, stay string) string {
	var out strings.Builder
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		shown := string(b[:size])
		switch {
		case r == utf8.RuneError && size == 1:
			shown = fmt.Sprintf(`\x%02x`, b[0])
		case strings.ContainsRune(stay, r):
		case r == '\n':
			shown = `\n`
		case r == '\t':
			shown = `\t`
		case r == '\r':
			shown = `\r`
		case r < 0x80 && Harmful(r):
			shown = fmt.Sprintf(`\x%02x`, r)
		case Harmful(r) || !unicode.IsGraphic(r) || r == 0x2028 || r == 0x2029:
			shown = fmt.Sprintf(`\u%04x`, r)
			if r > 0xffff {
				shown = fmt.Sprintf(`\U%08x`, r)
			}
		}
		if n >= 0 {
			if n -= utf8.RuneCountInString(shown); n < 0 {
				out.WriteString("…")
				break
			}
		}
		out.WriteString(shown)
		b = b[size:]
	}
	return out.String()
}

// Dump returns bytes as they are read best: text as [Escape] has it, and what is none as
// lines of hexadecimal numbers with their offset, as hexdump -C prints them.
func Dump(b []byte) string {
	if isText(b) {
		return Escape(b)
	}
	return hex.Dump(b)
}

// isText reports whether nearly all of b is text.
func isText(b []byte) bool {
	odd := 0
	for rest := b; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 || r != '\r' && Harmful(r) {
			odd++
		}
		rest = rest[size:]
	}
	return odd <= len(b)/16
}
