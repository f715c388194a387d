package core

import (
	"iter"
	"slices"
)

// Field is one named value: an entry of a record's extra data, or a named
// argument of its message.
type Field struct {
	Key   string
	Value any
}

// Fields is an ordered list of named values with distinct keys. It stands for the
// dictionaries of a Logbook record; a list is smaller and faster than a map
// at the sizes that occur. The zero value is empty and ready to use.
//
// Values that came over the wire are nil, bool, int64, float64, string,
// json.Number (an integer beyond int64), []any and map[string]any. Values
// that were logged in Go can be anything.
type Fields []Field

// Get returns the value stored under key, or "" if there is none: a missing
// key reads as empty, as Logbook's ExtraDict has it.
func (f Fields) Get(key string) any {
	if v, ok := f.Lookup(key); ok {
		return v
	}
	return ""
}

// Lookup returns the value stored under key and whether there is one.
func (f Fields) Lookup(key string) (any, bool) {
	for i := range f {
		if f[i].Key == key {
			return f[i].Value, true
		}
	}
	return nil, false
}

// Set stores value under key, in place if the key is there already.
func (f *Fields) Set(key string, value any) {
	for i := range *f {
		if (*f)[i].Key == key {
			(*f)[i].Value = value
			return
		}
	}
	*f = append(*f, Field{key, value})
}

// Delete removes key if it is there.
func (f *Fields) Delete(key string) {
	*f = slices.DeleteFunc(*f, func(e Field) bool { return e.Key == key })
}

// All iterates over the entries in their order.
func (f Fields) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i := range f {
			if !yield(f[i].Key, f[i].Value) {
				return
			}
		}
	}
}

// Map returns the fields as a new map; nil if there are none.
func (f Fields) Map() map[string]any {
	if len(f) == 0 {
		return nil
	}
	m := make(map[string]any, len(f))
	for i := range f {
		m[f[i].Key] = f[i].Value
	}
	return m
}

// Clone returns a copy that shares the values but not the list.
func (f Fields) Clone() Fields { return slices.Clone(f) }
