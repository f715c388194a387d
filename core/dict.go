package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
)

// ErrNotARecord is returned by [FromDict] for a dictionary that has none of the
// keys of a record.
var ErrNotARecord = errors.New("not a record: it has neither a message nor a level")

// ToDict returns the record as the dictionary that Logbook's to_dict makes of
// it: the 23 keys of Logbook 1.5, with nil where Logbook has None. The time is
// a [time.Time], the level a number of Logbook since 0.11. Values of args,
// kwargs and extra are shared with r. It makes the record format its message,
// see [Record.Message].
func (r *Record) ToDict() map[string]any {
	site := r.Caller()
	d := map[string]any{
		"channel": r.Channel, "level": int(r.Level), "msg": r.Msg, "message": r.Message(),
		"args": slices.Clone(r.Args), "kwargs": dictOf(r.Kwargs), "extra": dictOf(r.Extra),
		"time": r.Time, "heavy_initialized": true, "information_pulled": true,
		"process": r.Process.ID, "process_name": orNil(r.Process.Name),
		"thread": r.Thread.ID, "thread_name": orNil(r.Thread.Name), "greenlet": r.Thread.Greenlet,
		"filename": orNil(site.File), "lineno": site.Line,
		"func_name": orNil(site.Function), "module": orNil(site.Module),
		"frame_correction": r.FrameCorrection,
		"exception_name":   nil, "exception_message": nil, "formatted_exception": nil,
	}
	if e := r.Exception; e != nil {
		d["exception_name"] = orNil(e.Name)
		d["exception_message"] = e.Message
		d["formatted_exception"] = orNil(e.Traceback)
	}
	return d
}

func dictOf(f Fields) map[string]any {
	if m := f.Map(); m != nil {
		return m
	}
	return map[string]any{}
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// FromDict makes a record from a dictionary with Logbook's keys, of any version of
// Logbook: as [Record.ToDict] returns it, or as the JSON or pickle of one was
// decoded. See [Record.UpdateFromDict] for how values are read. The error is
// [ErrNotARecord].
func FromDict(d map[string]any) (*Record, error) {
	for _, key := range []string{"msg", "message", "level"} {
		if _, ok := d[key]; ok {
			r := new(Record)
			r.UpdateFromDict(d)
			return r, nil
		}
	}
	return nil, ErrNotARecord
}

// UpdateFromDict sets what d has a key of Logbook for. It takes what it
// can get: levels of both numberings and by name, numbers that are text, text
// that is a number, times as text (with Logbook's unpadded microseconds), as seconds
// since 1970 or as [time.Time]. Unknown keys, and values that make no sense
// where they stand, are kept in Extra under their key; if Extra has that
// key already, underscores are added to it.
func (r *Record) UpdateFromDict(d map[string]any) {
	var rest []string
	for _, key := range slices.Sorted(maps.Keys(d)) {
		if !r.SetAttribute(key, d[key]) {
			rest = append(rest, key)
		}
	}
	if len(rest) == 0 {
		return
	}
	taken := make(map[string]bool, len(r.Extra)+len(rest))
	for i := range r.Extra {
		taken[r.Extra[i].Key] = true
	}
	for _, key := range rest {
		name := key
		for taken[name] {
			name += "_"
		}
		taken[name] = true
		r.Extra = append(r.Extra, Field{name, d[key]})
	}
}

// SetAttribute stores v under one of Logbook's keys, as [Record.UpdateFromDict]
// does, and reports whether there is a place for it; if not, r is as it was. It
// is for decoders.
func (r *Record) SetAttribute(key string, v any) bool {
	switch key {
	case "channel":
		return setText(&r.Channel, v)
	case "level":
		return r.setLevel(v)
	case "msg":
		return setText(&r.Msg, v)
	case "message":
		var s string
		if v == nil || !setText(&s, v) {
			return v == nil
		}
		r.SetMessage(s)
		return true
	case "args":
		return r.setArgs(v)
	case "kwargs":
		return setFields(&r.Kwargs, v)
	case "extra":
		return setFields(&r.Extra, v)
	case "time":
		return r.setTime(v)
	case "heavy_initialized", "information_pulled", "exc_info", "frame", "calling_frame":
		_, flag := v.(bool)
		return flag || v == nil
	case "exception_name", "exception_message", "formatted_exception":
		return r.setException(key, v)
	}
	return r.setOrigin(key, v)
}

// setOrigin is SetAttribute for where the record was logged.
func (r *Record) setOrigin(key string, v any) bool {
	switch key {
	case "process":
		return setInt(&r.Process.ID, v)
	case "process_name":
		return setText(&r.Process.Name, v)
	case "thread":
		return setInt(&r.Thread.ID, v)
	case "thread_name":
		return setText(&r.Thread.Name, v)
	case "greenlet":
		return setInt(&r.Thread.Greenlet, v)
	case "filename":
		return setText(&r.Site.File, v)
	case "lineno":
		return setInt(&r.Site.Line, v)
	case "func_name":
		return setText(&r.Site.Function, v)
	case "module":
		return setText(&r.Site.Module, v)
	case "frame_correction":
		return setInt(&r.FrameCorrection, v)
	}
	return false
}

func (r *Record) setLevel(v any) bool {
	if name, ok := v.(string); ok {
		l, err := ParseLevel(name)
		if err == nil {
			r.Level = l
		}
		return err == nil
	}
	var n int
	if !setInt(&n, v) {
		return false
	}
	r.Level = NormalizeLevel(n)
	return true
}

func (r *Record) setArgs(v any) bool {
	switch v := v.(type) {
	case nil:
		r.Args = nil
	case []any:
		r.Args = v
	case map[string]any: // %-style templates of stdlib logging take a dictionary
		r.Args = []any{v}
	default:
		return false
	}
	if len(r.Args) == 0 {
		r.Args = nil
	}
	return true
}

func (r *Record) setTime(v any) bool {
	switch v := v.(type) {
	case nil:
		r.Time = time.Time{}
	case time.Time:
		r.Time = v.UTC()
	case string:
		t, err := isotime.Parse(v, isotime.Logbook, nil)
		if err != nil {
			return false
		}
		r.Time = t
	default:
		t, ok := epoch(v)
		if !ok {
			return false
		}
		r.Time = t
	}
	return true
}

// epoch reads seconds since 1970, to the microsecond that a float64 can hold.
func epoch(v any) (time.Time, bool) {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case int:
		f = float64(v)
	case json.Number:
		var err error
		if f, err = v.Float64(); err != nil {
			return time.Time{}, false
		}
	default:
		return time.Time{}, false
	}
	const year10000 = 253402300800
	if math.IsNaN(f) || f < -62135596800 || f >= year10000 {
		return time.Time{}, false
	}
	sec := math.Floor(f)
	return time.Unix(int64(sec), int64(math.Round((f-sec)*1e6))*1000).UTC(), true
}

