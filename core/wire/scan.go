package wire

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/logbook-tray/logbook-tray/core"
)

// scanner reads JSON in one pass. It takes what Python's json module writes
// and encoding/json refuses: NaN, Infinity, -Infinity and lone surrogates (which
// become U+FFFD), and raw control characters in strings. Strings without escapes
// are parts of the input, not copies.
type scanner struct {
	data   []byte
	s      string // the same bytes
	i      int
	depth  int     // how much deeper values may nest
	room   int     // how many more values may come
	memory *memory // nil where only values are read
}

func newScanner(body []byte, depth, values int) scanner {
	return scanner{data: body, s: unsafe.String(unsafe.SliceData(body), len(body)), depth: depth, room: values}
}

// space steps over white space and returns the byte that follows, 0 at the end.
func (p *scanner) space() byte {
	// Mostly there is one blank, or none.
	if rest := p.s[p.i:]; len(rest) > 1 {
		if rest[0] > ' ' {
			return rest[0]
		}
		if rest[0] == ' ' && rest[1] > ' ' {
			p.i++
			return rest[1]
		}
	}
	return p.spaces()
}

func (p *scanner) spaces() byte {
	for p.i < len(p.s) {
		switch c := p.s[p.i]; c {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return c
		}
	}
	return 0
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a word with the high bit set in, at the latest, the first
// byte of w that is a quote or a backslash; 0 if there is none.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return ((quote - ones) &^ quote & highs) | ((slash - ones) &^ slash & highs)
}

// text reads a string; the scanner stands on its opening quote.
func (p *scanner) text() (string, error) {
	start := p.i + 1
	i := start
	for d := p.data[start:]; len(d) >= 8; d = d[8:] {
		if m := special(binary.LittleEndian.Uint64(d)); m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			break
		}
		i += 8
	}
	for i < len(p.s) {
		switch p.s[i] {
		case '"':
			p.i = i + 1
			return p.s[start:i], nil
		case '\\':
			return p.escaped(start, i)
		}
		i++
	}
	return "", malformed("string without end", start-1)
}

// escaped reads the rest of a string that started at start and has its first
// backslash at i. The text of a JSON string is never longer than its source.
func (p *scanner) escaped(start, i int) (string, error) {
	buf := make([]byte, 0, p.sourceLength(i)-start)
	buf = append(buf, p.s[start:i]...)
	for i < len(p.s) {
		c := p.s[i]
		switch {
		case c == '"':
			p.i = i + 1
			return unsafe.String(unsafe.SliceData(buf), len(buf)), nil
		case c != '\\':
			run := i
			for i < len(p.s) && p.s[i] != '"' && p.s[i] != '\\' {
				i++
			}
			buf = append(buf, p.s[run:i]...)
		default:
			var n int
			if buf, n = p.escape(buf, i+1); n == 0 {
				return "", malformed("bad escape", i)
			}
			i += 1 + n
		}
	}
	return "", malformed("string without end", start-1)
}

// sourceLength returns where the string ends whose first backslash is at i.
func (p *scanner) sourceLength(i int) int {
	for i < len(p.s) && p.s[i] != '"' {
		if p.s[i] == '\\' {
			i++
		}
		i++
	}
	return min(i, len(p.s))
}

// escape appends what the escape sequence means whose backslash is before
// position i, and returns its length without the backslash, 0 if it is none.
func (p *scanner) escape(buf []byte, i int) ([]byte, int) {
	if i >= len(p.s) {
		return buf, 0
	}
	switch c := p.s[i]; c {
	case '"', '\\', '/':
		return append(buf, c), 1
	case 'b':
		return append(buf, '\b'), 1
	case 'f':
		return append(buf, '\f'), 1
	case 'n':
		return append(buf, '\n'), 1
	case 'r':
		return append(buf, '\r'), 1
	case 't':
		return append(buf, '\t'), 1
	case 'u':
		r, ok := p.hex4(i + 1)
		if !ok {
			return buf, 0
		}
		n := 5
		if utf16.IsSurrogate(r) {
			r, n = p.surrogate(r, i)
		}
		return utf8.AppendRune(buf, r), n
	}
	return buf, 0
}

// surrogate joins r with the low half that may follow the escape at i.
func (p *scanner) surrogate(r rune, i int) (joined rune, length int) {
	if i+6 < len(p.s) && p.s[i+5] == '\\' && p.s[i+6] == 'u' {
		if low, ok := p.hex4(i + 7); ok {
			if joined = utf16.DecodeRune(r, low); joined != utf8.RuneError {
				return joined, 11
			}
		}
	}
	return utf8.RuneError, 5
}

