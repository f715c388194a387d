package syslog

import (
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// IsMessage reports whether data begins with a priority such as "<13>", as the messages of
// syslog do. A [Receiver] takes others, too.
func IsMessage(data []byte) bool {
	head := string(data[:min(len(data), 5)])
	_, rest := priority(head)
	return len(rest) < len(head)
}

// Parse makes a record of one message that has come in at now. d reads messages that are
// JSON, zone is that of times without one. It does not join lines, as a [Receiver] does. Errors
// are of type [*wire.RejectError].
func Parse(d *wire.Decoder, zone *time.Location, message []byte, now time.Time) (*core.Record, error) {
	return Options{Decoder: d, Zone: zone}.parse(message, now)
}