func (r *Record) setException(key string, v any) bool {
	if v == nil {
		return true
	}
	var s string
	if !setText(&s, v) {
		return false
	}
	if r.Exception == nil {
		r.Exception = new(Exception)
	}
	switch key {
	case "exception_name":
		r.Exception.Name = s
	case "exception_message":
		r.Exception.Message = s
	default:
		r.Exception.Traceback = s
	}
	return true
}

// setText stores v as text; nil is "". Lists and dictionaries become JSON.
func setText(dst *string, v any) bool {
	switch v := v.(type) {
	case nil:
		*dst = ""
	case string:
		*dst = v
	case bool, int, int64, json.Number:
		*dst = fmt.Sprint(v)
	case float64:
		*dst = strconv.FormatFloat(v, 'g', -1, 64)
	case []any, map[string]any:
		text, err := json.Marshal(v)
		if err != nil {
			return false
		}
		*dst = string(text)
	default:
		return false
	}
	return true
}

// setInt stores a whole number that fits T; nil is 0, text may be a decimal
// number.
func setInt[T int | int64](dst *T, v any) bool {
	var n int64
	switch v := v.(type) {
	case nil:
	case int:
		n = int64(v)
	case int64:
		n = v
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return false
		}
		n = int64(v)
	case string:
		var err error
		if n, err = strconv.ParseInt(strings.TrimSpace(v), 10, 64); err != nil {
			return false
		}
	case json.Number:
		var err error
		if n, err = v.Int64(); err != nil {
			return false
		}
	default:
		return false
	}
	*dst = T(n)
	return int64(*dst) == n
}

func setFields(dst *Fields, v any) bool {
	switch v := v.(type) {
	case nil:
		*dst = nil
	case Fields:
		*dst = v
	case map[string]any:
		f := make(Fields, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			f = append(f, Field{key, v[key]})
		}
		*dst = f
	default:
		return false
	}
	if len(*dst) == 0 {
		*dst = nil
	}
	return true
}
