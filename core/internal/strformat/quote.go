package strformat

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// appendQuoted appends a text as Python's repr does.
func appendQuoted(dst []byte, s string) []byte {
	quote := quoteFor(strings.Contains(s, "'"), strings.Contains(s, `"`))
	dst = append(dst, quote)
	for i, r := range s {
		switch {
		case r == utf8.RuneError && invalidAt(s, i):
			dst = appendHex(append(dst, `\udc`...), uint32(s[i]), 2) // surrogateescape
		case r == rune(quote) || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case unicode.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		default:
			dst = appendEscaped(dst, r)
		}
	}
	return append(dst, quote)
}

func invalidAt(s string, i int) bool {
	_, size := utf8.DecodeRuneInString(s[i:])
	return size == 1
}

// quoteFor returns the quote that needs the least escaping.
func quoteFor(single, double bool) byte {
	if single && !double {
		return '"'
	}
	return '\''
}

// appendBytes appends bytes as Python's repr does.
func appendBytes(dst, b []byte) []byte {
	quote := quoteFor(slices.Contains(b, '\''), slices.Contains(b, '"'))
	dst = append(dst, 'b', quote)
	for _, c := range b {
		switch {
		case c == quote || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ' || c >= 0x7f:
			dst = appendHex(append(dst, `\x`...), uint32(c), 2)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, quote)
}

func appendEscaped(dst []byte, r rune) []byte {
	switch {
	case r <= 0xff:
		return appendHex(append(dst, `\x`...), uint32(r), 2)
	case r <= 0xffff:
		return appendHex(append(dst, `\u`...), uint32(r), 4)
	}
	return appendHex(append(dst, `\U`...), uint32(r), 8)
}

func appendHex(dst []byte, n uint32, digits int) []byte {
	const hex = "0123456789abcdef"
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, hex[n>>(4*i)&15])
	}
	return dst
}

func escapeASCII(s string) string {
	dst := make([]byte, 0, len(s))
	for _, r := range s {
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
		} else {
			dst = appendEscaped(dst, r)
		}
	}
	return string(dst)
}

// keyed is an entry of a map under the text of its key.
type keyed struct {
	key   string
	value reflect.Value
}

func sortKeyed(entries []keyed) {
	slices.SortFunc(entries, func(a, b keyed) int {
		if x, err := strconv.Atoi(a.key); err == nil {
			if y, err := strconv.Atoi(b.key); err == nil {
				return cmp.Compare(x, y)
			}
		}
		return strings.Compare(a.key, b.key)
	})
}
