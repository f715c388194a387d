package syslog

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// Element is one element of the STRUCTURED-DATA of RFC 5424.
type Element struct {
	// ID names the element, as in "shop@32473"; the number is that of who defines it.
	ID string
	// Params are its parameters.
	Params []core.Field
}

// ExtraData returns a function that makes one element of a record's extra data.
func ExtraData(id string) func(*core.Record) []Element {
	return func(r *core.Record) []Element {
		if len(r.Extra) == 0 {
			return nil
		}
		return []Element{{id, r.Extra}}
	}
}

// CookbookData returns the structured data that Python's logging cookbook puts into
// a record: extra["structured_data"], parameters by name by the name of the
// element.
func CookbookData(r *core.Record) []Element {
	var out []Element
	data, _ := r.Extra.Get("structured_data").(map[string]any)
	for id, v := range data {
		e := Element{ID: id}
		params, _ := v.(map[string]any)
		for name, value := range params {
			e.Params = append(e.Params, core.Field{Key: name, Value: value})
		}
		slices.SortFunc(e.Params, func(a, b core.Field) int { return strings.Compare(a.Key, b.Key) })
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Element) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// packets returns what is sent for r: one message, or one for each line. The
// error is that of the formatter, whose text is sent as far as it goes.
func (h *Handler) packets(r *core.Record) ([][]byte, error) {
	head := h.appendHeader(nil, r)
	text, err := h.text(r)
	lines := [][]byte{text}
	if h.o.Framing == FramingLF {
		lines = slices.DeleteFunc(bytes.Split(text, []byte("\n")), func(l []byte) bool { return len(bytes.TrimSpace(l)) == 0 })
		if len(lines) == 0 {
			lines = [][]byte{nil}
		}
	}
	out := make([][]byte, len(lines))
	for i, line := range lines {
		p := append([]byte(nil), head...)
		if h.o.BOM && h.o.Protocol == RFC5424 && !isASCII(line) {
			p = append(p, "\xef\xbb\xbf"...)
		}
		out[i] = h.frame(clip(append(p, line...), h.o.MaxSize))
	}
	return out, err
}

// appendHeader writes all that stands before the text.
func (h *Handler) appendHeader(dst []byte, r *core.Record) []byte {
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, int64(h.facility<<3|Severity(r.Level)), 10)
	dst = append(dst, '>')
	if h.o.Protocol == BSD {
		dst = append(dst, noNUL(h.o.Ident)...)
		if h.o.ApplicationName != "" {
			dst = append(append(dst, noNUL(h.o.ApplicationName)...), ':')
		}
		return dst
	}
	app := h.o.ApplicationName
	if app == "" {
		app = r.Channel
	}
	process := "-"
	if r.Process.ID != 0 {
		process = strconv.Itoa(r.Process.ID)
	}
	dst = append(dst, "1 "...)
	dst = r.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	for _, f := range []struct {
		value string
		max   int
	}{{h.o.Hostname, 255}, {app, 48}, {process, 128}, {h.o.MessageID, 32}} {
		dst = append(append(dst, ' '), name(f.value, f.max, "")...)
	}
	return append(h.appendData(append(dst, ' '), r), ' ')
}

func (h *Handler) appendData(dst []byte, r *core.Record) []byte {
	var elements []Element
	if h.o.StructuredData != nil {
		elements = h.o.StructuredData(r.Keep()) // kept: what was logged in Go may contain itself
	}
	if len(elements) == 0 {
		return append(dst, '-')
	}
	for _, e := range elements {
		dst = append(append(dst, '['), name(e.ID, 32, `="]`)...)
		for _, p := range e.Params {
			dst = append(append(append(dst, ' '), name(p.Key, 32, `="]`)...), `="`...)
			dst = append(appendEscaped(dst, fmt.Sprint(p.Value)), '"')
		}
		dst = append(dst, ']')
	}
	return dst
}

// name makes s a field of the header: printable ASCII without blanks and what is in
// not, at most n bytes, "-" if it is empty.
func name(s string, n int, not string) string {
	if s == "" {
		return "-"
	}
	b := []byte(s[:min(n, len(s))])
	for i, c := range b {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(not, c) >= 0 {
			b[i] = '_'
		}
	}
	return string(b)
}

func appendEscaped(dst []byte, s string) []byte {
	for _, c := range []byte(strings.ToValidUTF8(s, "\uFFFD")) {
		switch c {
		case '"', '\\', ']':
			dst = append(dst, '\\', c)
		case '\n', '\r', 0: // would end the message under one framing or another
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func (h *Handler) text(r *core.Record) ([]byte, error) {
	if h.o.Formatter != nil {
		text, err := h.o.Formatter.Append(nil, r)
		return noNUL(text), err
	}
	f := h.withChannel
	if r.Channel == "" || h.o.Protocol == RFC5424 && h.o.ApplicationName == "" {
		f = h.messageOnly
	}
	text, err := f.Append(nil, r)
	return noNUL(text), err
}

// noNUL takes out what would end a message in the middle, and what is not text.
func noNUL[T string | []byte](s T) []byte {
	b := bytes.ToValidUTF8([]byte(s), []byte("\uFFFD"))
	return bytes.ReplaceAll(b, []byte{0}, []byte("\uFFFD"))
}

func (h *Handler) frame(p []byte) []byte {
	switch h.o.Framing {
	case FramingNUL:
		return append(p, 0)
	case FramingLF:
		return append(p, '\n')
	case FramingOctets:
		return append(strconv.AppendInt(nil, int64(len(p)), 10), append([]byte(" "), p...)...)
	case FramingNone, FramingDefault:
	}
	return p
}

// clip cuts a message at n bytes, and between characters.
func clip(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	return bytes.ToValidUTF8(b[:n], nil)
}

func isASCII(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 })
}
