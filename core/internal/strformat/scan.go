package strformat

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// scanner cuts a template into literal text and replacement fields. It
// allocates nothing, so that a message can be formatted in one pass.
type scanner struct {
	rest  string
	depth int // how deep specs may still nest
}

// numbering tells how the fields of one template are numbered; the fields in
// their specs count along.
type numbering struct {
	next   int
	auto   bool // there was a field without a number
	manual bool // there was a field with one
}

// field is a replacement field: {name.path!conv:spec}.
type field struct {
	name    string // of the argument; "" for a numbered one
	index   int    // of the argument; -1 for a named one
	path    string // ".attr[item]" behind the name, unparsed
	conv    rune   // 'r', 's', 'a', or 0
	spec    string
	nested  bool // spec has fields itself
	present bool
}

// next returns the text up to the next field and that field, if there is one. At
// the end of the template more is false.
func (s *scanner) next(n *numbering) (literal string, f field, more bool, err error) {
	if s.rest == "" {
		return "", field{}, false, nil
	}
	i := strings.IndexAny(s.rest, "{}")
	if i < 0 {
		literal, s.rest = s.rest, ""
		return literal, field{}, true, nil
	}
	c := s.rest[i]
	switch {
	case i+1 < len(s.rest) && s.rest[i+1] == c: // escaped
		literal, s.rest = s.rest[:i+1], s.rest[i+2:]
		return literal, field{}, true, nil
	case c == '}' || i+1 == len(s.rest):
		return "", field{}, false, fmt.Errorf("Single '%c' encountered in format string", c) //nolint:staticcheck // Python's words
	}
	literal, s.rest = s.rest[:i], s.rest[i+1:]
	f, err = s.field(n)
	return literal, f, true, err
}

// field scans a replacement field behind its opening brace.
func (s *scanner) field(n *numbering) (f field, err error) {
	f.present = true
	end, c, err := fieldNameEnd(s.rest)
	if err != nil {
		return f, err
	}
	if err := n.name(&f, s.rest[:end]); err != nil {
		return f, err
	}
	s.rest = s.rest[end+1:]
	if c == '!' {
		if done, err := s.conversion(&f); done || err != nil {
			return f, err
		}
	}
	if c == '}' {
		return f, nil
	}
	return f, s.spec(&f)
}

// fieldNameEnd returns where the name ends and the character that ends it.
func fieldNameEnd(s string) (end int, c byte, err error) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '{':
			return 0, 0, errors.New("unexpected '{' in field name")
		case '[':
			if closing := strings.IndexByte(s[i+1:], ']'); closing >= 0 {
				i += closing
			} else {
				i = len(s)
			}
		case '}', ':', '!':
			return i, s[i], nil
		}
	}
	return 0, 0, errors.New("expected '}' before end of string")
}

// name splits the name of the argument from the path behind it, and numbers the
// field.
func (n *numbering) name(f *field, name string) error {
	if i := strings.IndexAny(name, ".["); i >= 0 {
		name, f.path = name[:i], name[i:]
	}
	f.name, f.index = name, -1
	if name == "" {
		if n.manual {
			return errors.New("cannot switch from manual field specification to automatic field numbering")
		}
		n.auto = true
		f.index = n.next
		n.next++
		return nil
	}
	index, ok, err := integer(name)
	if err != nil || !ok {
		return err
	}
	if n.auto {
		return errors.New("cannot switch from automatic field numbering to manual field specification")
	}
	n.manual = true
	f.name, f.index = "", index
	return nil
}

// maxInteger bounds the numbers in a template, so that they fit an int everywhere.
const maxInteger = math.MaxInt32/10 - 1

// integer reads a number without a sign. ok is false for anything else.
func integer(s string) (n int, ok bool, err error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false, nil
		}
		if n > maxInteger {
			return 0, false, errors.New("Too many decimal digits in format string") //nolint:staticcheck // Python's words
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != "", nil
}

// conversion scans what stands behind an exclamation mark. done tells that the
// field ends there.
func (s *scanner) conversion(f *field) (done bool, err error) {
	if s.rest == "" {
		return false, errors.New("end of string while looking for conversion specifier")
	}
	c, size := utf8.DecodeRuneInString(s.rest)
	s.rest = s.rest[size:]
	f.conv = c
	if s.rest == "" {
		return false, errors.New("unmatched '{' in format spec")
	}
	c2 := s.rest[0]
	s.rest = s.rest[1:]
	switch {
	case c2 != '}' && c2 != ':':
		return false, errors.New("expected ':' after conversion specifier")
	case c != 'r' && c != 's' && c != 'a':
		return false, fmt.Errorf("Unknown conversion specifier %c", c) //nolint:staticcheck // Python's words
	}
	return c2 == '}', nil
}

// spec scans the format specification up to the brace that closes the field.
func (s *scanner) spec(f *field) error {
	open := 1
	for i := range len(s.rest) {
		switch s.rest[i] {
		case '{':
			f.nested = true
			open++
		case '}':
			open--
			if open == 0 {
				f.spec, s.rest = s.rest[:i], s.rest[i+1:]
				if f.nested && s.depth <= 1 {
					return errors.New("Max string recursion exceeded") //nolint:staticcheck // Python's words
				}
				return nil
			}
		}
	}
	return errors.New("unmatched '{' in format spec")
}
