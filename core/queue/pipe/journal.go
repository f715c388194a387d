package pipe

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// journalLevels are the levels of the journal's priorities.
var journalLevels = [8]core.Level{
	core.LevelCritical, core.LevelCritical, core.LevelCritical, core.LevelError,
	core.LevelWarning, core.LevelNotice, core.LevelInfo, core.LevelDebug,
}

// journalRecord makes a record of an entry as journalctl prints it. Fields of the user
// get into extra in lower case; those of the journal itself that have no place in a record
// are left out, except the unit and the host.
func (o Options) journalRecord(text []byte) (*core.Record, error) {
	var entry map[string]any
	if err := json.Unmarshal(text, &entry); err != nil {
		return nil, &wire.RejectError{Reason: wire.ReasonMalformed, Detail: err.Error()}
	}
	field := func(name string) string { return journalText(entry[name]) }
	message := field("MESSAGE")
	r := o.journalMessage(message, journalLevel(field("PRIORITY")))
	if r.Channel == "" {
		r.Channel = firstOf(field("SYSLOG_IDENTIFIER"), field("_COMM"), o.Channel)
	}
	if us := journalNumber(firstOf(field("_SOURCE_REALTIME_TIMESTAMP"), field("__REALTIME_TIMESTAMP"))); r.Time.IsZero() && us > 0 {
		r.Time = time.UnixMicro(us).UTC()
	}
	if r.Process.ID == 0 {
		r.Process = core.Process{ID: int(journalNumber(firstOf(field("SYSLOG_PID"), field("_PID")))), Name: field("_COMM")}
	}
	if r.Site == (core.Site{}) {
		r.Site = core.Site{File: field("CODE_FILE"), Line: int(journalNumber(field("CODE_LINE"))), Function: field("CODE_FUNC")}
	}
	for _, f := range []struct{ key, name string }{{"host", "_HOSTNAME"}, {"unit", "_SYSTEMD_UNIT"}, {"user_unit", "_SYSTEMD_USER_UNIT"}} {
		if v := field(f.name); v != "" {
			r.Extra.Set(f.key, v)
		}
	}
	o.journalExtra(r, entry)
	return r, nil
}

// journalMessage makes a record of a message, which may be JSON.
func (o Options) journalMessage(message string, level core.Level) *core.Record {
	if strings.HasPrefix(message, "{") {
		if r, err := o.Decoder.Decode([]byte(message)); err == nil {
			return r
		}
	}
	return &core.Record{Level: level, Msg: message, Exception: line.Exception(message)}
}

// known are the fields that have a place in a record.
const known = " MESSAGE PRIORITY SYSLOG_IDENTIFIER SYSLOG_PID SYSLOG_FACILITY SYSLOG_TIMESTAMP SYSLOG_RAW CODE_FILE CODE_LINE CODE_FUNC MESSAGE_ID "

func (o Options) journalExtra(r *core.Record, entry map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(entry)) {
		if strings.HasPrefix(name, "_") || strings.Contains(known, " "+name+" ") {
			continue
		}
		r.Extra.Set(strings.ToLower(name), journalText(entry[name]))
	}
}

// journalText returns a value as text: journalctl writes bytes that are no text as a list
// of numbers, and the values of a field that is there more than once as a list.
func journalText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var out []byte
		for _, e := range v {
			n, ok := e.(float64)
			if !ok {
				return journalText(v[0])
			}
			out = append(out, byte(int(n)))
		}
		return strings.ToValidUTF8(string(out), "\ufffd")
	}
	return ""
}

func journalLevel(priority string) core.Level {
	if n, err := strconv.Atoi(priority); err == nil && n >= 0 && n < len(journalLevels) {
		return journalLevels[n]
	}
	return core.LevelInfo
}

func journalNumber(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
