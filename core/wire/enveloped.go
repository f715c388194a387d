package wire

import (
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
	e, err := kombu.Decode(text, d.maxSize)
	if err != nil {
		return nil, rejectEnvelope(err)
	}
	inner := *d
	inner.inside = true
	return inner.DecodeMessage(e.Body, e.ContentType)
}

func rejectEnvelope(err error) error {
	if errors.Is(err, kombu.ErrTooLarge) {
		return &RejectError{ReasonTooLarge, err.Error()}
	}
	return &RejectError{ReasonMalformed, err.Error()}
}

// DecodeMessage makes a record of a message of a broker, of which the content type
// is known: a pickle for that of kombu's pickle serializer, else JSON. Errors
// are of type [*RejectError].
func (d *Decoder) DecodeMessage(body []byte, contentType string) (*core.Record, error) {
	if contentType == kombu.TypePickle {
		return d.DecodePickle(body)
	}
	return d.Decode(body)
}
