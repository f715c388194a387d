package recordjson

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
)

const (
	// maxDepth leaves room for what a decoder accepts at most by default.
	maxDepth = 80
	// maxNodes bounds data that is small in memory and huge when written out, such
	// as a list that holds another one twice, and so on.
	maxNodes = 1 << 19
	// cutOff stands for what lies beyond these limits.
	cutOff = `"..."`
)

type encoder struct {
	dst  []byte
	room int // how many more values may be written
}

// value writes v, which lies depth levels down.
func (e *encoder) value(v any, depth int) {
	if e.room--; e.room < 0 || depth > maxDepth {
		e.raw(cutOff)
		return
	}
	switch v := v.(type) {
	case nil:
		e.raw("null")
	case bool:
		e.dst = strconv.AppendBool(e.dst, v)
	case string:
		e.text(v)
	case int:
		e.integer(int64(v))
	case int64:
		e.integer(v)
	case float64:
		e.float(v, 64)
	case json.Number:
		e.number(v)
	case []any:
		e.slice(reflect.ValueOf(v), depth)
	case map[string]any:
		e.dictionary(reflect.ValueOf(v), depth)
	case []byte:
		e.text(string(v))
	case time.Time:
		e.dst = append(e.dst, '"')
		e.dst = append(isotime.Append(e.dst, v), '"')
	case error, fmt.Stringer:
		e.text(fmt.Sprint(v)) // which survives a method that panics
	default:
		e.reflected(reflect.ValueOf(v), depth)
	}
}

// reflected writes a value of a type that value does not know.
func (e *encoder) reflected(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		e.dst = strconv.AppendBool(e.dst, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.integer(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.dst = strconv.AppendUint(e.dst, v.Uint(), 10)
	case reflect.Float32:
		e.float(v.Float(), 32)
	case reflect.Float64:
		e.float(v.Float(), 64)
	case reflect.String:
		e.text(v.String())
	case reflect.Slice, reflect.Array:
		e.slice(v, depth)
	case reflect.Map:
		e.dictionary(v, depth)
	case reflect.Struct:
		e.structure(v, depth)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			e.raw("null")
			return
		}
		e.inner(v.Elem(), depth+1)
	case reflect.Complex64, reflect.Complex128:
		e.text(strconv.FormatComplex(v.Complex(), 'g', -1, 128))
	default: // functions, channels and the like have no content to show
		e.text("<" + v.Type().String() + ">")
	}
}

// inner writes an element of a container.
func (e *encoder) inner(v reflect.Value, depth int) {
	if v.CanInterface() {
		e.value(v.Interface(), depth)
		return
	}
	e.text("<" + v.Type().String() + ">")
}

func (e *encoder) slice(v reflect.Value, depth int) {
	e.dst = append(e.dst, '[')
	for i := range v.Len() {
		if i > 0 {
			e.raw(", ")
		}
		e.inner(v.Index(i), depth+1)
		if e.room < 0 {
			break
		}
	}
	e.dst = append(e.dst, ']')
}

// dictionary writes a map with its keys as text, sorted.
func (e *encoder) dictionary(v reflect.Value, depth int) {
	type member struct {
		name  string
		value reflect.Value
	}
	members := make([]member, 0, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		members = append(members, member{name(iter.Key()), iter.Value()})
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	e.dst = append(e.dst, '{')
	for i, m := range members {
		if i > 0 {
			e.raw(", ")
		}
		e.text(m.name)
		e.raw(": ")
		e.inner(m.value, depth+1)
		if e.room < 0 {
			break
		}
	}
	e.dst = append(e.dst, '}')
}

// name returns the text of a map's key. Keys cannot hold maps or lists, so that
// formatting one ends.
func name(k reflect.Value) string {
	if k.Kind() == reflect.String {
		return k.String()
	}
	if k.CanInterface() {
		return fmt.Sprint(k.Interface())
	}
	return k.Type().String()
}

// structure writes the exported fields of a struct under their names.
func (e *encoder) structure(v reflect.Value, depth int) {
	e.dst = append(e.dst, '{')
	first := true
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		if !first {
			e.raw(", ")
		}
		first = false
		e.text(f.Name)
		e.raw(": ")
		e.inner(v.Field(i), depth+1)
	}
	e.dst = append(e.dst, '}')
}

// float writes a number so that it is read as one with a fraction again. What JSON
// has no number for becomes text.
func (e *encoder) float(f float64, size int) {
	switch {
	case math.IsNaN(f):
		e.raw(`"NaN"`)
	case math.IsInf(f, 1):
		e.raw(`"Infinity"`)
	case math.IsInf(f, -1):
		e.raw(`"-Infinity"`)
	default:
		start := len(e.dst)
		e.dst = strconv.AppendFloat(e.dst, f, 'g', -1, size)
		if !strings.ContainsAny(string(e.dst[start:]), ".e") {
			e.raw(".0")
		}
	}
}

// number writes n if it is a number of JSON, otherwise as text: it may have
// been made in Go from any string.
func (e *encoder) number(n json.Number) {
	if n != "" && (n[0] == '-' || n[0]-'0' <= 9) && json.Valid([]byte(n)) {
		e.raw(string(n))
		return
	}
	e.text(string(n))
}

const hex = "0123456789abcdef"

// text writes a string. Line separators that JavaScript does not allow are escaped
// too, and bytes that are no UTF-8 become U+FFFD.
func (e *encoder) text(s string) {
	e.dst = append(e.dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf && c != 0x7f {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			e.dst = append(e.dst, s[start:i]...)
			e.escape(c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' {
			e.dst = append(e.dst, s[start:i]...)
			e.unicode(uint16(r)) //nolint:gosec // one of three runes of 16 bits
			start = i + n
		}
		i += n
	}
	e.dst = append(append(e.dst, s[start:]...), '"')
}

func (e *encoder) escape(c byte) {
	switch c {
	case '"', '\\':
		e.dst = append(e.dst, '\\', c)
	case '\n':
		e.raw(`\n`)
	case '\r':
		e.raw(`\r`)
	case '\t':
		e.raw(`\t`)
	default:
		e.unicode(uint16(c))
	}
}

func (e *encoder) unicode(u uint16) {
	e.dst = append(e.dst, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
