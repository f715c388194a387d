package limit

import (
	"bytes"
	"strings"
)

// maskBytes is how much of a message Mask looks at.
const maskBytes = 2048

const (
	maskNumber  = "<n>"
	maskID      = "<id>"
	maskAddress = "<address>"
	maskText    = "<text>"
)

// Mask replaces what differs between two occurrences of one error: numbers
// become "<n>", identifiers with digits in them and UUIDs "<id>", mail and IPv6
// addresses "<address>", quoted text "<text>". Lists of numbers become one. It looks at
// the first 2 KiB; what follows is left out.
func Mask(s string) string {
	if len(s) > maskBytes {
		s = s[:maskBytes]
	}
	m := masker{in: s, out: make([]byte, 0, len(s))}
	for m.at < len(m.in) {
		m.step()
	}
	return string(m.out)
}

// masker goes once through a text.
type masker struct {
	in  string
	at  int
	out []byte
}

func (m *masker) step() {
	c := m.in[m.at]
	switch {
	case c == '\'' || c == '"' || c == '`':
		if n := quoted(m.in[m.at:]); n > 0 && !m.afterWord() {
			m.put(maskText, n)
			return
		}
	case isWord(c):
		m.word()
		return
	}
	m.out = append(m.out, c)
	m.at++
}

// afterWord reports whether a quote at this place is an apostrophe.
func (m *masker) afterWord() bool { return m.at > 0 && isWord(m.in[m.at-1]) }

// word masks the run of letters and digits that begins here, or a longer
// pattern of which it is the beginning.
func (m *masker) word() {
	rest := m.in[m.at:]
	if isUUID(rest) {
		m.put(maskID, 36)
		return
	}
	if n := mailAddress(rest); n > 0 {
		m.put(maskAddress, n)
		return
	}
	if n := ipv6(rest); n > 0 {
		m.put(maskAddress, n)
		return
	}
	n := runOf(rest, isWord)
	w := rest[:n]
	switch {
	case runOf(w, isDigit) == n, isHexNumber(w):
		m.put(maskNumber, n)
	case isID(w):
		m.put(maskID, n)
	default:
		m.digits(w)
		m.at += n
	}
}

// digits writes a word with the numbers in it masked: "order4711" is an order.
func (m *masker) digits(w string) {
	for len(w) > 0 {
		if n := runOf(w, isDigit); n > 0 {
			m.out, w = append(m.out, maskNumber...), w[n:]
			continue
		}
		m.out, w = append(m.out, w[0]), w[1:]
	}
}

// put writes a mask for n bytes. A mask that continues a list of the same,
// such as the parts of an IPv4 address, is not written again.
func (m *masker) put(mask string, n int) {
	m.at += n
	head, sep := trimSeparator(m.out)
	if sep && bytes.HasSuffix(head, []byte(mask)) {
		m.out = head
		return
	}
	m.out = append(m.out, mask...)
}

// trimSeparator takes one separator of numbers off the end of b.
func trimSeparator(b []byte) (head []byte, ok bool) {
	n := len(b)
	if n > 1 && b[n-1] == ' ' && b[n-2] == ',' {
		return b[:n-2], true
	}
	if n > 0 && strings.IndexByte(".:,-/", b[n-1]) >= 0 {
		return b[:n-1], true
	}
	return b, false
}

// quoted returns the length of the quoted text at the start of s; 0 if the quote
// is not closed on the same line.
func quoted(s string) int {
	for i := 1; i < len(s) && s[i] != '\n'; i++ {
		if s[i] == '\\' {
			i++
			continue
		}
		if s[i] == s[0] {
			return i + 1
		}
	}
	return 0
}

func isUUID(s string) bool {
	if len(s) < 36 || len(s) > 36 && isWord(s[36]) {
		return false
	}
	for i := range 36 {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if !isHex(s[i]) {
			return false
		}
	}
	return true
}

// mailAddress returns the length of a mail address at the start of s.
func mailAddress(s string) int {
	local := runOf(s, func(c byte) bool { return isWord(c) || strings.IndexByte(".+-%", c) >= 0 })
	if local == 0 || local >= len(s) || s[local] != '@' {
		return 0
	}
	domain := runOf(s[local+1:], func(c byte) bool { return isWord(c) || c == '.' || c == '-' })
	domain = len(strings.TrimRight(s[local+1:local+1+domain], ".-"))
	if domain == 0 {
		return 0
	}
	return local + 1 + domain
}

// ipv6 returns the length of an IPv6 address at the start of s; 0 also for a time
// of the day.
func ipv6(s string) int {
	n := runOf(s, func(c byte) bool { return isHex(c) || c == ':' })
	if n < len(s) && isWord(s[n]) {
		return 0
	}
	run := strings.TrimRight(s[:n], ":")
	if strings.Contains(run, "::") && strings.ContainsAny(run, "0123456789") || strings.Count(run, ":") == 7 {
		return len(run)
	}
	return 0
}

func isHexNumber(w string) bool {
	return len(w) > 2 && w[0] == '0' && (w[1] == 'x' || w[1] == 'X') && runOf(w[2:], isHex) == len(w)-2
}

// isID guesses whether a word is an identifier made by a machine: hexadecimal
// with digits, or long with several changes between letters and digits.
func isID(w string) bool {
	digits, changes := 0, 0
	for i := range len(w) {
		if isDigit(w[i]) {
			digits++
		}
		if i > 0 && isDigit(w[i]) != isDigit(w[i-1]) {
			changes++
		}
	}
	if digits == 0 {
		return false
	}
	return len(w) >= 6 && runOf(w, isHex) == len(w) || len(w) >= 10 && changes >= 3
}

// runOf returns how many bytes at the start of s are of a kind.
func runOf(s string, is func(byte) bool) int {
	for i := range len(s) {
		if !is(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= 0x80
}
