package core

import (
	"bytes"
	"encoding/json"
	"reflect"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// The bounds of a copy; a value can contain itself.
const (
	maxPlainDepth  = 16
	maxPlainValues = 100_000
)

// plain returns v as a value that no one can change behind our back: lists and
// maps are copied as those of JSON, what has no form of its own becomes its
// text.
func plain(v any) any {
	c := copier{left: maxPlainValues}
	return c.plain(v, maxPlainDepth)
}

// copier counts what it copies.
type copier struct{ left int }

func (c *copier) plain(v any, depth int) any {
	if c.left--; c.left < 0 {
		return "..."
	}
	switch v := v.(type) {
	case nil, bool, string, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64,
		float32, float64, complex64, complex128, time.Time, time.Duration, Level, json.Number:
		return v
	case []byte:
		return bytes.Clone(v)
	}
	if depth == 0 || hasText(v) {
		return strformat.Str(v)
	}
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() && depth > 0 {
		rv = rv.Elem()
		depth--
	}
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		return c.list(rv, depth)
	case reflect.Map:
		if rv.Type().Key().Kind() == reflect.String {
			return c.dict(rv, depth)
		}
	}
	return strformat.Str(v)
}

func hasText(v any) bool {
	switch v.(type) {
	case error, interface{ String() string }:
		return true
	}
	return false
}

func (c *copier) list(rv reflect.Value, depth int) any {
	out := make([]any, rv.Len())
	for i := range out {
		if e := rv.Index(i); e.CanInterface() {
			out[i] = c.plain(e.Interface(), depth-1)
		}
	}
	return out
}

func (c *copier) dict(rv reflect.Value, depth int) any {
	out := make(map[string]any, rv.Len())
	for k, e := range rv.Seq2() {
		if e.CanInterface() {
			out[k.String()] = c.plain(e.Interface(), depth-1)
		}
	}
	return out
}
