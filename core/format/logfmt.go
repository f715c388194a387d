package format

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// Logfmt formats a record as key=value pairs on one line:
//
//	time=2026-11-20T09:30:00.000000Z level=error channel=shop msg="payment declined" order=4711
//
// After the message come the place ("caller"), the exception ("error",
// "error_type", "traceback") and the extra data under its own keys. The zero value is
// ready to use.
type Logfmt struct{}

var _ Formatter = (*Logfmt)(nil)

// NewLogfmt returns a logfmt formatter.
func NewLogfmt() *Logfmt { return &Logfmt{} }

// Append renders r. It never fails.
func (*Logfmt) Append(dst []byte, r *core.Record) ([]byte, error) {
	dst = append(dst, "time="...)
	dst = r.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z07:00")
	dst = pair(dst, "level", strings.ToLower(r.Level.String()))
	dst = pair(dst, "channel", r.Channel)
	dst = pair(dst, "msg", r.Message())
	if site := r.Caller(); site.File != "" {
		dst = pair(dst, "caller", site.File+":"+strconv.Itoa(site.Line))
	}
	if e := r.Exception; e != nil {
		dst = pair(dst, "error", e.Message)
		dst = pair(dst, "error_type", e.Name)
		if e.Traceback != "" {
			dst = pair(dst, "traceback", e.Traceback)
		}
	}
	for key, value := range r.Extra.All() {
		dst = pair(dst, key, strformat.Str(value))
	}
	return dst, nil
}

func pair(dst []byte, key, value string) []byte {
	dst = append(dst, ' ')
	dst = appendKey(dst, key)
	dst = append(dst, '=')
	if value != "" && strings.IndexFunc(value, needsQuotes) < 0 {
		return append(dst, value...)
	}
	return strconv.AppendQuote(dst, value)
}

// appendKey replaces what cannot stand in a key.
func appendKey(dst []byte, key string) []byte {
	if key == "" {
		return append(dst, '_')
	}
	for _, c := range key {
		if needsQuotes(c) {
			c = '_'
		}
		dst = utf8.AppendRune(dst, c)
	}
	return dst
}

func needsQuotes(c rune) bool {
	return c == '=' || c == '"' || c == utf8.RuneError || c <= ' ' || !unicode.IsPrint(c)
}
