package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// formatPercent renders a template of Python's logging package, such as
// "%s took %.1f ms" or "%(user)s", with the arguments of a record. ok is false if
// they do not fit; text is then the template.
func formatPercent(template string, args []any) (text string, ok bool) {
	if len(args) == 0 || !strings.Contains(template, "%") {
		return template, len(args) == 0
	}
	named, _ := args[0].(map[string]any)
	if len(args) > 1 {
		named = nil
	}
	p := percent{template: template, args: args, named: named}
	return p.format()
}

// maxFormatted bounds a formatted message: a small template can use a large argument
// many times.
const maxFormatted = 4 << 20

type percent struct {
	template string
	args     []any
	named    map[string]any
	next     int
	out      strings.Builder
}

func (p *percent) format() (string, bool) {
	rest := p.template
	for {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			break
		}
		p.out.WriteString(rest[:i])
		n := p.directive(rest[i+1:])
		if n == 0 {
			return p.template, false
		}
		rest = rest[i+1+n:]
		if p.out.Len() > maxFormatted {
			return p.template, false
		}
	}
	p.out.WriteString(rest)
	if p.next < len(p.args) && p.named == nil {
		return p.template, false
	}
	return p.out.String(), true
}

// directive renders the one that s starts with, behind its percent sign, and
// returns its length; 0 if it is none or has no argument.
func (p *percent) directive(s string) int {
	i := 0
	var v any
	found := false
	if strings.HasPrefix(s, "(") {
		end := strings.IndexByte(s, ')')
		if end < 0 {
			return 0
		}
		v, found = p.named[s[1:end]]
		i = end + 1
		if !found {
			return 0
		}
	}
	start := i
	for i < len(s) && strings.IndexByte("#0- +.123456789hlL", s[i]) >= 0 {
		i++
	}
	if i >= len(s) || i-start > 8 {
		return 0
	}
	if s[i] == '%' {
		p.out.WriteByte('%')
		return i + 1
	}
	if !found {
		if p.next >= len(p.args) {
			return 0
		}
		v = p.args[p.next]
		p.next++
	}
	if !p.write(strings.Trim(s[start:i], "hlL"), s[i], v) {
		return 0
	}
	return i + 1
}

// write renders one value. flags are flags, width and precision, which Go has in
// common with Python; their few digits bound what they can ask for.
func (p *percent) write(flags string, verb byte, v any) bool {
	if w, precision, _ := strings.Cut(strings.TrimLeft(flags, "#0- +"), "."); len(w) > 3 || len(precision) > 3 {
		return false
	}
	switch verb {
	case 's':
		fmt.Fprintf(&p.out, "%"+flags+"s", pythonText(v))
	case 'r', 'a':
		fmt.Fprintf(&p.out, "%"+flags+"s", strformat.Repr(v))
	case 'd', 'i', 'u', 'x', 'X', 'o', 'c':
		n, ok := asInt(v)
		if !ok {
			return false
		}
		if verb == 'i' || verb == 'u' {
			verb = 'd'
		}
		fmt.Fprintf(&p.out, "%"+flags+string(verb), n)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		f, ok := asFloat(v)
		if !ok {
			return false
		}
		fmt.Fprintf(&p.out, "%"+flags+string(verb), f)
	default:
		return false
	}
	return true
}

// pythonText is str(v) in Python.
func pythonText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return strformat.Repr(v)
}

func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return int64(v), true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	}
	return 0, false
}