func (p *scanner) hex4(i int) (rune, bool) {
	if i+4 > len(p.s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.s[i : i+4]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// key reads the name of a member and the colon behind it, and leaves the
// scanner on the first byte of the value.
func (p *scanner) key() (string, error) {
	if p.space() != '"' {
		return "", malformed("no name of a member", p.i)
	}
	if key, ok := p.shortKey(); ok {
		return key, nil
	}
	key, err := p.text()
	if err != nil {
		return "", err
	}
	if p.space() != ':' {
		return "", malformed("no colon", p.i)
	}
	p.i++
	p.space()
	return key, nil
}

// shortKey is key for a name without escapes of less than 24 bytes right before its
// colon, which all known ones are.
func (p *scanner) shortKey() (string, bool) {
	start := p.i + 1
	d := p.data[start:]
	if len(d) < 32 {
		return "", false
	}
	n := 0
	m := special(binary.LittleEndian.Uint64(d))
	if m == 0 {
		n = 8
		if m = special(binary.LittleEndian.Uint64(d[8:])); m == 0 {
			n = 16
			m = special(binary.LittleEndian.Uint64(d[16:]))
		}
	}
	n += bits.TrailingZeros64(m) >> 3
	d = d[n:]
	if m == 0 || len(d) < 2 || d[0] != '"' || d[1] != ':' {
		return "", false
	}
	p.i = start + n + 2
	p.space()
	return p.s[start : start+n], true
}

// more steps over the comma before the next element and reports true, or over
// the closing bracket end and reports false.
func (p *scanner) more(end byte) (bool, error) {
	switch p.space() {
	case ',':
		p.i++
		return true, nil
	case end:
		p.i++
		return false, nil
	}
	return false, malformed("no comma or closing bracket", p.i)
}

// open steps over an opening bracket and reports whether elements follow.
func (p *scanner) open(end byte) (bool, error) {
	p.i++
	if p.depth--; p.depth < 0 {
		return false, &RejectError{ReasonTooDeep, "at byte " + strconv.Itoa(p.i)}
	}
	if p.space() == end {
		p.i++
		p.depth++
		return false, nil
	}
	return true, nil
}

// value reads any value. Numbers are int64, json.Number if they are whole and
// beyond it, or float64.
func (p *scanner) value() (any, error) {
	if p.room--; p.room < 0 {
		return nil, &RejectError{Reason: ReasonTooMany}
	}
	switch c := p.space(); {
	case c == '"':
		s, err := p.text()
		return s, err
	case c == '{':
		return p.object()
	case c == '[':
		a, err := p.array(nil)
		if a == nil {
			a = []any{}
		}
		return a, err
	case c == '-', c >= '0' && c <= '9':
		return p.number()
	case p.word("null"):
		return nil, nil
	case p.word("true"):
		return true, nil
	case p.word("false"):
		return false, nil
	case p.word("NaN"):
		return math.NaN(), nil
	case p.word("Infinity"):
		return math.Inf(1), nil
	}
	return nil, malformed("no value", p.i)
}

// word steps over w if it is next.
func (p *scanner) word(w string) bool {
	if len(p.s)-p.i >= len(w) && p.s[p.i:p.i+len(w)] == w {
		p.i += len(w)
		return true
	}
	return false
}

func (p *scanner) object() (map[string]any, error) {
	m := make(map[string]any)
	more, err := p.open('}')
	if !more {
		return m, err
	}
	for more {
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		if m[key], err = p.value(); err != nil {
			return nil, err
		}
		if more, err = p.more('}'); err != nil {
			return nil, err
		}
	}
	p.depth++
	return m, nil
}

// array appends the values of an array to a.
func (p *scanner) array(a []any) ([]any, error) {
	more, err := p.open(']')
	if !more {
		return a, err
	}
	for more {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		a = append(a, v)
		if more, err = p.more(']'); err != nil {
			return nil, err
		}
	}
	p.depth++
	return a, nil
}

// fields reads an object as a list; of equal keys the last one wins.
func (p *scanner) fields() (core.Fields, error) {
	more, err := p.open('}')
	if !more {
		return nil, err
	}
	list := fieldList{fields: p.memory.list()}
	for more {
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list.set(key, v)
		if more, err = p.more('}'); err != nil {
			return nil, err
		}
	}
	p.depth++
	return p.memory.takeFields(list.fields), nil
}
