package pickle

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
)

// Load returns the value of a pickle: nil, bool, int64, float64, string, json.Number
// (an integer beyond int64), []any and map[string]any, as JSON would have it.
// Tuples and sets are lists, keys are text, bytes are text like "b'\x00'",
// points in time are of ISO 8601. What would have been an object is a
// placeholder such as "<shop.Cart>"; it names what the pickle wanted to call, which is
// not done. Errors are of type [*Error].
func Load(data []byte) (any, error) {
	v, err := run(data)
	if err != nil {
		return nil, err
	}
	c := converter{values: MaxValues, text: MaxText}
	return c.value(v, 0), nil
}

// Attributes returns what a pickled log record holds: a dictionary, as SocketHandler
// sends it, or a LogRecord object of Python's logging package or of Logbook,
// of which it is the attributes. Errors are of type [*Error].
func Attributes(data []byte) (core.Fields, error) {
	v, err := run(data)
	if err != nil {
		return nil, err
	}
	d, ok := attributes(v)
	if !ok {
		return nil, &Error{ReasonUnknown, "a pickle of something else than a record"}
	}
	c := converter{values: MaxValues, text: MaxText}
	return c.fields(d), nil
}

// attributes finds the dictionary in what a record is pickled as.
func attributes(v any) (*dict, bool) {
	switch v := v.(type) {
	case *dict:
		return v, true
	case *object:
		if d, ok := v.state.(*dict); ok {
			return d, true
		}
		if t, ok := v.state.(*list); ok && len(t.items) == 2 { // with __slots__
			if d, ok := t.items[0].(*dict); ok {
				return d, true
			}
		}
		for _, a := range v.args { // _create_log_record(class, dictionary)
			if d, ok := a.(*dict); ok {
				return d, true
			}
		}
	}
	return nil, false
}

// converter turns values of the machine into plain ones, within a budget.
type converter struct{ values, text int }

const cutOff = "..."

func (c *converter) fields(d *dict) core.Fields {
	f := make(core.Fields, 0, len(d.keys))
	index := make(map[string]int, len(d.keys))
	d.busy = true
	for i := range d.keys {
		key, v := c.key(d.keys[i]), c.value(d.values[i], 1)
		if at, ok := index[key]; ok {
			f[at].Value = v
			continue
		}
		index[key] = len(f)
		f = append(f, core.Field{Key: key, Value: v})
	}
	return f
}

func (c *converter) key(k any) string {
	if s, ok := asText(k); ok {
		return c.string(s)
	}
	return c.string(repr(k, 2))
}

func (c *converter) string(s string) string {
	if c.text -= len(s); c.text < 0 {
		return cutOff
	}
	return s
}

func (c *converter) value(v any, depth int) any {
	if c.values--; c.values < 0 || depth > MaxDepth {
		return cutOff
	}
	switch v := v.(type) {
	case nil, bool, int64, float64:
		return v
	case bigInt:
		return json.Number(c.string(string(v)))
	case *list:
		return c.list(v, depth)
	case *dict:
		return c.dict(v, depth)
	case *object:
		return c.object(v, depth)
	}
	if s, ok := asText(v); ok {
		return c.string(s)
	}
	return c.string(repr(v, 2))
}

func (c *converter) list(l *list, depth int) any {
	if l.busy {
		return "[...]"
	}
	l.busy = true
	defer func() { l.busy = false }()
	out := make([]any, 0, min(len(l.items), max(c.values, 0)))
	for _, e := range l.items {
		if c.values <= 0 {
			return append(out, cutOff)
		}
		out = append(out, c.value(e, depth+1))
	}
	return out
}

func (c *converter) dict(d *dict, depth int) any {
	if d.busy {
		return "{...}"
	}
	d.busy = true
	defer func() { d.busy = false }()
	out := make(map[string]any, min(len(d.keys), max(c.values, 0)))
	for i := range d.keys {
		if c.values <= 0 {
			break
		}
		out[c.key(d.keys[i])] = c.value(d.values[i], depth+1)
	}
	return out
}

// object renders a placeholder. What was appended to it or set on it like on a list or
// dictionary is the data of one.
func (c *converter) object(o *object, depth int) any {
	if o.busy {
		return cutOff
	}
	o.busy = true
	defer func() { o.busy = false }()
	switch {
	case o.items != nil && o.state == nil:
		return c.dict(o.items, depth)
	case o.list != nil && o.state == nil:
		return c.list(o.list, depth)
	}
	if g, ok := o.of.(*global); ok && g.module == "uuid" && g.name == "UUID" {
		if id, ok := uuidText(o.state); ok {
			return c.string(id)
		}
	}
	return c.string(repr(o, 2))
}

// asText returns v if it is text.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case py2String:
		return decoded(string(v)), true
	}
	return "", false
}

// asBytes returns v if it is bytes, or text that stands for them.
func asBytes(v any) (string, bool) {
	switch v := v.(type) {
	case pyBytes:
		return string(v), true
	case py2String:
		return string(v), true
	case string:
		return latin1(v)
	}
	return "", false
}

// decoded reads a string of Python 2 as UTF-8, or as Latin-1 if it is none.
func decoded(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// uuidText is the text of a UUID, which pickles as a number.
func uuidText(state any) (string, bool) {
	d, ok := state.(*dict)
	if !ok {
		return "", false
	}
	for i := range d.keys {
		if key, _ := asText(d.keys[i]); key == "int" {
			var n string
			switch v := d.values[i].(type) {
			case int64:
				n = strconv.FormatInt(v, 10)
			case bigInt:
				n = string(v)
			}
			return formatUUID(n)
		}
	}
	return "", false
}
