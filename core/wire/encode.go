package wire

import (
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/recordjson"
)

// AppendOptions change what [AppendWith] writes.
type AppendOptions struct {
	// OldLevels writes the level numbers 1 to 6 of Logbook before 0.11, for readers
	// of that age. They know no TRACE; it becomes DEBUG.
	OldLevels bool
}

// Append appends r to dst as the JSON object that Logbook since 1.5 sends and
// reads: all of its 23 keys, on one line, in UTF-8. The error is a
// [*RejectError] with [ReasonTooLarge] if nobody would take it; dst is then returned as
// it was.
//
// r must be pulled or frozen, see [core.Record]. Arguments and extra data of
// any Go type are written; what JSON has no word for becomes text.
func Append(dst []byte, r *core.Record) ([]byte, error) {
	return AppendWith(dst, r, AppendOptions{})
}

// AppendWith is [Append] with options.
func AppendWith(dst []byte, r *core.Record, o AppendOptions) ([]byte, error) {
	start := len(dst)
	out := recordjson.Append(dst, r, recordjson.Options{OldLevels: o.OldLevels})
	if n := len(out) - start; n > DefaultMaxSize {
		return dst, tooLarge(n, DefaultMaxSize)
	}
	return out, nil
}
