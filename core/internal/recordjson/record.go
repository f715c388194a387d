// Package recordjson writes a record as the JSON object that Logbook 1.5 makes of
// one. It is what [core/wire] publishes and what the JSON formatter of
// [core/format] prints; those two may not import each other.
//
// [core/wire]: https://pkg.go.dev/github.com/logbook-tray/logbook-tray/core/wire
// [core/format]: https://pkg.go.dev/github.com/logbook-tray/logbook-tray/core/format
package recordjson

import (
	"strconv"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
)

// Options change what is written. The zero value is what Logbook since 0.11 reads.
type Options struct {
	// OldLevels writes the level numbers of Logbook before 0.11, 1 to 6.
	OldLevels bool
}

// Append appends r to dst as one line of JSON without a line feed: all 23 keys of
// Logbook 1.5, UTF-8, no NaN. Python's Logbook dispatches it without
// complaint: the time has six digits of fraction and a Z, an unknown file is "" and
// not null, the record says that it is initialized and pulled.
//
// Arguments and extra data can be anything; what JSON has no word for becomes
// text, what nests too deep or refers to itself is cut off. r must be
// pulled or frozen, see [core.Record].
func Append(dst []byte, r *core.Record, o Options) []byte {
	e := encoder{dst: dst, room: maxNodes}
	level := int(r.Level)
	if o.OldLevels {
		level = r.Level.Old()
	}
	e.raw(`{"channel": `).text(r.Channel)
	e.raw(`, "level": `).integer(int64(level))
	e.raw(`, "msg": `).text(r.Msg)
	e.raw(`, "message": `).text(r.Message())
	e.raw(`, "args": `).list(r.Args)
	e.raw(`, "kwargs": `).fields(r.Kwargs)
	e.raw(`, "extra": `).fields(r.Extra)
	e.raw(`, "time": "`)
	e.dst = isotime.Append(e.dst, r.Time)
	e.raw(`", "heavy_initialized": true, "information_pulled": true, "process": `).integer(int64(r.Process.ID))
	e.raw(`, "process_name": `).optional(r.Process.Name)
	e.raw(`, "thread": `).integer(r.Thread.ID)
	e.raw(`, "thread_name": `).optional(r.Thread.Name)
	e.raw(`, "greenlet": `).integer(r.Thread.Greenlet)
	site := r.Caller()
	e.raw(`, "filename": `).text(site.File)
	e.raw(`, "lineno": `).integer(int64(site.Line))
	e.raw(`, "func_name": `).optional(site.Function)
	e.raw(`, "module": `).optional(site.Module)
	e.raw(`, "frame_correction": `).integer(int64(r.FrameCorrection))
	e.exception(r.Exception)
	return append(e.dst, '}')
}

func (e *encoder) exception(x *core.Exception) {
	if x == nil {
		e.raw(`, "exception_name": null, "exception_message": null, "formatted_exception": null`)
		return
	}
	e.raw(`, "exception_name": `).optional(x.Name)
	e.raw(`, "exception_message": `).text(x.Message)
	e.raw(`, "formatted_exception": `).optional(x.Traceback)
}

func (e *encoder) raw(s string) *encoder {
	e.dst = append(e.dst, s...)
	return e
}

func (e *encoder) integer(n int64) { e.dst = strconv.AppendInt(e.dst, n, 10) }

// optional writes null for "".
func (e *encoder) optional(s string) {
	if s == "" {
		e.raw("null")
		return
	}
	e.text(s)
}

func (e *encoder) fields(f core.Fields) {
	e.dst = append(e.dst, '{')
	for i := range f {
		if i > 0 {
			e.raw(", ")
		}
		e.text(f[i].Key)
		e.raw(": ")
		e.value(f[i].Value, 1)
	}
	e.dst = append(e.dst, '}')
}

func (e *encoder) list(a []any) {
	e.dst = append(e.dst, '[')
	for i := range a {
		if i > 0 {
			e.raw(", ")
		}
		e.value(a[i], 1)
	}
	e.dst = append(e.dst, ']')
}
