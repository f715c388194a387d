package wire

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// pythonLiteral reads the repr of a value of Python that is made of numbers, text,
// None, True, False, tuples, lists and dictionaries. ok is false for everything else.
func pythonLiteral(s string) (v any, ok bool) {
	p := literal{s: s, room: 10_000}
	v, ok = p.value(0)
	p.space()
	return v, ok && p.i == len(s)
}

type literal struct {
	s    string
	i    int
	room int
}

func (p *literal) space() {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
}

func (p *literal) accept(s string) bool {
	if strings.HasPrefix(p.s[p.i:], s) {
		p.i += len(s)
		return true
	}
	return false
}

func (p *literal) value(depth int) (any, bool) {
	p.space()
	if p.room--; p.room < 0 || depth > 32 || p.i >= len(p.s) {
		return nil, false
	}
	switch c := p.s[p.i]; {
	case c == '(':
		return p.list(")", depth)
	case c == '[':
		return p.list("]", depth)
	case c == '{':
		return p.dict(depth)
	case p.accept("None"):
		return nil, true
	case p.accept("True"):
		return true, true
	case p.accept("False"):
		return false, true
	case p.accept("nan"):
		return math.NaN(), true
	case strings.IndexByte("'\"ub", c) >= 0:
		return p.text()
	}
	return p.number()
}

func (p *literal) list(end string, depth int) (any, bool) {
	p.i++
	list := []any{}
	for {
		p.space()
		if p.accept(end) {
			return list, true
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		list = append(list, v)
		p.space()
		if !p.accept(",") {
			return list, p.accept(end)
		}
	}
}

func (p *literal) dict(depth int) (any, bool) {
	p.i++
	dict := map[string]any{}
	for {
		p.space()
		if p.accept("}") {
			return dict, true
		}
		key, ok := p.value(depth + 1)
		p.space()
		if !ok || !p.accept(":") {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		dict[pythonText(key)] = v
		p.space()
		if !p.accept(",") {
			return dict, p.accept("}")
		}
	}
}

// text reads 'text', "text", u'text' and b'text'; the last as the text it is.
func (p *literal) text() (any, bool) {
	start := p.i
	bytes := p.accept("b")
	_ = p.accept("u")
	if p.i >= len(p.s) || p.s[p.i] != '\'' && p.s[p.i] != '"' {
		return nil, false
	}
	quote := p.s[p.i]
	p.i++
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch {
		case c == quote && bytes:
			return p.s[start:p.i], true
		case c == quote:
			return strings.ToValidUTF8(b.String(), "\ufffd"), true
		case c == '\\':
			if !p.escape(&b) {
				return nil, false
			}
		default:
			b.WriteByte(c)
		}
	}
	return nil, false
}

func (p *literal) escape(b *strings.Builder) bool {
	if p.i >= len(p.s) {
		return false
	}
	c := p.s[p.i]
	p.i++
	if at := strings.IndexByte(`nrtabfv\'"`, c); at >= 0 {
		b.WriteByte("\n\r\t\a\b\f\v\\'\""[at])
		return true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 || p.i+digits > len(p.s) {
		return false
	}
	n, err := strconv.ParseUint(p.s[p.i:p.i+digits], 16, 31)
	p.i += digits
	b.WriteRune(rune(n)) //nolint:gosec // 31 bits
	return err == nil
}

func (p *literal) number() (any, bool) {
	start := p.i
	for p.i < len(p.s) && strings.IndexByte("+-0123456789.einfL", p.s[p.i]) >= 0 {
		p.i++
	}
	text := strings.TrimSuffix(p.s[start:p.i], "L")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && strings.Trim(text, "-0123456789") == "" {
		return json.Number(text), true
	}
	return f, err == nil
}
