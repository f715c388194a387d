package model

import (
	"slices"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// Filter says which records to show. The zero Filter shows all. A record
// has to satisfy every part.
type Filter struct {
	// Min is the lowest level shown.
	Min core.Level
	// Levels are the levels shown; none means all.
	Levels LevelSet
	// Origin shows the records of one process only, unless it is zero.
	Origin Origin
	// Text is a query of words that are separated by blanks. A record must
	// contain each of them, in its message, channel, exception or extra
	// fields, in upper or lower case:
	//
	//	declined          contains "declined"
	//	"card declined"   contains the two words with the blank
	//	-healthz          does not contain "healthz"
	//	re:order \d+      matches the regular expression, which goes to the end
	//	                  of the query unless it is quoted
	//	channel:shop      was logged on shop or a channel below it, as shop.cart
	//	source:dev        came in by this subscriber
	//	process:4711      has this process id or process name
	//
	// A minus sign turns round each of them, and quotation marks serve
	// behind a colon too.
	Text string
}

// IsZero reports whether the filter shows everything.
func (f Filter) IsZero() bool { return f == Filter{} }

// Matcher is a [Filter] that is ready for use. It is immutable. A nil
// Matcher matches everything.
type Matcher struct {
	min    core.Level
	levels LevelSet
	origin Origin
	terms  []term
}

// Compile checks the filter. The only possible error is that of a regular
// expression.
func (f Filter) Compile() (*Matcher, error) {
	terms, err := parseQuery(f.Text)
	if err != nil {
		return nil, err
	}
	return &Matcher{min: f.Min, levels: f.Levels, origin: f.Origin, terms: terms}, nil
}

// all reports whether no record can fail.
func (m *Matcher) all() bool {
	return m == nil || m.min <= core.LevelNotSet && m.levels == 0 && m.origin.IsZero() && len(m.terms) == 0
}

// HasText reports whether there is anything that [Matcher.Spans] could find.
func (m *Matcher) HasText() bool {
	if m != nil {
		for i := range m.terms {
			if m.terms[i].visible() {
				return true
			}
		}
	}
	return false
}

// Match reports whether r is to be shown.
func (m *Matcher) Match(r *core.Record) bool {
	switch {
	case m == nil:
		return true
	case r.Level < m.min, m.levels != 0 && !m.levels.Has(r.Level), !m.origin.IsZero() && OriginOf(r) != m.origin:
		return false
	}
	for i := range m.terms {
		if m.terms[i].holds(r) == m.terms[i].not {
			return false
		}
	}
	return true
}

// Span is a part of a text, in bytes.
type Span struct{ Start, End int }

// maxSpans bounds what is marked in one text.
const maxSpans = 64

// Spans appends the places in text that the query asks for, in no particular
// order, at most a few dozen.
func (m *Matcher) Spans(dst []Span, text string) []Span {
	if m == nil {
		return dst
	}
	for i := range m.terms {
		if t := &m.terms[i]; t.visible() {
			dst = t.spans(dst, text)
		}
	}
	return dst
}

// holds reports whether the term, taken without its minus, is true of r.
func (t *term) holds(r *core.Record) bool {
	switch t.kind {
	case termChannel:
		return underChannel(r.Channel, t.text)
	case termSource:
		return strings.EqualFold(r.Source.Name, t.text) || strings.EqualFold(r.Source.Peer, t.text)
	case termProcess:
		return strings.EqualFold(r.Process.Name, t.text) || strconv.Itoa(r.Process.ID) == t.text
	}
	if t.in(r.Message()) || t.in(r.Channel) {
		return true
	}
	if e := r.Exception; e != nil && (t.in(e.Name) || t.in(e.Message) || t.in(e.Traceback)) {
		return true
	}
	for i := range r.Extra {
		if t.in(r.Extra[i].Key) || t.inValue(r.Extra[i].Value) {
			return true
		}
	}
	return false
}

func underChannel(channel, root string) bool {
	return len(channel) >= len(root) && strings.EqualFold(channel[:len(root)], root) &&
		(len(channel) == len(root) || channel[len(root)] == '.')
}

func (t *term) inValue(v any) bool {
	switch v := v.(type) {
	case string:
		return t.in(v)
	case int64:
		var buf [20]byte
		return t.in(string(strconv.AppendInt(buf[:0], v, 10)))
	case nil:
		return false
	case []any:
		return slices.ContainsFunc(v, t.inValue)
	case map[string]any:
		for k, e := range v {
			if t.in(k) || t.inValue(e) {
				return true
			}
		}
		return false
	}
	return t.in(ValueText(v))
}
