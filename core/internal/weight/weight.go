// Package weight estimates how much memory records take, for bounds.
package weight

import (
	"unsafe"

	"github.com/logbook-tray/logbook-tray/core"
)

// Of returns the estimate for records, in bytes.
func Of(rs ...*core.Record) int {
	sum := 0
	for _, r := range rs {
		sum += weight(r)
	}
	return sum
}

// weight estimates how much memory a record takes: its struct, its texts and
// its values.
func weight(r *core.Record) int {
	n := int(unsafe.Sizeof(*r)) + len(r.Channel) + len(r.Msg) + len(r.Message())
	n += len(r.Site.File) + len(r.Site.Function) + len(r.Site.Module)
	if e := r.Exception; e != nil {
		n += int(unsafe.Sizeof(*e)) + len(e.Name) + len(e.Message) + len(e.Traceback)
	}
	for _, f := range [...]core.Fields{r.Kwargs, r.Extra} {
		for i := range f {
			n += int(unsafe.Sizeof(f[i])) + len(f[i].Key) + valueWeight(f[i].Value)
		}
	}
	return n + valueWeight(r.Args)
}

func valueWeight(v any) int {
	const header = 16
	n := header
	switch v := v.(type) {
	case string:
		n += len(v)
	case []byte:
		n += len(v)
	case []any:
		for i := range v {
			n += valueWeight(v[i])
		}
	case map[string]any:
		for key, e := range v {
			n += 2*header + len(key) + valueWeight(e)
		}
	}
	return n
}
