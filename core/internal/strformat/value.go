package strformat

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/strftime"
)

// appendValue formats v by a specification, as Python's format does.
func appendValue(dst []byte, v any, s string, limit int) ([]byte, error) {
	if s == "" {
		return appendStr(dst, v, limit), nil
	}
	switch v := v.(type) {
	case string:
		return appendString(dst, v, s, "str")
	case time.Time:
		return strftime.Append(dst, s, v), nil
	case nil, []byte, []any, map[string]any:
		return dst, unsupported(v)
	}
	if f, ok := toFloat(v); ok {
		return appendFloat(dst, f, s, "float")
	}
	if n, ok := toInt(v); ok {
		if text, ok := ownText(v); ok && !numeric(s) {
			return appendString(dst, text, s, "str")
		}
		return appendInt(dst, n, s, typeName(v))
	}
	if text, ok := ownText(v); ok {
		return appendString(dst, text, s, typeName(v))
	}
	if rv, ok := indirect(v); ok && rv.Kind() == reflect.String {
		return appendString(dst, rv.String(), s, "str")
	}
	return dst, unsupported(v)
}

// numeric reports whether a specification asks for a number.
func numeric(s string) bool {
	switch s[len(s)-1] {
	case 'b', 'd', 'e', 'E', 'f', 'F', 'g', 'G', 'n', 'o', 'x', 'X', '%', 'c':
		return true
	}
	return false
}

// AppendValue formats v by a specification of Python, which must not have
// fields itself.
func AppendValue(dst []byte, v any, spec string) ([]byte, error) {
	return appendValue(dst, v, spec, len(dst)+MaxLen)
}

// Str returns the text that Python's str gives to v.
func Str(v any) string { return string(appendStr(nil, v, MaxLen)) }

// AppendStr appends the text that Python's str gives to v.
func AppendStr(dst []byte, v any) []byte { return appendStr(dst, v, len(dst)+MaxLen) }

// Repr returns the text that Python's repr gives to v.
func Repr(v any) string { return string(appendRepr(nil, v, MaxLen)) }

// ASCII returns the text that Python's ascii gives to v.
func ASCII(v any) string { return escapeASCII(Repr(v)) }

func appendStr(dst []byte, v any, limit int) []byte {
	if s, ok := v.(string); ok {
		return append(dst, s...)
	}
	return appendText(dst, v, printer{limit: min(limit, len(dst)+MaxContainer)})
}

func appendRepr(dst []byte, v any, limit int) []byte {
	return appendText(dst, v, printer{limit: min(limit, len(dst)+MaxContainer), repr: true})
}

// printer writes values as Python does.
type printer struct {
	repr  bool
	limit int // of the length of dst
	depth int
	seen  *container // those that are being written
}

// container is a slice or map that is being written, in a list of all of
// them.
type container struct {
	start  uintptr
	length int
	outer  *container
}

// maxNesting is how deep containers are shown.
const maxNesting = 32

// enter returns the printer for the elements of a container; ok is false if
// it contains itself.
func (p printer) enter(rv reflect.Value) (inner printer, ok bool) {
	c := &container{outer: p.seen}
	if rv.Kind() == reflect.Slice || rv.Kind() == reflect.Map {
		c.start, c.length = rv.Pointer(), rv.Len()
		for o := p.seen; o != nil; o = o.outer {
			if o.start == c.start && o.length == c.length && c.length > 0 {
				return p, false
			}
		}
	}
	return printer{repr: true, limit: p.limit, depth: p.depth + 1, seen: c}, true
}

func appendText(dst []byte, v any, p printer) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "None"...)
	case string:
		if p.repr {
			return appendQuoted(dst, v)
		}
		return append(dst, v...)
	case bool:
		if v {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendFloatRepr(dst, v)
	case json.Number:
		return append(dst, v...)
	case []byte:
		return appendBytes(dst, v)
	case time.Time:
		if p.repr {
			return append(appendTime(append(dst, "datetime.datetime("...), v), ')')
		}
		return appendTime(dst, v)
	case iter2:
		return p.pairs(dst, v.All())
	}
	if text, ok := ownText(v); ok {
		return append(dst, text...)
	}
	return p.reflected(dst, v)
}

// iter2 is an ordered map of this module.
type iter2 interface {
	All() iter.Seq2[string, any]
}

// appendTime appends a time as str(datetime) does. A time in UTC has no
// offset, like the times of Logbook.
func appendTime(dst []byte, t time.Time) []byte {
	format := "%Y-%m-%d %H:%M:%S"
	if t.Nanosecond()/1000 != 0 {
		format += ".%f"
	}
	if t.Location() != time.UTC {
		format += "%:z"
	}
	return strftime.Append(dst, format, t)
}

// ownText returns the text of a value that has one of its own. A method that
// panics, as those of nil pointers do, gives a text too.
func ownText(v any) (text string, ok bool) {
	switch v.(type) {
	case json.Number, *big.Int: // numbers
		return "", false
	case error, fmt.Stringer, fmt.Formatter:
		return fmt.Sprint(v), true // which recovers
	}
	return "", false
}

