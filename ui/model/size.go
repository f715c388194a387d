package model

import (
	"unsafe"

	"github.com/logbook-tray/logbook-tray/core"
)

const (
	recordBytes = int64(unsafe.Sizeof(core.Record{}))
	fieldBytes  = int64(unsafe.Sizeof(core.Field{}))
	mapBytes    = 48 // overhead of one entry of a map
)

// recordSize estimates the memory that r holds. It does not change as long as r
// does not.
func recordSize(r *core.Record) int64 {
	message := r.Message()
	n := recordBytes + int64(len(r.Channel)+len(message)+len(r.Process.Name)+len(r.Thread.Name))
	if unsafe.StringData(message) != unsafe.StringData(r.Msg) {
		n += int64(len(r.Msg))
	}
	n += int64(len(r.Site.File) + len(r.Site.Function) + len(r.Site.Module))
	if e := r.Exception; e != nil {
		n += int64(unsafe.Sizeof(*e)) + int64(len(e.Name)+len(e.Message)+len(e.Traceback))
	}
	for _, a := range r.Args {
		n += valueSize(a)
	}
	return n + fieldsSize(r.Kwargs) + fieldsSize(r.Extra)
}

func fieldsSize(fields core.Fields) int64 {
	var n int64
	for i := range fields {
		n += fieldBytes + int64(len(fields[i].Key)) + valueSize(fields[i].Value)
	}
	return n
}

func valueSize(v any) int64 {
	n := int64(unsafe.Sizeof(v))
	switch v := v.(type) {
	case string:
		n += int64(unsafe.Sizeof(v)) + int64(len(v))
	case []byte:
		n += int64(len(v))
	case []any:
		for _, e := range v {
			n += valueSize(e)
		}
	case map[string]any:
		for k, e := range v {
			n += mapBytes + int64(len(k)) + valueSize(e)
		}
	}
	return n
}
