package wire

import (
	"errors"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire/dialect"
	"github.com/logbook-tray/logbook-tray/core/wire/pickle"
)

// DecodePickle is [Decoder.DecodePickle] with the default options.
func DecodePickle(body []byte) (*core.Record, error) {
	return standard.DecodePickle(body)
}

// DecodePickle makes a record of a pickle: the dictionary that Python's SocketHandler
// and DatagramHandler send, the one of Logbook's MultiProcessingHandler, or a
// LogRecord object of either. Nothing in it is executed, see package pickle. It is Python's
// whatever [Options.Dialect] and [Options.Map] say, which are about JSON. body may be
// retained, see [Decoder.Decode]. Errors are of type [*RejectError].
func (d *Decoder) DecodePickle(body []byte) (*core.Record, error) {
	if len(body) == 0 {
		return nil, &RejectError{Reason: ReasonEmpty}
	}
	if len(body) > d.maxSize {
		return nil, tooLarge(len(body), d.maxSize)
	}
	m := borrow()
	r, ok := stdlibPickle(body, m)
	m.giveBack()
	if ok {
		return r, nil
	}
	return d.anyPickle(body)
}

func (d *Decoder) anyPickle(body []byte) (*core.Record, error) {
	f, err := pickle.Attributes(body)
	if err != nil {
		reject := &RejectError{Reason: ReasonMalformed, Detail: err.Error()}
		if p, ok := errors.AsType[*pickle.Error](err); ok {
			reject.Reason, reject.Detail = p.Reason, "pickle: "+p.Detail
		}
		return nil, reject
	}
	kept := f[:0]
	for _, e := range f {
		if !strings.HasPrefix(e.Key, "_") || e.Key == "_created" { // private to the sender's objects
			kept = append(kept, e)
		}
	}
	python := *d
	python.family, python.dialects = "", dialect.Recognizer{}
	return python.FromFields(kept)
}
