package format

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
	"github.com/logbook-tray/logbook-tray/core/internal/strftime"
)

// DefaultTemplate is the format string of handlers that are not given one.
// It is Logbook's, without the offset, which is empty there.
const DefaultTemplate = "[{record.time:%Y-%m-%d %H:%M:%S.%f}] {record.level_name}: {record.channel}: {record.message}"

// Options changes how [String] renders. The zero value is ready to use.
type Options struct {
	// Location is the time zone in which times are shown; nil is UTC, which
	// is Logbook's default. time.Local is the zone of the machine.
	Location *time.Location
	// NoException leaves out the traceback that otherwise follows the text
	// on lines of its own.
	NoException bool
}

// String formats records by a format string of Python, like Logbook's
// StringFormatter. The template is parsed once.
//
// A field is an attribute of the record ([Attributes] lists them) with whatever
// Python allows behind it: items ({record.extra[ip]}; a missing key is empty),
// a conversion (!r, !s, !a), and a specification, such as {record.level_name:<8},
// {record.lineno:5d} or, for times, the directives of strftime:
// {record.time:%H:%M:%S.%f}. A specification can have fields itself.
type String struct {
	template string
	options  Options
	pieces   []piece
}

var _ Formatter = (*String)(nil)

// piece is literal text and a field behind it.
type piece struct {
	literal string
	form    form
	attr    attribute
	key     string // of the extra data
	field   strformat.Part
}

// form tells how a field is rendered.
type form uint8

const (
	formNone    form = iota // there is no field
	formPlain               // an attribute as it is
	formExtra               // an entry of the extra data as it is
	formTime                // a time by directives
	formGeneral             // anything else
)

// NewString parses a format string such as [DefaultTemplate]. The error says
// what is wrong with it: an unbalanced brace, an attribute that records do not have.
func NewString(template string, o Options) (*String, error) {
	parsed, err := strformat.Parse(template)
	if err != nil {
		return nil, fmt.Errorf("format string %q: %w", template, err)
	}
	s := &String{template: template, options: o}
	for _, part := range parsed.Parts() {
		p := piece{literal: part.Literal, field: part}
		if part.HasField {
			if err := p.compile(); err != nil {
				return nil, fmt.Errorf("format string %q: %w", template, err)
			}
		}
		s.pieces = append(s.pieces, p)
	}
	return s, nil
}

// compile finds out which attribute a field is about and how to render it.
func (p *piece) compile() error {
	f := &p.field
	if f.Name != "record" {
		return fmt.Errorf("field {%s}: fields begin with \"record.\", such as {record.message}", f.Name+f.Path)
	}
	var steps []string
	items := 0
	err := strformat.Steps(f.Path, func(name string, item bool) error {
		steps = append(steps, name)
		if item {
			items++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		return errors.New("field {record}: an attribute is missing, such as {record.message}")
	}
	if p.attr = attributeOf(steps[0]); p.attr == attrNone || f.Path[0] != '.' {
		return fmt.Errorf("records have no attribute %q (there are %s)", steps[0], strings.Join(Attributes(), ", "))
	}
	p.form = formGeneral
	switch {
	case f.Conv != 0:
	case len(steps) == 1 && f.Spec == "":
		p.form = formPlain
	case len(steps) == 1 && p.attr == attrTime && !f.Nested:
		p.form = formTime
	case len(steps) == 2 && items == 1 && p.attr == attrExtra && f.Spec == "":
		p.form, p.key = formExtra, steps[1]
	}
	return nil
}

// Default returns the formatter of [DefaultTemplate].
func Default() *String {
	s, err := NewString(DefaultTemplate, Options{})
	if err != nil {
		panic(err) // a constant that tests cover
	}
	return s
}

// Template returns the format string.
func (s *String) Template() string { return s.template }

// Append renders r. A field whose value does not fit its specification is left
// out; the error tells about the first of them.
func (s *String) Append(dst []byte, r *core.Record) ([]byte, error) {
	var failed error
	for i := range s.pieces {
		p := &s.pieces[i]
		dst = append(dst, p.literal...)
		switch p.form {
		case formNone:
		case formPlain:
			dst = appendAttribute(dst, r, p.attr, s.options.Location)
		case formExtra:
			dst = strformat.AppendStr(dst, r.Extra.Get(p.key))
		case formTime:
			dst = strftime.Append(dst, p.field.Spec, inZone(r.Time, s.options.Location))
		case formGeneral:
			start := len(dst)
			var err error
			if dst, err = p.field.AppendField(dst, nil, &scope{r, s.options.Location}); err != nil {
				dst = dst[:start]
				if failed == nil {
					failed = fmt.Errorf("format {record%s}: %w", p.field.Path, err)
				}
			}
		}
	}
	if !s.options.NoException && r.Exception != nil && r.Exception.Traceback != "" {
		dst = append(append(dst, '\n'), r.Exception.Traceback...)
	}
	return dst, failed
}

// scope is what the names in a format string stand for.
type scope struct {
	record *core.Record
	zone   *time.Location
}

// Lookup implements the access of format strings.
func (s *scope) Lookup(name string) (any, bool) {
	if name == "record" {
		return s, true
	}
	return nil, false
}

// Attribute implements the access of format strings to the record.
func (s *scope) Attribute(name string) (any, bool) {
	a := attributeOf(name)
	return valueOf(s.record, a, s.zone), a != attrNone
}
