package stream

import (
	"errors"
	"io"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// CutShort returns the message of which a stream had only the beginning when it ended with
// err: one that is too large, that is not complete, or that one of malformed says is no
// message. It reports false if there was none.
func CutShort(err error, beginning []byte, malformed ...error) (queue.Message, bool) {
	reason := ""
	if errors.Is(err, frame.ErrTooLarge) {
		reason = wire.ReasonTooLarge
	}
	for _, target := range append(malformed, io.ErrUnexpectedEOF) {
		if len(beginning) > 0 && errors.Is(err, target) {
			reason = wire.ReasonMalformed
		}
	}
	if reason == "" {
		return queue.Message{}, false
	}
	return queue.Message{Body: beginning, Cut: true, Err: &wire.RejectError{Reason: reason, Detail: err.Error()}}, true
}
