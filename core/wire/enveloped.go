package wire

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

// envelope reports whether the keys are those of an envelope of kombu.
func (k keys) envelope() bool { return k.has("body", "content-type", "properties") }

// enveloped reads the record in an envelope of kombu. An envelope in an envelope is not
// read.
func (d *Decoder) enveloped(f core.Fields) (*core.Record, error) {
	if d.inside {
		return nil, &RejectError{ReasonUnknown, "an envelope in an envelope"}
	}
	text, err := json.Marshal(f.Map())
	if err != nil {
		return nil, &RejectError{ReasonMalformed, "envelope: " + err.Error()}
	}
	r, _, err := d.DecodeEnvelope(text)
	return r, err
}

// DecodeEnvelope makes a record of an envelope of kombu, as its transports keep messages in
// databases, and reports whether kombu has marked it as redelivered. Errors are of type
// [*RejectError].
func (d *Decoder) DecodeEnvelope(envelope []byte) (r *core.Record, redelivered bool, err error) {
	e, err := kombu.Decode(envelope, d.maxSize)
	if err != nil {
		return nil, false, rejectEnvelope(err)
	}
	inner := *d
	inner.inside = true
	r, err = inner.DecodeMessage(e.Body, e.ContentType)
	return r, e.Redelivered, err
}

// DecodeCompressed is [Decoder.DecodeMessage] for a body that was compressed in the way
// that kombu calls by this name; "" is not at all.
func (d *Decoder) DecodeCompressed(body []byte, compression, contentType string) (*core.Record, error) {
	plain, err := kombu.Decompress(body, compression, d.maxSize)
	if err != nil {
		return nil, rejectEnvelope(err)
	}
	return d.DecodeMessage(plain, contentType)
}

func rejectEnvelope(err error) error {
	if errors.Is(err, kombu.ErrTooLarge) {
		return &RejectError{ReasonTooLarge, err.Error()}
	}
	return &RejectError{ReasonMalformed, err.Error()}
}

// DecodeMessage makes a record of a message of a broker, of which the content type
// is known: a pickle for that of kombu's pickle serializer, else JSON. Errors
// are of type [*RejectError]. body may be retained, see [Decoder.Decode].
func (d *Decoder) DecodeMessage(body []byte, contentType string) (*core.Record, error) {
	if contentType == kombu.TypePickle {
		return d.DecodePickle(body)
	}
	r, err := d.Decode(body)
	if err == nil && bytes.Contains(body, []byte(`"__type__"`)) {
		untagRecord(r)
	}
	return r, err
}

// untagRecord replaces the values that kombu since 5.3 marks with their type by plain
// ones.
func untagRecord(r *core.Record) {
	for i := range r.Args {
		r.Args[i] = untag(r.Args[i])
	}
	for _, f := range []core.Fields{r.Kwargs, r.Extra} {
		for i := range f {
			f[i].Value = untag(f[i].Value)
		}
	}
}

// untag returns the value in {"__type__": "datetime", "__value__": "2024-01-02"}, and those
// in lists and dictionaries of such.
func untag(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = untag(v[i])
		}
	case map[string]any:
		value, tagged := v["__value__"]
		if _, ok := v["__type__"].(string); ok && tagged && len(v) == 2 {
			if id, ok := value.(map[string]any); ok && id["hex"] != nil { // a UUID
				return id["hex"]
			}
			return value
		}
		for key, e := range v {
			v[key] = untag(e)
		}
	}
	return v
}
