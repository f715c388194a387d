package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Decode fills the structs that targets point to from the map n. Every key must
// belong to one of them; what names the thing in messages, such as `handler
// "file"`. Fields that n does not mention keep their values, which are thereby the
// defaults.
//
// A field takes part if it has a tag:
//
//	`yaml:"name"`            key of the field
//	`yaml:"name,required"`   it must be there and not empty
//	`yaml:"name,path"`       a path, made absolute by [Tree.ResolvePath]
//	`yaml:"name,size"`       an integer that is written as a [Size]
//
// Embedded structs without a tag count as part of the struct. Types are the
// basic ones, [time.Duration] ("60s", "7d"), [Size], [Secret], anything that
// implements [encoding.TextUnmarshaler], pointers to, slices and maps of such,
// structs, any (plain values), and *Node, which keeps the part of the tree for
// later. An error of UnmarshalText that ends in "(one of a, b, c)" makes the
// nearest of these the hint.
//
// If a target has a method Validate() error and no mistake was found, it is
// called; see [Diagnose] for how its error finds its place.
func Decode(n *Node, what string, targets ...any) Diagnostics {
	d := decoder{what: what}
	d.structs(n, targets)
	if !d.diagnostics.HasErrors() {
		for _, target := range targets {
			if v, ok := target.(interface{ Validate() error }); ok {
				d.diagnostics = append(d.diagnostics, Diagnose(n, v.Validate())...)
			}
		}
	}
	return d.diagnostics.Sorted()
}

// Keys returns the keys that [Decode] knows for the struct that target points
// to, in the order of its fields.
func Keys(target any) []string {
	var out []string
	for _, f := range fieldsOf(reflect.ValueOf(target).Elem()) {
		out = append(out, f.key)
	}
	return out
}

type decoder struct {
	what        string
	diagnostics Diagnostics
}

func (d *decoder) add(x Diagnostic) { d.diagnostics = append(d.diagnostics, x) }

type field struct {
	key                  string
	required, path, size bool
	value                reflect.Value
}

func fieldsOf(v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag, ok := f.Tag.Lookup("yaml")
		if !ok && f.Anonymous && f.Type.Kind() == reflect.Struct {
			out = append(out, fieldsOf(v.Field(i))...)
			continue
		}
		if !ok || tag == "-" || !f.IsExported() {
			continue
		}
		name, rest, _ := strings.Cut(tag, ",")
		flags := strings.Split(rest, ",")
		out = append(out, field{
			key:      name,
			required: slices.Contains(flags, "required"),
			path:     slices.Contains(flags, "path"),
			size:     slices.Contains(flags, "size"),
			value:    v.Field(i),
		})
	}
	return out
}

func (d *decoder) structs(n *Node, targets []any) {
	var fields []field
	for _, t := range targets {
		fields = append(fields, fieldsOf(reflect.ValueOf(t).Elem())...)
	}
	if n == nil || n.Kind != Map {
		if !n.IsNull() {
			d.add(n.Errorf("%s must be a map, not %s", d.what, n.Kind))
			return
		}
		n = d.emptyMap(n)
	}
	d.fields(n, fields)
}

// emptyMap stands for a map that is absent.
func (d *decoder) emptyMap(n *Node) *Node {
	if n == nil {
		return &Node{Kind: Map}
	}
	m := *n
	m.Kind = Map
	return &m
}

func (d *decoder) fields(n *Node, fields []field) {
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
	}
	for _, e := range n.Entries {
		i := slices.Index(known, e.Key)
		if i < 0 {
			x := e.Where.Errorf("unknown key %q in %s", clip(e.Key), d.what)
			x.Hint = didYouMean(e.Key, known)
			d.add(x)
			continue
		}
		f := fields[i]
		if e.Value.IsNull() && !f.required {
			continue // an option without a value keeps its default
		}
		d.field(e.Value, f)
	}
	for _, f := range fields {
		if f.required && n.Get(f.key) == nil {
			d.add(n.Errorf("%s needs %q", d.what, f.key))
		}
	}
}

