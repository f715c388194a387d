package push

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

const (
	// maxFile is how large a file gets, in bytes; the services take 2 MB and more.
	maxFile = 512 << 10
	// fileTime bounds how long sending a file may hold up a notification.
	fileTime = 30 * time.Second

	fileName = "context.txt"
	fileType = "text/plain; charset=utf-8"
)

// fileOf returns what belongs to a notification and has no room in its message: the
// whole text, where that was cut, and with a formatter for them the records that led up
// to it, the newest if there are too many. nil means that nothing does.
func fileOf(of notifiers.Notification, records notifiers.Formatter, cut bool) []byte {
	context := of.Context
	if records == nil {
		context = nil
	}
	if !cut && len(context) == 0 {
		return nil
	}
	head := of.Title + "\n" + of.Text(0) + "\n"
	if len(head) > maxFile/2 {
		head = display.Cut(head, maxFile/8) + "\n" // characters of up to four bytes
	}
	var lines []string
	size, first := len(head), 0
	for i, r := range slices.Backward(context) {
		line, err := records.Append(nil, r)
		if err != nil && len(line) == 0 {
			line = []byte(r.Message())
		}
		text := strings.TrimRight(display.Clean(string(line)), "\n") + "\n"
		if size += len(text); size > maxFile {
			first = i + 1
			break
		}
		lines = append(lines, text)
	}
	var b bytes.Buffer
	b.WriteString(head)
	if len(context) > 0 {
		b.WriteString("\n")
	}
	if first > 0 {
		fmt.Fprintf(&b, "(%d earlier records are left out)\n", first)
	}
	for _, line := range slices.Backward(lines) {
		b.WriteString(line)
	}
	return b.Bytes()
}

// form is a multipart/form-data body.
type form struct {
	bytes.Buffer
	w *multipart.Writer
}

func newForm() *form {
	f := new(form)
	f.w = multipart.NewWriter(&f.Buffer)
	return f
}

// add adds a part; file is the name of a file, or "". A buffer has no errors.
func (f *form) add(name, file, contentType string, content []byte) {
	header := textproto.MIMEHeader{}
	disposition := `form-data; name="` + name + `"`
	if file != "" {
		disposition += `; filename="` + file + `"`
	}
	header.Set("Content-Disposition", disposition)
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	if w, err := f.w.CreatePart(header); err == nil {
		_, _ = w.Write(content)
	}
}

// body ends the form and returns its header and its body.
func (f *form) body() (http.Header, []byte) {
	_ = f.w.Close()
	return http.Header{"Content-Type": {f.w.FormDataContentType()}}, f.Bytes()
}
