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

// cee is in front of messages that are JSON, for some.
const cee = "@cee:"

// defaultPriority is that of messages without one: user, notice.
const defaultPriority = 13

// header is what precedes a message.
type header struct {
	head      string // all of it as it came, where a line of the same record would repeat it; see [joiner]
	padded    bool   // the text may have a blank in front that a relay has put there
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
	h, err := o.header(raw, now)
	if err != nil {
		return nil, err
	}
	return o.record(h), nil
}

// header takes a message apart.
func (o Options) header(raw []byte, now time.Time) (header, error) {
	raw = bytes.TrimRight(raw, "\x00\r\n")
	h := header{}
	if len(bytes.TrimSpace(raw)) == 0 {
		return h, &wire.RejectError{Reason: wire.ReasonEmpty}
	}
	whole := strings.ToValidUTF8(string(raw), "\ufffd")
	var text string
	h.priority, text = priority(whole)
	switch start := version(text); {
	case start >= 0 && h.rfc5424(text[start:]):
		if h.app == "" { // an ident in front of the version
			h.app = strings.TrimSuffix(strings.TrimSpace(text[:start]), ":")
		}
	case h.rfc3164(text, o.Zone, now):
	default:
		h.app, h.pid, h.text = tag(text)
	}
	if m := logbookHead.FindString(whole); m != "" && strings.HasSuffix(whole, h.text) {
		h.head = whole[:len(whole)-len(h.text)]
	}
	h.text = strings.TrimPrefix(h.text, "\ufeff")
	return h, nil
}

// logbookHead is the header of Logbook's SyslogHandler over a network, which it repeats for
// each line of a record: with microseconds, and with neither a message's name nor data.
var logbookHead = regexp.MustCompile(`^<\d{1,3}>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ [^\n]{1,255}? \d+ - - `)

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

// spaced is a name of a program with blanks in it, which is what Logbook makes of the
// name of a channel.
var spaced = regexp.MustCompile(`^(1 \S+Z \S+ )(\S+(?: \S+){1,8}?)( \d+ - - )`)

// fields are those of a header of RFC 5424 behind its time.
var fields = regexp.MustCompile(`^(1 \S+) (\S+) (\S+) (\S+) (\S+) `)

// The largest lengths of the fields.
var fieldLimits = [4]int{255, 48, 128, 32}

// regular returns text with names that RFC 5424 does not allow replaced by "-", and
// the names. Docker sends names that are too long, Logbook such with blanks, and both of
// them what is not ASCII.
func regular(text string) (string, [4]string) {
	var odd [4]string
	if m := spaced.FindStringSubmatch(text); m != nil && !fields5424(text) {
		odd[1] = m[2]
		text = m[1] + "-" + text[len(m[1])+len(m[2]):]
	}
	m := fields.FindStringSubmatch(text)
	if m == nil {
		return text, odd
	}
	out := []string{m[1]}
	for i, f := range m[2:] {
		if len(f) > fieldLimits[i] || strings.ContainsFunc(f, func(r rune) bool { return r < '!' || r > '~' }) {
			odd[i], f = f, "-"
		}
		out = append(out, f)
	}
	return strings.Join(append(out, text[len(m[0]):]), " "), odd
}

// fields5424 reports whether what follows the five fields can be structured data.
func fields5424(text string) bool {
	m := fields.FindString(text)
	rest := text[len(m):]
	return m != "" && (rest == "-" || strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "[")) && !strings.HasPrefix(rest, "- - ")
}

// rfc5424 reads the header of RFC 5424, as far as it is one.
func (h *header) rfc5424(text string) bool {
	text = emptyData.ReplaceAllString(text, "$1 - ")
	text, odd := regular(text)
	m, err := rfc5424.NewMachine(rfc5424.WithBestEffort()).Parse([]byte("<" + strconv.Itoa(h.priority) + ">" + text))
	parsed, ok := m.(*rfc5424.SyslogMessage)
	if !ok || parsed.Timestamp == nil && err != nil {
		return false
	}
	if parsed.Timestamp != nil {
		h.time = *parsed.Timestamp
	}
	h.host, h.app, h.pid, h.msgID = value(parsed.Hostname), value(parsed.Appname), value(parsed.ProcID), value(parsed.MsgID)
	for i, field := range []*string{&h.host, &h.app, &h.pid, &h.msgID} {
		if odd[i] != "" {
			*field = odd[i]
		}
	}
	h.text, h.padded = value(parsed.Message), true
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
	rest, ok := h.stamp(text, zone, now)
	if !ok {
		return false
	}
	// A host follows, unless the message comes from this computer.
	if host, after, ok := strings.Cut(rest, " "); ok && !strings.HasSuffix(host, ":") && !strings.Contains(host, "[") {
		h.host, rest = host, after
	}
	h.app, h.pid, h.text = tag(rest)
	return true
}

// stamp takes the time from the front of a message: that of RFC 3164, or the better one that
// rsyslog calls its forward format.
func (h *header) stamp(text string, zone *time.Location, now time.Time) (rest string, ok bool) {
	if len(text) > stampLength && text[stampLength] == ' ' {
		if t, err := time.ParseInLocation(time.Stamp, text[:stampLength], zone); err == nil {
			h.time = withYear(t, now.In(zone))
			return text[stampLength+1:], true
		}
	}
	first, rest, ok := strings.Cut(strings.TrimPrefix(text, " "), " ")
	if !ok || len(first) > 40 {
		return "", false
	}
	t, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		return "", false
	}
	h.time = t
	return rest, true
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

// tagPattern is the name of a program in front of a message. With a process behind it, the
// name may be any, such as that of an image of Docker with its version.
var tagPattern = regexp.MustCompile(`^(?:([^\s\[\]<>]{1,255})\[(\d{1,10})\]|([\w./-]{1,48})): ?`)

// tag takes the name of the program and its process from the front of a message.
func tag(text string) (app, pid, rest string) {
	m := tagPattern.FindStringSubmatch(text)
	if m == nil {
		return "", "", text
	}
	if _, err := core.ParseLevel(m[3]); err == nil { // "error: no such file"
		return "", "", text
	}
	return m[1] + m[3], m[2], text[len(m[0]):]
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
	h.text = unescape(h.text)
	if h.padded && blankAhead(h.text) {
		h.text = h.text[1:]
	}
	r := o.inner(strings.TrimPrefix(h.text, cee))
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

// unescape undoes what rsyslog makes of the control characters of a message that it has
// received. "#012" might as well be meant, so that only tracebacks are changed, and the NUL
// that Python ends its messages with.
func unescape(text string) string {
	text = strings.TrimSuffix(text, "#000")
	if !strings.Contains(text, tracebackStart+"#012") {
		return text
	}
	return strings.NewReplacer("#012", "\n", "#011", "\t").Replace(text)
}

// blankAhead reports whether one blank precedes the text, as it does behind a relay that takes
// the one between a name and a message for a part of the message.
func blankAhead(text string) bool {
	return len(text) > 1 && text[0] == ' ' && text[1] != ' ' && text[1] != '\t'
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