func (d *decoder) field(n *Node, f field) {
	switch {
	case f.required && (n.IsNull() || n.Kind == String && n.text == ""):
		d.add(n.Errorf("%s must not be empty", f.key))
	case f.path:
		d.path(n, f)
	case f.size:
		var s Size
		if d.text(n, f.key, &s) {
			d.setInt(n, f.key, f.value, int64(s))
		}
	default:
		d.value(n, f.key, f.value)
	}
}

func (d *decoder) path(n *Node, f field) {
	if f.value.Kind() == reflect.Slice && n.Kind == List {
		out := reflect.MakeSlice(f.value.Type(), len(n.Items), len(n.Items))
		for i, item := range n.Items {
			d.path(item, field{key: f.key, value: out.Index(i)})
		}
		f.value.Set(out)
		return
	}
	if n.Kind != String || f.value.Kind() != reflect.String {
		d.add(n.Errorf("%s must be a path, not %s", f.key, n.Kind))
		return
	}
	path, err := n.tree.ResolvePath(n.text)
	if err != nil {
		d.add(n.Errorf("%s: %v", f.key, err))
		return
	}
	f.value.SetString(path)
}

// value decodes n into v.
func (d *decoder) value(n *Node, key string, v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case **Node:
		*p = n
		return
	case *Secret:
		if s, ok := d.secret(n, key); ok {
			*p = s
		}
		return
	case *time.Duration:
		d.duration(n, key, p)
		return
	case encoding.TextUnmarshaler:
		d.text(n, key, p)
		return
	}
	if v.Kind() == reflect.Pointer {
		target := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			target.Elem().Set(v.Elem())
		}
		before := len(d.diagnostics)
		d.value(n, key, target.Elem())
		if len(d.diagnostics) == before {
			v.Set(target)
		}
		return
	}
	d.basic(n, key, v)
}

func (d *decoder) duration(n *Node, key string, p *time.Duration) {
	if (n.Kind == Int || n.Kind == Float) && n.text != "0" && !n.expanded {
		x := n.Errorf("%s needs a unit", key)
		x.Hint = "such as " + n.text + "s"
		d.add(x)
		return
	}
	if !d.isScalar(n, key, "a duration such as 60s, 5m, 1h or 7d") {
		return
	}
	v, err := ParseDuration(n.text)
	if err != nil {
		d.add(n.Errorf("%s: %v", key, err))
		return
	}
	*p = v
}

func (d *decoder) text(n *Node, key string, p encoding.TextUnmarshaler) bool {
	if !d.isScalar(n, key, "a text") {
		return false
	}
	err := p.UnmarshalText([]byte(n.text))
	if err == nil {
		return true
	}
	message, list, ok := strings.Cut(strings.TrimSuffix(err.Error(), ")"), " (one of ")
	x := n.Errorf("%s: %v", key, err)
	if ok {
		x.Message = key + ": " + message
		x.Hint = didYouMean(n.text, strings.Split(list, ", "))
	}
	d.add(x)
	return false
}

func (d *decoder) isScalar(n *Node, key, want string) bool {
	switch n.Kind {
	case Bool, Int, Float, String:
		return true
	case Null, List, Map:
	}
	d.add(n.Errorf("%s must be %s, not %s", key, want, n.Kind))
	return false
}

func (d *decoder) wrong(n *Node, key, want string) {
	x := n.Errorf("%s must be %s, not %s", key, want, n.Kind)
	switch n.Kind {
	case String:
		x.Message = fmt.Sprintf("%s must be %s, not %q", key, want, clip(n.text))
	case Int, Float, Bool:
		x.Message = fmt.Sprintf("%s must be %s, not %s", key, want, clip(n.text))
	case Null, List, Map:
	}
	d.add(x)
}
