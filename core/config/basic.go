package config

import (
	"reflect"
	"strconv"
	"strings"
)

// basic decodes n into a value that has no say in it.
func (d *decoder) basic(n *Node, key string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if n.Kind == String || n.expanded {
			v.SetString(n.text)
			return
		}
		d.wrong(n, key, "a text")
		if last := &d.diagnostics[len(d.diagnostics)-1]; n.Kind == Int || n.Kind == Float || n.Kind == Bool {
			last.Hint = "put it in quotes: " + strconv.Quote(n.text)
		}
	case reflect.Bool:
		if b, ok := boolean(n); ok {
			v.SetBool(b)
			return
		}
		d.wrong(n, key, "true or false")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if i, ok := integer(n); ok {
			d.setInt(n, key, v, i)
			return
		}
		d.wrong(n, key, "a whole number")
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
		if err == nil && (n.Kind == Int || n.Kind == Float || n.expanded) {
			v.SetFloat(f)
			return
		}
		d.wrong(n, key, "a number")
	case reflect.Slice:
		d.slice(n, key, v)
	case reflect.Map:
		d.maps(n, key, v)
	case reflect.Struct:
		d.nested(n, key, v)
	case reflect.Interface:
		if v.NumMethod() == 0 {
			if plain := n.Plain(); plain != nil {
				v.Set(reflect.ValueOf(plain))
			}
			return
		}
		fallthrough
	default:
		d.add(n.Errorf("%s cannot be set in a file", key))
	}
}

func boolean(n *Node) (value, ok bool) {
	if n.Kind != Bool && !n.expanded {
		return false, false
	}
	switch strings.ToLower(n.text) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

func integer(n *Node) (int64, bool) {
	if n.Kind != Int && !n.expanded {
		return 0, false
	}
	i, err := strconv.ParseInt(n.text, 0, 64)
	return i, err == nil
}

func (d *decoder) setInt(n *Node, key string, v reflect.Value, i int64) {
	if v.CanInt() {
		if v.OverflowInt(i) {
			d.add(n.Errorf("%s is too large", key))
			return
		}
		v.SetInt(i)
		return
	}
	if i < 0 {
		d.add(n.Errorf("%s must not be negative", key))
		return
	}
	if v.OverflowUint(uint64(i)) {
		d.add(n.Errorf("%s is too large", key))
		return
	}
	v.SetUint(uint64(i))
}

func (d *decoder) slice(n *Node, key string, v reflect.Value) {
	if n.Kind != List {
		d.wrong(n, key, "a list")
		if last := &d.diagnostics[len(d.diagnostics)-1]; n.Kind != Map {
			last.Hint = "for a single value write [" + clip(n.text) + "]"
		}
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	for i, item := range n.Items {
		d.value(item, key+"["+strconv.Itoa(i)+"]", out.Index(i))
	}
	v.Set(out)
}

func (d *decoder) maps(n *Node, key string, v reflect.Value) {
	if v.Type().Key().Kind() != reflect.String {
		d.add(n.Errorf("%s cannot be set in a file", key))
		return
	}
	if n.Kind != Map {
		d.wrong(n, key, "a map")
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Entries))
	for _, e := range n.Entries {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(e.Value, key+"."+e.Key, value)
		out.SetMapIndex(reflect.ValueOf(e.Key).Convert(v.Type().Key()), value)
	}
	v.Set(out)
}

func (d *decoder) nested(n *Node, key string, v reflect.Value) {
	if n.Kind != Map {
		d.wrong(n, key, "a map")
		return
	}
	inner := decoder{what: key}
	inner.fields(n, fieldsOf(v))
	if x, ok := reflect.TypeAssert[interface{ Validate() error }](v.Addr()); ok && !inner.diagnostics.HasErrors() {
		inner.diagnostics = append(inner.diagnostics, Diagnose(n, x.Validate())...)
	}
	d.diagnostics = append(d.diagnostics, inner.diagnostics...)
}

// Plain returns the value as Go has it without a type to go by: nil, bool,
// int64, float64, string, []any or map[string]any.
func (n *Node) Plain() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Null:
		return nil
	case Bool:
		b, _ := boolean(n)
		return b
	case Int:
		if i, ok := integer(n); ok {
			return i
		}
		return n.text
	case Float:
		if f, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64); err == nil {
			return f
		}
		return n.text
	case String:
		return n.text
	case List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Plain()
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			out[e.Key] = e.Value.Plain()
		}
		return out
	}
	return nil
}
