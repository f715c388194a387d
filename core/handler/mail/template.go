package mail

import (
	"bytes"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

const (
	maxHeader = 300     // bytes of a header's value: what no mail program shows in full
	maxText   = 1 << 20 // bytes of a mail: a batch may be of any size
)

// template is a parsed [Options].Format. The headers are told from the text in the
// format string itself, not in what comes out, so that nothing in a record can
// become a header. (Logbook splits what comes out.)
type template struct {
	headers []header
	body    *format.String
}

type header struct {
	name  string
	value *format.String
}

func newTemplate(o Options) (*template, error) {
	subject, text := o.Subject, o.Format
	if subject == "" {
		subject = DefaultSubject
	}
	if text == "" {
		text = DefaultFormat
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	head, body, _ := strings.Cut(text, "\n\n")
	if strings.HasPrefix(text, "\n") {
		head, body = "", text[1:]
	}
	t := new(template)
	for line := range strings.SplitSeq(strings.ReplaceAll(head, "\n ", " "), "\n") {
		if line == "" {
			continue
		}
		if err := t.addHeader(line, subject, o.FormatOptions); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(t.headers, func(h header) bool { return h.name == "Subject" }) {
		if err := t.addHeader("Subject: {handler.subject}", subject, o.FormatOptions); err != nil {
			return nil, err
		}
	}
	var err error
	if t.body, err = format.NewString(strings.TrimRight(body, "\n"), o.FormatOptions); err != nil {
		return nil, fmt.Errorf("mail: format: %w", err)
	}
	return t, nil
}

func (t *template) addHeader(line, subject string, o format.Options) error {
	name, value, ok := strings.Cut(line, ":")
	name = strings.TrimSpace(name)
	if !ok || !isToken(name) {
		return fmt.Errorf("mail: format: %q is not a header; headers end with an empty line", line)
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "From", "To", "Cc", "Bcc", "Date", "Message-Id", "Mime-Version":
		return fmt.Errorf("mail: format: the header %s is set by the handler", name)
	}
	if strings.HasPrefix(name, "Content-") {
		return fmt.Errorf("mail: format: the header %s is set by the handler", name)
	}
	o.NoException = true
	f, err := format.NewString(strings.ReplaceAll(strings.TrimSpace(value), "{handler.subject}", subject), o)
	if err != nil {
		return fmt.Errorf("mail: format: header %s: %w", name, err)
	}
	t.headers = append(t.headers, header{name, f})
	return nil
}

func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return s != ""
}

// mailText is a mail without its addresses.
type mailText struct {
	headers []rendered
	body    []byte
}

type rendered struct{ name, value string }

func (t *template) render(r *core.Record) (*mailText, error) {
	m := new(mailText)
	var errs []error
	for _, h := range t.headers {
		value, err := h.value.Append(nil, r)
		errs = append(errs, err)
		m.headers = append(m.headers, rendered{h.name, oneLine(string(value))})
	}
	body, err := t.body.Append(nil, r)
	m.body = clip(body, maxText)
	return m, errors.Join(append(errs, err)...)
}

// oneLine makes a text fit for a header.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\u0085' || c == '\u2028' || c == '\u2029' }), " ")
	return string(clip([]byte(s), maxHeader))
}

// clip cuts a text at n bytes, and between characters.
func clip(b []byte, n int) []byte {
	b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	if len(b) <= n {
		return b
	}
	return append(bytes.ToValidUTF8(b[:n], nil), "..."...)
}

// addSuppressed says how many mails about the same record were not sent.
func (m *mailText) addSuppressed(n int) {
	if n > 0 {
		m.body = fmt.Appendf(m.body, "\n\nThis message occurred additional %d time(s) and was suppressed", n)
	}
}

// addOthers adds the other records of a batch, as far as there is room.
func (m *mailText) addOthers(f *format.String, rs []*core.Record, title string) error {
	if len(rs) == 0 {
		return nil
	}
	m.body = append(append(append(m.body, "\n\n\n"...), title...), ":\n"...)
	var errs []error
	for i, r := range rs {
		text, err := f.Append(nil, r)
		errs = append(errs, err)
		text = clip(bytes.TrimRight(text, "\n"), maxText/4)
		if len(m.body)+len(text) > maxText {
			m.body = append(m.body, "\n... and "+strconv.Itoa(len(rs)-i)+" more"...)
			break
		}
		m.body = append(append(append(m.body, '\n'), text...), '\n')
	}
	m.body = bytes.TrimRight(m.body, "\n")
	return errors.Join(errs...)
}
