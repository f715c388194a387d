package wire

import (
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// keys answers which of the keys are there that tell families apart.
type keys core.Fields

func (k keys) has(names ...string) bool {
	for _, n := range names {
		if _, ok := core.Fields(k).Lookup(n); !ok {
			return false
		}
	}
	return true
}

// get returns the value of a key; nil if there is none.
func (k keys) get(name string) any {
	v, _ := core.Fields(k).Lookup(name)
	return v
}

func (k keys) text(name string) (string, bool) {
	s, ok := k.get(name).(string)
	return s, ok
}

// FromFields makes a record of an object that has been decoded already, from
// JSON or anything else. It recognizes what [Decoder.Decode] does; the record may
// keep the values.
func (d *Decoder) FromFields(f core.Fields) (*core.Record, error) {
	k := keys(f)
	switch {
	case d.family == familyLogbook:
		return d.logbookDict(k)
	case d.family == familyStdlib:
		return d.stdlib(f, k), nil
	case d.dialects.Forced():
		return d.dialect(f)
	case k.has("heavy_initialized", "channel"):
		return d.logbookDict(k)
	case k.has("levelno"), k.has("levelname"):
		return d.stdlib(f, k), nil
	case k.envelope():
		return d.enveloped(f)
	case k.redisHandler():
		return d.redisHandler(f, k), nil
	}
	return d.dialect(f)
}

// dialect reads what other libraries write, and what only resembles a record of
// Logbook.
func (d *Decoder) dialect(f core.Fields) (*core.Record, error) {
	if r := d.dialects.Record(f, d.Decode); r != nil {
		return r, nil
	}
	k := keys(f)
	if _, numeric := k.get("level").(int64); k.has("heavy_initialized") || numeric && k.has("msg") {
		return d.logbookDict(k)
	}
	if r := d.dialects.Generic(f); r != nil {
		return r, nil
	}
	return nil, &RejectError{ReasonUnknown, "keys: " + someKeys(f)}
}

// someKeys names the first few keys, for people.
func someKeys(f core.Fields) string {
	names := make([]string, 0, 8)
	for i := range min(len(f), 8) {
		names = append(names, cut(f[i].Key, 40))
	}
	return strings.Join(names, ", ")
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

func (d *Decoder) logbookDict(k keys) (*core.Record, error) {
	dict := core.Fields(k).Map()
	if s, ok := k.text("time"); ok {
		if t, err := isotime.Parse(s, d.fraction, d.zone); err == nil {
			dict["time"] = t
		}
	}
	r, err := core.FromDict(dict)
	if err != nil {
		return nil, &RejectError{ReasonUnknown, err.Error()}
	}
	return r, nil
}

// redisHandler reports whether the keys are those of Logbook's RedisHandler.
func (k keys) redisHandler() bool {
	if _, named := k.text("level"); !named || !k.has("message", "host") {
		return false
	}
	at, ok := k.text("time")
	return ok && len(at) >= 19 && len(at) <= 26 && at[10] == 'T' && !strings.HasSuffix(at, "Z")
}

// redisHandler reads the small record of Logbook's RedisHandler: the template, not
// the message, and named arguments side by side with the handler's extra fields.
func (d *Decoder) redisHandler(f core.Fields, k keys) *core.Record {
	r := new(core.Record)
	at, _ := k.text("time")
	var err error
	if r.Time, err = isotime.Parse(at, isotime.Decimal, d.zone); err != nil {
		r.Extra = append(r.Extra, core.Field{Key: "time", Value: at})
	}
	for i := range f {
		switch f[i].Key {
		case "message", "level", "time":
		default:
			r.Extra = append(r.Extra, f[i])
		}
	}
	r.UpdateFromDict(map[string]any{"msg": k.get("message"), "level": k.get("level")})
	text, err := strformat.Format(r.Msg, nil, r.Extra)
	if err != nil { // positional arguments did not travel
		text = r.Msg
	}
	r.SetMessage(text)
	return r
}
