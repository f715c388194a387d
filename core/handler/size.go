package handler

import (
	"encoding/json"
	"unsafe"

	"github.com/logbook-tray/logbook-tray/core"
)

// recordSize estimates how many bytes of memory r holds on to. It is there to
// bound buffers, so that it is cheap rather than exact: what is behind pointers
// of types it does not know is not seen.
func recordSize(r *core.Record) int64 {
	n := int(unsafe.Sizeof(*r)) + len(r.Channel) + len(r.Msg)
	if m := r.Message(); len(m) != len(r.Msg) {
		n += len(m)
	}
	for _, v := range r.Args {
		n += valueSize(v, 0)
	}
	n += fieldsSize(r.Kwargs) + fieldsSize(r.Extra)
	if e := r.Exception; e != nil {
		n += int(unsafe.Sizeof(*e)) + len(e.Name) + len(e.Message) + len(e.Traceback)
	}
	n += len(r.Site.File) + len(r.Site.Function) + len(r.Site.Module)
	return int64(n)
}

func fieldsSize(fs core.Fields) int {
	n := 0
	for i := range fs {
		n += len(fs[i].Key) + 16 + valueSize(fs[i].Value, 0)
	}
	return n
}

// valueSize counts the value and the interface that holds it. depth guards against
// values that contain themselves.
func valueSize(v any, depth int) int {
	const word = 16
	if depth > 16 {
		return word
	}
	switch v := v.(type) {
	case string:
		return word + 16 + len(v)
	case json.Number:
		return word + 16 + len(v)
	case []byte:
		return word + 24 + len(v)
	case []any:
		n := word + 24
		for _, e := range v {
			n += valueSize(e, depth+1)
		}
		return n
	case map[string]any:
		n := word + 48
		for k, e := range v {
			n += 32 + len(k) + valueSize(e, depth+1)
		}
		return n
	}
	return word + 8
}
