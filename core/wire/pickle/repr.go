package pickle

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// maxRepr bounds the text that describes a value in passing.
const maxRepr = 200

// repr describes a value like Python's repr, briefly. Collections are followed depth
// levels.
func repr(v any, depth int) string {
	var b strings.Builder
	describe(&b, v, depth)
	if s := b.String(); len(s) > maxRepr {
		return strings.ToValidUTF8(s[:maxRepr], "") + cutOff
	}
	return b.String()
}

func describe(b *strings.Builder, v any, depth int) {
	if b.Len() > maxRepr {
		b.WriteString(cutOff)
		return
	}
	switch v := v.(type) {
	case *object:
		describeObject(b, v, depth)
	case *list:
		describeList(b, v, depth)
	case *dict:
		describeDict(b, v, depth)
	default:
		describeScalar(b, v)
	}
}

func describeScalar(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case bigInt:
		b.WriteString(string(v))
	case float64:
		b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
	case string:
		quote(b, v)
	case py2String:
		quote(b, decoded(string(v)))
	case pyBytes:
		describeBytes(b, string(v))
	case fmt.Stringer: // a timedelta
		b.WriteString(v.String())
	case zone:
		b.WriteString("UTC" + isoZone([]any{nil, v}))
	case *global:
		b.WriteString("<" + v.module + "." + v.name + ">")
	}
}

func quote(b *strings.Builder, s string) {
	if len(s) > maxRepr {
		s = strings.ToValidUTF8(s[:maxRepr], "")
	}
	q := strconv.Quote(s)
	b.WriteString("'" + strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), "'", `\'`) + "'")
}

func describeBytes(b *strings.Builder, s string) {
	b.WriteString("b'")
	for i := range len(s) {
		if b.Len() > maxRepr {
			b.WriteString(cutOff)
			break
		}
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= ' ' && c < 0x7f:
			b.WriteByte(c)
		default:
			fmt.Fprintf(b, `\x%02x`, c)
		}
	}
	b.WriteByte('\'')
}

// describeObject writes "<module.Name>", with its arguments if they are short and
// plain: "<http.HTTPMethod('GET')>".
func describeObject(b *strings.Builder, o *object, depth int) {
	if depth < 0 {
		b.WriteString(cutOff)
		return
	}
	name := "object"
	switch of := o.of.(type) {
	case *global:
		name = of.module + "." + of.name
		if member, ok := attribute(of, o.args); ok {
			b.WriteString("<" + member + ">")
			return
		}
	case *object:
		name = strings.Trim(repr(of, depth-1), "<>")
	}
	b.WriteString("<" + name)
	if len(o.args) > 0 && len(o.args) <= 4 {
		describe(b, &list{kind: pyTuple, items: o.args}, 0)
	}
	b.WriteString(">")
}

func describeList(b *strings.Builder, l *list, depth int) {
	if depth < 0 {
		b.WriteString(cutOff)
		return
	}
	brackets := map[listKind]string{pyList: "[]", pyTuple: "()", pySet: "{}"}[l.kind]
	b.WriteByte(brackets[0])
	for i, e := range l.items {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > maxRepr {
			break
		}
		describe(b, e, depth-1)
	}
	if l.kind == pyTuple && len(l.items) == 1 && depth > 0 {
		b.WriteByte(',')
	}
	b.WriteByte(brackets[1])
}

func describeDict(b *strings.Builder, d *dict, depth int) {
	if depth < 0 {
		b.WriteString(cutOff)
		return
	}
	b.WriteByte('{')
	for i := range d.keys {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > maxRepr {
			break
		}
		describe(b, d.keys[i], depth-1)
		b.WriteString(": ")
		describe(b, d.values[i], depth-1)
	}
	b.WriteByte('}')
}

// complexText is the repr of a complex number.
func complexText(re, im any) (any, bool) {
	r, ok1 := re.(float64)
	i, ok2 := im.(float64)
	if !ok1 || !ok2 {
		return nil, false
	}
	return strings.Replace(strconv.FormatComplex(complex(r, i), 'g', -1, 128), "i)", "j)", 1), true
}

func formatUUID(decimal string) (string, bool) {
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return "", false
	}
	s := fmt.Sprintf("%032x", n)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], true
}

// attribute describes getattr(module.Name, 'member'), by which members of enumerations
// are pickled.
func attribute(of *global, args []any) (string, bool) {
	if of.name != "getattr" || len(args) != 2 {
		return "", false
	}
	class, ok1 := args[0].(*global)
	member, ok2 := asText(args[1])
	if !ok1 || !ok2 {
		return "", false
	}
	return class.module + "." + class.name + "." + member, true
}
