package strformat

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Attributes is implemented by values of this module that have attributes of
// their own, such as a record.
type Attributes interface {
	// Attribute returns the value of an attribute and whether there is one.
	Attribute(name string) (value any, ok bool)
}

// Default is implemented by a [Named] in which a missing item is not a mistake,
// such as the extra data of a record.
type Default interface {
	Named
	// Get returns the item, or the value that stands for a missing one.
	Get(name string) any
}

// walk follows a path such as ".user.name[0]" from v.
func walk(v any, path string) (any, error) {
	for path != "" {
		name, item, rest, err := nextStep(path)
		if err != nil {
			return nil, err
		}
		if item {
			v, err = getItem(v, name)
		} else {
			v, err = getAttribute(v, name)
		}
		if err != nil {
			return nil, err
		}
		path = rest
	}
	return v, nil
}

// nextStep splits the first attribute or item off a path.
func nextStep(path string) (name string, item bool, rest string, err error) {
	switch path[0] {
	case '.':
		name, rest = path[1:], ""
		if i := strings.IndexAny(name, ".["); i >= 0 {
			name, rest = name[:i], name[i:]
		}
	case '[':
		end := strings.IndexByte(path, ']')
		if end < 0 {
			return "", false, "", errors.New("Missing ']' in format string") //nolint:staticcheck // Python's words
		}
		name, rest, item = path[1:end], path[end+1:], true
	default:
		return "", false, "", errors.New("Only '.' or '[' may follow ']' in format field specifier") //nolint:staticcheck // Python's words
	}
	if name == "" {
		return "", false, "", errors.New("Empty attribute in format string") //nolint:staticcheck // Python's words
	}
	return name, item, rest, nil
}

// getAttribute reads an exported field of a struct. Python's spelling does too:
// "user_id" finds UserID.
func getAttribute(v any, name string) (any, error) {
	if a, ok := v.(Attributes); ok {
		if v, ok := a.Attribute(name); ok {
			return v, nil
		}
		return nil, noAttribute(v, name)
	}
	rv, ok := indirect(v)
	if !ok || rv.Kind() != reflect.Struct {
		return nil, noAttribute(v, name)
	}
	t := rv.Type()
	if f, ok := t.FieldByName(name); ok && f.IsExported() {
		return fieldValue(rv, f.Index, v, name)
	}
	plain := strings.ReplaceAll(name, "_", "")
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && strings.EqualFold(strings.ReplaceAll(f.Name, "_", ""), plain) {
			return fieldValue(rv, f.Index, v, name)
		}
	}
	return nil, noAttribute(v, name)
}

// fieldValue reads a field that may lie in an embedded struct, behind a nil
// pointer.
func fieldValue(rv reflect.Value, index []int, of any, name string) (any, error) {
	f, err := rv.FieldByIndexErr(index)
	if err != nil || !f.CanInterface() {
		return nil, noAttribute(of, name)
	}
	return f.Interface(), nil
}

func noAttribute(v any, name string) error {
	return fmt.Errorf("'%s' object has no attribute %s", typeName(v), quoted(name))
}

// getItem reads an item of a map, slice, array or string.
func getItem(v any, name string) (any, error) {
	switch v := v.(type) {
	case Default:
		return v.Get(name), nil
	case Named:
		if item, ok := v.Lookup(name); ok {
			return item, nil
		}
		return nil, noKey(name)
	case map[string]any: // decoded JSON
		if item, ok := v[name]; ok {
			return item, nil
		}
		return nil, noKey(name)
	}
	rv, ok := indirect(v)
	if !ok {
		return nil, notSubscriptable(v)
	}
	switch rv.Kind() {
	case reflect.Map:
		return mapItem(rv, name)
	case reflect.String:
		i, err := sequenceIndex(v, name, len([]rune(rv.String())))
		if err != nil {
			return nil, err
		}
		return string([]rune(rv.String())[i]), nil
	case reflect.Slice, reflect.Array:
		i, err := sequenceIndex(v, name, rv.Len())
		if err != nil {
			return nil, err
		}
		item := rv.Index(i)
		if !item.CanInterface() {
			return nil, notSubscriptable(v)
		}
		return item.Interface(), nil
	}
	return nil, notSubscriptable(v)
}

func sequenceIndex(v any, name string, length int) (int, error) {
	i, ok, err := integer(name)
	if err != nil {
		return 0, err
	}
	if !ok {
		if name := typeName(v); name != "str" {
			return 0, fmt.Errorf("%s indices must be integers or slices, not str", name)
		}
		return 0, errors.New("string indices must be integers, not 'str'")
	}
	if i >= length {
		if name := typeName(v); name != "str" {
			return 0, fmt.Errorf("%s index out of range", name)
		}
		return 0, errors.New("string index out of range")
	}
	return i, nil
}

func mapItem(rv reflect.Value, name string) (any, error) {
	key := reflect.New(rv.Type().Key()).Elem()
	switch {
	case key.Kind() == reflect.String:
		key.SetString(name)
	case key.CanInt() || key.CanUint():
		n, ok, err := integer(name)
		if err != nil || !ok {
			return nil, noKey(name)
		}
		if key.CanInt() {
			if key.OverflowInt(int64(n)) {
				return nil, noKey(name)
			}
			key.SetInt(int64(n))
		} else {
			if key.OverflowUint(uint64(n)) {
				return nil, noKey(name)
			}
			key.SetUint(uint64(n))
		}
	case key.Kind() == reflect.Interface && reflect.TypeFor[string]().AssignableTo(key.Type()):
		key.Set(reflect.ValueOf(name))
	default:
		return nil, noKey(name)
	}
	item := rv.MapIndex(key)
	if !item.IsValid() || !item.CanInterface() {
		return nil, noKey(name)
	}
	return item.Interface(), nil
}

func noKey(name string) error { return fmt.Errorf("no key %s", quoted(name)) }

func notSubscriptable(v any) error {
	return fmt.Errorf("'%s' object is not subscriptable", typeName(v))
}

// indirect follows pointers and interfaces to the value itself; ok is false
// for nil.
func indirect(v any) (rv reflect.Value, ok bool) {
	rv = reflect.ValueOf(v)
	for range 8 { // pointers to pointers can form a ring
		if !rv.IsValid() {
			return rv, false
		}
		if rv.Kind() != reflect.Pointer && rv.Kind() != reflect.Interface {
			return rv, true
		}
		rv = rv.Elem()
	}
	return rv, false
}
