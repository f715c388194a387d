package pickle

import (
	"encoding/binary"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// literal makes the value of an instruction that takes nothing but its own
// argument, and of those that make tuples and empty collections.
func (m *machine) literal(op byte) (any, error) {
	switch op {
	case 'N':
		return nil, nil
	case 0x88:
		return true, nil
	case 0x89:
		return false, nil
	case ']':
		return new(list), nil
	case ')':
		return &list{kind: pyTuple}, nil
	case 0x8f:
		return &list{kind: pySet}, nil
	case '}':
		return new(dict), nil
	case 'l', 't', 'd', 0x91:
		return m.marked(op)
	case 0x85, 0x86, 0x87:
		return m.tuple(int(op - 0x84))
	case 'I', 'L', 'F', 'S', 'V':
		s, err := m.line()
		if err != nil {
			return nil, err
		}
		return m.textual(op, s)
	}
	return m.binary(op)
}

// marked makes a collection of what was pushed since the last mark.
func (m *machine) marked(op byte) (any, error) {
	items, err := m.popMark()
	if err != nil {
		return nil, err
	}
	switch op {
	case 'd':
		d := new(dict)
		return d, d.add(items, m.i)
	case 't':
		return &list{kind: pyTuple, items: slices.Clone(items)}, nil
	case 'l':
		return &list{items: slices.Clone(items)}, nil
	}
	return &list{kind: pySet, items: slices.Clone(items)}, nil
}

func (m *machine) tuple(n int) (any, error) {
	t := &list{kind: pyTuple, items: make([]any, n)}
	for i := n - 1; i >= 0; i-- {
		var err error
		if t.items[i], err = m.pop(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// add sets alternating keys and values.
func (d *dict) add(items []any, at int) error {
	if len(items)%2 != 0 {
		return malformed("key without a value", at)
	}
	for i := 0; i < len(items); i += 2 {
		d.keys = append(d.keys, items[i])
		d.values = append(d.values, items[i+1])
	}
	return nil
}

// textual makes the value of an instruction of protocol 0 from its line.
func (m *machine) textual(op byte, s string) (any, error) {
	switch op {
	case 'I':
		if s == "00" || s == "01" { // how protocol 0 and 1 write bool
			return s == "01", nil
		}
		return m.decimal(s)
	case 'L':
		return m.decimal(strings.TrimSuffix(s, "L"))
	case 'F':
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && f == 0 {
			return nil, malformed("bad number", m.i)
		}
		return f, nil
	case 'S':
		return m.quoted(s)
	}
	return rawUnicode(s), nil
}

// decimal reads an integer of any length up to the limit.
func (m *machine) decimal(s string) (any, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	digits := strings.TrimPrefix(s, "-")
	if len(digits) > maxDigits {
		return nil, &Error{ReasonTooLarge, "an integer of " + strconv.Itoa(len(digits)) + " digits"}
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" || digits[0] == '0' {
		return nil, malformed("bad number", m.i)
	}
	return bigInt(s), nil
}

// quoted reads the repr of a byte string of Python 2.
func (m *machine) quoted(s string) (any, error) {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return nil, malformed("string without quotes", m.i)
	}
	s = s[1 : len(s)-1]
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		i++
		if at := strings.IndexByte(`nrtabfv\'"`, s[i]); at >= 0 {
			out = append(out, "\n\r\t\a\b\f\v\\'\""[at])
		} else if n, ok := hexNumber(s, i+1, 2); ok && s[i] == 'x' {
			out = append(out, byte(n)) //nolint:gosec // two digits
			i += 2
		} else {
			out = append(out, '\\', s[i])
		}
	}
	return py2String(out), nil
}

// hexNumber reads n hexadecimal digits at position i.
func hexNumber(s string, i, n int) (rune, bool) {
	if i+n > len(s) {
		return 0, false
	}
	v, err := strconv.ParseUint(s[i:i+n], 16, 31)
	return rune(v), err == nil //nolint:gosec // 31 bits
}

// rawUnicode reads Python's raw-unicode-escape: Latin-1 and \u or \U.
func rawUnicode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if r, ok := hexNumber(s, i+2, 4); ok && s[i+1] == 'u' {
				b.WriteRune(r)
				i += 5
				continue
			}
			if r, ok := hexNumber(s, i+2, 8); ok && s[i+1] == 'U' {
				b.WriteRune(r)
				i += 9
				continue
			}
		}
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// text returns b as valid UTF-8: pickles may hold single surrogates.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// binary makes the value of an instruction with a binary argument.
func (m *machine) binary(op byte) (any, error) {
	switch op {
	case 'K', 'M', 'J', 'G':
		return m.fixed(op)
	case 0x8a, 0x8b:
		b, err := m.sized(map[byte]uint64{0x8a: 1, 0x8b: 4}[op])
		if err != nil {
			return nil, err
		}
		return long(b)
	}
	width, ok := map[byte]uint64{
		'X': 4, 0x8c: 1, 0x8d: 8, // text
		'T': 4, 'U': 1, // strings of Python 2
		'B': 4, 'C': 1, 0x8e: 8, 0x96: 8, // bytes
	}[op]
	if !ok {
		return nil, malformed("unknown instruction "+strconv.Quote(string(rune(op))), m.i-1)
	}
	b, err := m.sized(width)
	if err != nil {
		return nil, err
	}
	switch op {
	case 'X', 0x8c, 0x8d:
		return text(b), nil
	case 'T', 'U':
		return py2String(b), nil
	}
	return pyBytes(b), nil
}

// fixed makes numbers of a fixed size.
func (m *machine) fixed(op byte) (any, error) {
	switch op {
	case 'K':
		b, err := m.take(1)
		if err != nil {
			return nil, err
		}
		return int64(b[0]), nil
	case 'M':
		b, err := m.take(2)
		if err != nil {
			return nil, err
		}
		return int64(binary.LittleEndian.Uint16(b)), nil
	case 'J':
		b, err := m.take(4)
		if err != nil {
			return nil, err
		}
		return int64(int32(binary.LittleEndian.Uint32(b))), nil //nolint:gosec // two's complement
	}
	b, err := m.take(8)
	if err != nil {
		return nil, err
	}
	return float(b), nil
}

// long reads an integer in two's complement, lowest byte first.
func long(b []byte) (any, error) {
	if len(b) > maxDigits/2 {
		return nil, &Error{ReasonTooLarge, "an integer of " + strconv.Itoa(len(b)) + " bytes"}
	}
	be := slices.Clone(b)
	slices.Reverse(be)
	n := new(big.Int).SetBytes(be)
	if len(be) > 0 && be[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(be))))
	}
	if n.IsInt64() {
		return n.Int64(), nil
	}
	return bigInt(n.String()), nil
}
