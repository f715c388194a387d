package strformat

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// spec is a format specification of Python:
// [[fill]align][sign][z][#][0][width][grouping][.precision][type].
type spec struct {
	fill      rune
	align     byte // '<', '>', '=', '^'
	sign      byte // 0 for none, or '+', '-', ' '
	noNegZero bool
	alternate bool
	width     int // -1 for none
	grouping  byte
	precision int  // -1 for none
	kind      rune // 0 for none
	aligned   bool // the alignment was given
}

// parseSpec parses a specification for a value of the type called name, whose
// text stands at the side that align says, and whose type code is kind if the
// specification has none.
func parseSpec(s string, align byte, kind rune, name string) (spec, error) {
	f := spec{fill: ' ', align: align, width: -1, precision: -1, kind: kind}
	p := specParser{rest: s}
	filled := p.alignment(&f)
	if c := p.peek(); c == '+' || c == '-' || c == ' ' {
		f.sign = p.take()
	}
	if p.peek() == 'z' {
		f.noNegZero = p.take() != 0
	}
	if p.peek() == '#' {
		f.alternate = p.take() != 0
	}
	if !filled && p.peek() == '0' {
		p.take()
		f.fill = '0'
		if !f.aligned && align == '>' {
			f.align = '='
		}
	}
	var err error
	if f.width, err = p.number(); err != nil {
		return f, err
	}
	if err := p.group(&f); err != nil {
		return f, err
	}
	if p.peek() == '.' {
		p.take()
		if f.precision, err = p.number(); err != nil {
			return f, err
		}
		if f.precision < 0 {
			return f, errors.New("Format specifier missing precision")
		}
	}
	if p.rest != "" {
		kind, size := utf8.DecodeRuneInString(p.rest)
		if size < len(p.rest) {
			return f, fmt.Errorf("Invalid format specifier '%s' for object of type '%s'", s, name) //nolint:staticcheck // Python's words
		}
		f.kind = kind
	}
	return f, f.checkGrouping()
}

// specParser takes a specification apart from the left.
type specParser struct{ rest string }

func (p *specParser) peek() byte {
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *specParser) take() byte {
	c := p.rest[0]
	p.rest = p.rest[1:]
	return c
}

func isAlign(c byte) bool { return c == '<' || c == '>' || c == '=' || c == '^' }

func (p *specParser) alignment(f *spec) (filled bool) {
	if p.rest == "" {
		return false
	}
	fill, size := utf8.DecodeRuneInString(p.rest)
	switch {
	case len(p.rest) > size && isAlign(p.rest[size]):
		f.fill, f.align, f.aligned = fill, p.rest[size], true
		p.rest = p.rest[size+1:]
		return true
	case isAlign(p.rest[0]):
		f.align, f.aligned = p.take(), true
	}
	return false
}

// number takes a number; -1 if there is none.
func (p *specParser) number() (int, error) {
	n := -1
	for p.rest != "" && p.rest[0] >= '0' && p.rest[0] <= '9' {
		n = max(n, 0)*10 + int(p.take()-'0')
		if n > MaxWidth {
			return 0, fmt.Errorf("width or precision is larger than %d", MaxWidth)
		}
	}
	return n, nil
}

func (p *specParser) group(f *spec) error {
	if p.peek() == ',' {
		f.grouping = p.take()
	}
	if p.peek() == '_' {
		if f.grouping != 0 {
			return errors.New("Cannot specify both ',' and '_'.") //nolint:staticcheck,revive // Python's words
		}
		f.grouping = p.take()
	}
	if p.peek() == ',' && f.grouping == '_' {
		return errors.New("Cannot specify both ',' and '_'.") //nolint:staticcheck,revive // Python's words
	}
	return nil
}

func (f *spec) checkGrouping() error {
	if f.grouping == 0 {
		return nil
	}
	switch f.kind {
	case 0, 'd', 'e', 'f', 'g', 'E', 'G', '%', 'F':
		return nil
	case 'b', 'o', 'x', 'X':
		if f.grouping == '_' {
			return nil
		}
	}
	return fmt.Errorf("Cannot specify '%c' with '%c'.", f.grouping, f.kind) //nolint:staticcheck,revive // Python's words
}

// pad appends text, of which the first head bytes are sign and prefix, filled up
// to the width.
func (f *spec) pad(dst, text []byte, head int) []byte {
	missing := f.width - utf8.RuneCount(text)
	if missing <= 0 {
		return append(dst, text...)
	}
	left := 0
	switch f.align {
	case '>':
		left = missing
	case '^':
		left = missing / 2
	case '=':
		dst = append(dst, text[:head]...)
		return append(f.filler(dst, missing), text[head:]...)
	}
	dst = append(f.filler(dst, left), text...)
	return f.filler(dst, missing-left)
}

func (f *spec) filler(dst []byte, n int) []byte {
	for range n {
		dst = utf8.AppendRune(dst, f.fill)
	}
	return dst
}

// appendString formats a text by a specification.
func appendString(dst []byte, text, s, name string) ([]byte, error) {
	f, err := parseSpec(s, '<', 's', name)
	switch {
	case err != nil:
		return dst, err
	case f.kind != 's':
		return dst, unknownCode(f.kind, name)
	case f.sign == ' ':
		return dst, errors.New("Space not allowed in string format specifier") //nolint:staticcheck // Python's words
	case f.sign != 0:
		return dst, errors.New("Sign not allowed in string format specifier") //nolint:staticcheck // Python's words
	case f.noNegZero:
		return dst, errors.New("Negative zero coercion (z) not allowed in string format specifier") //nolint:staticcheck // Python's words
	case f.alternate:
		return dst, errors.New("Alternate form (#) not allowed in string format specifier") //nolint:staticcheck // Python's words
	case f.align == '=':
		return dst, errors.New("'=' alignment not allowed in string format specifier")
	}
	if f.precision >= 0 {
		text = firstRunes(text, f.precision)
	}
	return f.pad(dst, []byte(text), 0), nil
}

// firstRunes returns the first n characters of s.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func unknownCode(code rune, name string) error {
	if code > 32 && code < 127 {
		return fmt.Errorf("Unknown format code '%c' for object of type '%s'", code, name) //nolint:staticcheck // Python's words
	}
	return fmt.Errorf("Unknown format code '\\x%x' for object of type '%s'", code, name) //nolint:staticcheck // Python's words
}