func (p printer) reflected(dst []byte, v any) []byte {
	if n, ok := toInt(v); ok {
		if n.negative {
			dst = append(dst, '-')
		}
		return n.appendAbs(dst, 10)
	}
	if f, ok := toFloat(v); ok {
		return appendFloatRepr(dst, f)
	}
	rv, ok := indirect(v)
	if !ok {
		return append(dst, "None"...)
	}
	switch rv.Kind() {
	case reflect.Bool:
		return appendText(dst, rv.Bool(), p)
	case reflect.String:
		return appendText(dst, rv.String(), p)
	case reflect.Complex64, reflect.Complex128:
		return appendComplex(dst, rv.Complex())
	case reflect.Slice, reflect.Array:
		return p.list(dst, rv)
	case reflect.Map:
		return p.dict(dst, rv)
	case reflect.Struct:
		return p.structure(dst, rv)
	}
	return fmt.Appendf(dst, "<%s>", rv.Type()) // functions, channels
}

func (p printer) full(dst []byte) bool { return len(dst) > p.limit || p.depth > maxNesting }

func (p printer) list(dst []byte, rv reflect.Value) []byte {
	if rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8 {
		return appendBytes(dst, rv.Bytes())
	}
	p, ok := p.enter(rv)
	if !ok {
		return append(dst, "[...]"...)
	}
	dst = append(dst, '[')
	for i := range rv.Len() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if p.full(dst) {
			dst = append(dst, "..."...)
			break
		}
		dst = p.element(dst, rv.Index(i))
	}
	return append(dst, ']')
}

func (p printer) element(dst []byte, rv reflect.Value) []byte {
	if !rv.CanInterface() {
		return append(dst, "..."...)
	}
	return appendText(dst, rv.Interface(), p)
}

// dict writes a map. Go's maps have no order; they are sorted by the text of
// the keys.
func (p printer) dict(dst []byte, rv reflect.Value) []byte {
	inner, ok := p.enter(rv)
	if !ok {
		return append(dst, "{...}"...)
	}
	keys := rv.MapKeys()
	texts := make([]keyed, 0, len(keys))
	for _, k := range keys {
		texts = append(texts, keyed{string(inner.element(nil, k)), rv.MapIndex(k)})
	}
	sortKeyed(texts)
	dst = append(dst, '{')
	for i, e := range texts {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if inner.full(dst) {
			dst = append(dst, "..."...)
			break
		}
		dst = append(append(dst, e.key...), ": "...)
		dst = inner.element(dst, e.value)
	}
	return append(dst, '}')
}

// It is not inlined because the loop body moves dst to the heap.
//
//go:noinline
func (p printer) pairs(dst []byte, all iter.Seq2[string, any]) []byte {
	p.repr = true
	p.depth++
	dst = append(dst, '{')
	first := true
	for k, v := range all {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		if p.full(dst) {
			dst = append(dst, "..."...)
			break
		}
		dst = append(appendQuoted(dst, k), ": "...)
		dst = appendText(dst, v, p)
	}
	return append(dst, '}')
}

// structure writes the exported fields of a struct like a Python dataclass.
func (p printer) structure(dst []byte, rv reflect.Value) []byte {
	p, _ = p.enter(rv)
	t := rv.Type()
	dst = append(append(dst, t.Name()...), '(')
	first := true
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			continue
		}
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		if p.full(dst) {
			dst = append(dst, "..."...)
			break
		}
		dst = append(append(dst, t.Field(i).Name...), '=')
		dst = p.element(dst, rv.Field(i))
	}
	return append(dst, ')')
}

func appendComplex(dst []byte, c complex128) []byte {
	if real(c) == 0 {
		return append(appendShort(dst, imag(c)), 'j')
	}
	dst = appendShort(append(dst, '('), real(c))
	if imag(c) >= 0 {
		dst = append(dst, '+')
	}
	return append(appendShort(dst, imag(c)), "j)"...)
}

// appendShort appends a number without a fraction of zero.
func appendShort(dst []byte, v float64) []byte {
	dst = appendFloatRepr(dst, v)
	if n := len(dst); n > 2 && dst[n-2] == '.' && dst[n-1] == '0' {
		dst = dst[:n-2]
	}
	return dst
}

// typeName returns the name of the type for error messages: Python's, if
// the value could have come from there.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case json.Number:
		return "int"
	case time.Time:
		return "datetime.datetime"
	case []byte:
		return "bytes"
	}
	rv, ok := indirect(v)
	if !ok {
		return "NoneType"
	}
	if rv.Type().PkgPath() != "" {
		return rv.Type().String()
	}
	switch k := rv.Kind(); {
	case k == reflect.Bool:
		return "bool"
	case rv.CanInt(), rv.CanUint():
		return "int"
	case rv.CanFloat():
		return "float"
	case k == reflect.String:
		return "str"
	case k == reflect.Slice, k == reflect.Array:
		return "list"
	case k == reflect.Map:
		return "dict"
	case k == reflect.Complex64, k == reflect.Complex128:
		return "complex"
	}
	return rv.Type().String()
}
