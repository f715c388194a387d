// Package strformat renders the new-style format strings of Python: "{0} of
// {name:>8.2f}", with the whole mini-language of fields and specifications, and the
// text that Python gives to values: None, True, ['a', 1].
//
// It knows nothing of records. Templates and arguments may come from
// strangers: no method of an argument is called but String, Error and
// Format (and those of the interfaces of this package), and what is
// written is bounded by [MaxLen], [MaxContainer] and [MaxWidth].
//
// Error texts are Python's own, so that what is known about them holds.
package strformat

import (
	"errors"
	"fmt"
)

// The limits that keep a small template from making a large text.
const (
	MaxLen       = 16 << 20 // bytes that one template may add
	MaxContainer = 1 << 20  // bytes after which a list, map or struct is cut off
	MaxWidth     = 4096     // the largest width or precision
)

// maxDepth is how deep fields nest: one in a spec, but none in its spec.
const maxDepth = 2

var errTooLong = fmt.Errorf("formatted text is longer than %d bytes", MaxLen)

// Named looks up named arguments.
type Named interface {
	Lookup(name string) (value any, ok bool)
}

// NamedFunc is a function that serves as a [Named].
type NamedFunc func(name string) (any, bool)

// Lookup calls f.
func (f NamedFunc) Lookup(name string) (any, bool) { return f(name) }

// Append renders template with positional and named arguments to dst. named may
// be nil. After an error dst holds what could be rendered before it.
func Append(dst []byte, template string, args []any, named Named) ([]byte, error) {
	e := evaluation{args: args, named: named, limit: len(dst) + MaxLen}
	return e.run(dst, scanner{rest: template, depth: maxDepth})
}

// Format is [Append] to a string. After an error the string is empty.
func Format(template string, args []any, named Named) (string, error) {
	b, err := Append(make([]byte, 0, len(template)+64), template, args, named)
	if err != nil {
		return "", err
	}
	return string(b), nil
}

// evaluation is the rendering of one template.
type evaluation struct {
	args  []any
	named Named
	limit int // of the length of dst

	numbers numbering
}

func (e *evaluation) run(dst []byte, s scanner) ([]byte, error) {
	for {
		literal, f, more, err := s.next(&e.numbers)
		if err != nil || !more {
			return dst, err
		}
		dst = append(dst, literal...)
		if f.present {
			if dst, err = e.field(dst, &f, s.depth); err != nil {
				return dst, err
			}
		}
		if len(dst) > e.limit {
			return dst[:e.limit], errTooLong
		}
	}
}

// field renders one field, in which specs may nest so deep.
func (e *evaluation) field(dst []byte, f *field, depth int) ([]byte, error) {
	v, err := e.argument(f)
	if err != nil {
		return dst, err
	}
	if v, err = walk(v, f.path); err != nil {
		return dst, err
	}
	spec := f.spec
	if f.nested {
		expanded, err := e.run(nil, scanner{rest: f.spec, depth: depth - 1})
		if err != nil {
			return dst, err
		}
		spec = string(expanded)
	}
	return appendConverted(dst, v, f.conv, spec, e.limit)
}

func (e *evaluation) argument(f *field) (any, error) {
	if f.index >= 0 {
		if f.index >= len(e.args) {
			return nil, fmt.Errorf("Replacement index %d out of range for positional args tuple", f.index) //nolint:staticcheck // Python's words
		}
		return e.args[f.index], nil
	}
	if e.named != nil {
		if v, ok := e.named.Lookup(f.name); ok {
			return v, nil
		}
	}
	return nil, fmt.Errorf("no argument named %s", quoted(f.name))
}

func appendConverted(dst []byte, v any, conv rune, spec string, limit int) ([]byte, error) {
	switch conv {
	case 'r':
		if spec == "" {
			return appendRepr(dst, v, limit), nil
		}
		v = string(appendRepr(nil, v, limit))
	case 's':
		if spec == "" {
			return appendStr(dst, v, limit), nil
		}
		v = string(appendStr(nil, v, limit))
	case 'a':
		v = ASCII(v)
	}
	return appendValue(dst, v, spec, limit)
}

// Template is a parsed template, for those that are used often.
type Template struct {
	source string
	parts  []Part
}

// Part is a piece of a [Template]: literal text, and the field behind it if
// HasField.
type Part struct {
	Literal  string
	HasField bool
	Name     string // of the argument; "" for a numbered one
	Path     string // what follows it, such as ".time" or ".extra[ip]"
	Conv     rune   // conversion 'r', 's', 'a'; 0 for none
	Spec     string // format specification, which may have fields itself
	Nested   bool   // it has
	index    int
	numbers  numbering // behind this field's number
}

// Parse parses a template. The errors are those of Python.
func Parse(template string) (*Template, error) {
	t := &Template{source: template}
	var numbers numbering
	s := scanner{rest: template, depth: maxDepth}
	for {
		literal, f, more, err := s.next(&numbers)
		if err != nil {
			return nil, err
		}
		if !more {
			return t, nil
		}
		p := Part{
			Literal: literal, HasField: f.present, Name: f.name, Path: f.path,
			Conv: f.conv, Spec: f.spec, Nested: f.nested, index: f.index, numbers: numbers,
		}
		if f.nested {
			if err := check(scanner{rest: f.spec, depth: maxDepth - 1}, &numbers); err != nil {
				return nil, err
			}
		}
		if n := len(t.parts); n > 0 && !t.parts[n-1].HasField {
			p.Literal = t.parts[n-1].Literal + p.Literal
			t.parts = t.parts[:n-1]
		}
		t.parts = append(t.parts, p)
	}
}

func check(s scanner, n *numbering) error {
	for {
		if _, _, more, err := s.next(n); err != nil || !more {
			return err
		}
	}
}

// String returns the template's source.
func (t *Template) String() string { return t.source }

// Parts returns the pieces of the template. They must not be changed.
func (t *Template) Parts() []Part { return t.parts }

// AppendField renders the field of p to dst.
func (p *Part) AppendField(dst []byte, args []any, named Named) ([]byte, error) {
	e := evaluation{args: args, named: named, limit: len(dst) + MaxLen, numbers: p.numbers}
	f := field{name: p.Name, index: p.index, path: p.Path, conv: p.Conv, spec: p.Spec, nested: p.Nested, present: true}
	return e.field(dst, &f, maxDepth)
}

// Steps calls step for every attribute or item of a path such as
// ".extra[ip]". It stops at the first error and returns it.
func Steps(path string, step func(name string, item bool) error) error {
	for path != "" {
		name, item, rest, err := nextStep(path)
		if err != nil {
			return err
		}
		if err := step(name, item); err != nil {
			return err
		}
		path = rest
	}
	return nil
}

func quoted(s string) string { return string(appendQuoted(nil, s)) }

var errUnsupported = errors.New("unsupported format string passed to")

func unsupported(v any) error { return fmt.Errorf("%w %s.__format__", errUnsupported, typeName(v)) }
