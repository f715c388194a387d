package format

import (
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/recordjson"
)

// JSON formats a record as the JSON object that Logbook since 1.5 sends and
// reads, on one line: JSON lines, when a handler ends each with a newline. It is the
// same text that core/wire writes. The zero value is ready to use.
type JSON struct{}

var _ Formatter = (*JSON)(nil)

// NewJSON returns a JSON formatter.
func NewJSON() *JSON { return &JSON{} }

// Append renders r. It never fails: what JSON has no word for becomes text.
func (*JSON) Append(dst []byte, r *core.Record) ([]byte, error) {
	return recordjson.Append(dst, r, recordjson.Options{}), nil
}
