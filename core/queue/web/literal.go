package web

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds how deep literals may nest.
const maxNesting = 16

// literal reads what Python's repr() prints of plain values.
type literal struct{ text string }

func (p *literal) space() { p.text = strings.TrimLeft(p.text, " ") }

// eat steps over prefix if it comes next.
func (p *literal) eat(prefix string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.text, prefix)
	p.text = rest
	return ok
}

// value reads one value.
func (p *literal) value(depth int) (any, bool) {
	if depth > maxNesting {
		return nil, false
	}
	switch {
	case p.eat("("):
		return p.list(")", depth)
	case p.eat("["):
		return p.list("]", depth)
	case p.eat("{"):
		return p.dict(depth)
	case p.eat("None"):
		return nil, true
	case p.eat("True"):
		return true, true
	case p.eat("False"):
		return false, true
	}
	if s, ok := p.quoted(); ok {
		return s, true
	}
	return p.number()
}

func (p *literal) list(end string, depth int) (any, bool) {
	out := []any{}
	for !p.eat(end) {
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
		if !p.eat(",") {
			return out, p.eat(end)
		}
	}
	return out, true
}

func (p *literal) dict(depth int) (any, bool) {
	out := map[string]any{}
	for !p.eat("}") {
		key, ok := p.value(depth + 1)
		name, isText := key.(string)
		if !ok || !isText || !p.eat(":") {
			return nil, false
		}
		if out[name], ok = p.value(depth + 1); !ok {
			return nil, false
		}
		if !p.eat(",") {
			return out, p.eat("}")
		}
	}
	return out, true
}

func (p *literal) number() (any, bool) {
	n := strings.IndexFunc(p.text, func(r rune) bool { return !strings.ContainsRune("+-.0123456789eEinfaL", r) })
	if n < 0 {
		n = len(p.text)
	}
	word := p.text[:n]
	p.text = p.text[n:]
	if i, err := strconv.ParseInt(strings.TrimSuffix(word, "L"), 10, 64); err == nil { // 1L in Python 2
		return i, true
	}
	x, err := strconv.ParseFloat(word, 64)
	return x, err == nil
}

// quoted reads a string or bytes.
func (p *literal) quoted() (string, bool) {
	s := p.text
	if s != "" && (s[0] == 'u' || s[0] == 'b') {
		s = s[1:]
	}
	if s == "" || s[0] != '\'' && s[0] != '"' {
		return "", false
	}
	quote := s[0]
	var out strings.Builder
	for i := 1; i < len(s); {
		switch c := s[i]; c {
		case quote:
			p.text = s[i+1:]
			return out.String(), true
		case '\\':
			n := unescape(&out, s[i+1:])
			if n == 0 {
				return "", false
			}
			i += 1 + n
		default:
			out.WriteByte(c)
			i++
		}
	}
	return "", false
}

// unescape writes what follows a backslash and returns its length, 0 if it is wrong.
func unescape(out *strings.Builder, s string) int {
	if s == "" {
		return 0
	}
	digits := 0
	switch s[0] {
	case 'n':
		out.WriteByte('\n')
	case 't':
		out.WriteByte('\t')
	case 'r':
		out.WriteByte('\r')
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		out.WriteByte(s[0])
	}
	if digits == 0 {
		return 1
	}
	if len(s) <= digits {
		return 0
	}
	n, err := strconv.ParseUint(s[1:1+digits], 16, 32)
	if err != nil {
		return 0
	}
	if n > utf8.MaxRune {
		n = utf8.RuneError
	}
	out.WriteRune(rune(n)) //nolint:gosec // within the range of runes
	return 1 + digits
}
