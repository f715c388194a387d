package syslog

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// defaultPriority is that of messages without one: user, notice.
const defaultPriority = 13

// header is what precedes a message.
type header struct {
	priority  int
	time      time.Time
	host, app string
	pid       string
	msgID     string
	data      map[string]map[string]string
	text      string
}

// parse makes a record of a message. now is when it came in.
func (o Options) parse(raw []byte, now time.Time) (*core.Record, error) {
	raw = bytes.TrimRight(raw, "\x00\r\n")
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, &wire.RejectError{Reason: wire.ReasonEmpty}
	}
	text := strings.ToValidUTF8(string(raw), "\ufffd")
	h := header{}
	h.priority, text = priority(text)
	switch start := version(text); {
	case start >= 0 && h.rfc5424(text[start:]):
		if h.app == "" { // an ident in front of the version
			h.app = strings.TrimSuffix(strings.TrimSpace(text[:start]), ":")
		}
	case h.rfc3164(text, o.Zone, now):
	default:
		h.app, h.pid, h.text = tag(text)
	}
	h.text = strings.TrimPrefix(h.text, "\ufeff")
	return o.record(h), nil
}

// priority takes the "<13>" from the front of a message.
func priority(text string) (int, string) {
	end := strings.IndexByte(text[:min(len(text), 5)], '>')
	if end < 2 || text[0] != '<' {
		return defaultPriority, text
	}
	n, err := strconv.ParseUint(text[1:end], 10, 8)
	if err != nil || n > 191 {
		return defaultPriority, text
	}
	return int(n), text[end+1:]
}

// versionPattern is the start of RFC 5424, behind what Python's ident may put before it.
var versionPattern = regexp.MustCompile(`^(?:[^\s<>]{1,48}:? ?)?(1 (?:-|\d{4}-\d\d-\d\dT\S+) )`)

// version returns where the version of RFC 5424 starts, or -1.
func version(text string) int {
	m := versionPattern.FindStringSubmatchIndex(text)
	if m == nil {
		return -1
	}
	return m[2]
}

// emptyData is what a handler sends that has no structured data, but no "-" either.
var emptyData = regexp.MustCompile(`^(1(?: \S+){5})  `)

// rfc5424 reads the header of RFC 5424, as far as it is one.
func (h *header) rfc5424(text string) bool {
	text = emptyData.ReplaceAllString(text, "$1 - ")
	m, err := rfc5424.NewMachine(rfc5424.WithBestEffort()).Parse([]byte("<" + strconv.Itoa(h.priority) + ">" + text))
	parsed, ok := m.(*rfc5424.SyslogMessage)
	if !ok || parsed.Timestamp == nil && err != nil {
		return false
	}
	if parsed.Timestamp != nil {
		h.time = *parsed.Timestamp
	}
	h.host, h.app, h.pid, h.msgID = value(parsed.Hostname), value(parsed.Appname), value(parsed.ProcID), value(parsed.MsgID)
	h.text = value(parsed.Message)
	if parsed.StructuredData != nil {
		h.data = *parsed.StructuredData
	}
	if err != nil { // what could not be read is at least shown
		h.text = text
	}
	return true
}

func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// stampLength is that of "Nov 20 21:03:42".
const stampLength = len(time.Stamp)

// rfc3164 reads the header of RFC 3164, if there is a time; Python's handler sends none.
func (h *header) rfc3164(text string, zone *time.Location, now time.Time) bool {
	if len(text) <= stampLength || text[stampLength] != ' ' {
		return false
	}
	t, err := time.ParseInLocation(time.Stamp, text[:stampLength], zone)
	if err != nil {
		return false
	}
	h.time = withYear(t, now.In(zone))
	rest := text[stampLength+1:]
	// A host follows, unless the message comes from this computer.
	if host, after, ok := strings.Cut(rest, " "); ok && !strings.HasSuffix(host, ":") && !strings.Contains(host, "[") {
		h.host, rest = host, after
	}
	h.app, h.pid, h.text = tag(rest)
	return true
}

// withYear gives a time the year that it lacks: that in which it is nearest to now.
func withYear(t, now time.Time) time.Time {
	best := t.AddDate(now.Year(), 0, 0)
	for _, year := range []int{now.Year() - 1, now.Year() + 1} {
		if other := t.AddDate(year, 0, 0); other.Sub(now).Abs() < best.Sub(now).Abs() {
			best = other
		}
	}
	return best
}

// tagPattern is the name of a program in front of a message.
var tagPattern = regexp.MustCompile(`^([\w./-]{1,48})(?:\[(\d{1,10})\])?: ?`)

// tag takes the name of the program and its process from the front of a message.
func tag(text string) (app, pid, rest string) {
	m := tagPattern.FindStringSubmatch(text)
	if m == nil {
		return "", "", text
	}
	if _, err := core.ParseLevel(m[1]); err == nil { // "error: no such file"
		return "", "", text
	}
	return m[1], m[2], text[len(m[0]):]
}

// severities are the levels of syslog's severities.
var severities = [8]core.Level{
	core.LevelCritical, core.LevelCritical, core.LevelCritical, core.LevelError,
	core.LevelWarning, core.LevelNotice, core.LevelInfo, core.LevelDebug,
}

// facilities are the names of the facilities in RFC 5424 as syslog.conf has them.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// record makes a record of a header and its message.
func (o Options) record(h header) *core.Record {
	r := o.inner(strings.TrimPrefix(h.text, "@cee:"))
	if r == nil {
		r = &core.Record{Level: severities[h.priority%8], Msg: h.text}
		r.Exception = line.Exception(h.text)
	}
	if r.Channel == "" {
		r.Channel = h.app
	}
	if r.Time.IsZero() && !h.time.IsZero() {
		r.Time = h.time.UTC()
	}
	if pid, err := strconv.Atoi(h.pid); err == nil && r.Process.ID == 0 {
		r.Process.ID = pid
	}
	r.Extra.Set("facility", facilities[h.priority/8])
	for _, f := range []struct{ key, value string }{{"host", h.host}, {"msgid", h.msgID}} {
		if f.value != "" {
			r.Extra.Set(f.key, f.value)
		}
	}
	ids := make([]string, 0, len(h.data))
	for id := range h.data {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		params := make(map[string]any, len(h.data[id]))
		for k, v := range h.data[id] {
			params[k] = v
		}
		r.Extra.Set(id, params)
	}
	return r
}

// inner decodes a message that is a JSON record, otherwise it returns nil.
func (o Options) inner(text string) *core.Record {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return nil
	}
	r, err := o.Decoder.Decode([]byte(text))
	if err != nil {
		return nil
	}
	return r
}
