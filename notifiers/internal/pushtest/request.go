package pushtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// Limit is how long a text of a request may be.
type Limit struct {
	// Text is its name, see [Request.Texts].
	Text string
	Max  int
	// Count measures it; nil counts characters.
	Count func(string) int
}

// Bytes counts the bytes of a text, for [Limit].
func Bytes(s string) int { return len(s) }

// Request is what a service was sent.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte
	// Texts are all texts of the request by their names: "title", "embeds[].title" in
	// JSON, "message" in a form, "file context.txt" for a file, "header X-Title", and "" for
	// the whole body.
	Texts map[string][]string
	// Shape is all of the request but its texts.
	Shape []string
}

// answer is what all services say, together: what they call the message.
const answer = `{"id": "1", "event_id": "$1", "content_uri": "mxc://example.org/1", "result": {"message_id": 1},
	"attachment": {"url": "https://files.example/1.txt"}}`

// Requests returns what a notifier of the kind sends for notifications.
func (k Kind) Requests(t testing.TB, ns ...notifiers.Notification) []Request {
	t.Helper()
	var all []Request
	n, err := k.New(server, &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		all = append(all, read(t, r, body))
		return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
	})})
	if err != nil {
		t.Fatalf("make the notifier: %v", err)
	}
	for _, of := range ns {
		if err := n.Notify(context.Background(), of); err != nil {
			t.Errorf("notify: %v", err)
		}
	}
	return all
}

func read(t testing.TB, r *http.Request, body []byte) Request {
	t.Helper()
	q := Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: body, Texts: map[string][]string{"": {string(body)}}}
	q.Shape = append(q.Shape, "method "+r.Method, "address "+r.URL.Scheme+"://"+r.URL.Host)
	words := mime.WordDecoder{}
	for name, values := range r.Header {
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("the header %s is %q", name, v)
			}
			text, err := words.DecodeHeader(v)
			if err != nil {
				t.Errorf("the header %s: %v", name, err)
			}
			q.text("header "+name, text)
		}
	}
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		t.Errorf("the type of the body: %v", err)
	}
	switch kind {
	case "application/json":
		q.json(t, body)
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Errorf("the form: %v", err)
		}
		for name, values := range form {
			for _, v := range values {
				q.text(name, v)
			}
		}
	case "multipart/form-data":
		q.parts(t, body, parameters["boundary"])
	case "text/plain":
		q.text("text", string(body))
	default:
		t.Errorf("a body of the type %q", kind)
	}
	slices.Sort(q.Shape)
	q.Shape = slices.Compact(q.Shape)
	return q
}

// text notes a text and that it is there.
func (q *Request) text(name, value string) {
	q.Texts[name] = append(q.Texts[name], value)
	q.Shape = append(q.Shape, "text "+name)
}

func (q *Request) parts(t testing.TB, body []byte, boundary string) {
	t.Helper()
	reader := multipart.NewReader(strings.NewReader(string(body)), boundary)
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("the parts of the body: %v", err)
			return
		}
		content, err := io.ReadAll(part)
		if err != nil {
			t.Errorf("the part %s: %v", part.FormName(), err)
		}
		q.Shape = append(q.Shape, fmt.Sprint("part ", part.FormName(), " ", part.FileName(), " ", slices.Sorted(maps.Keys(part.Header))))
		switch {
		case part.FileName() != "":
			q.text("file "+part.FileName(), string(content))
		case strings.HasPrefix(part.Header.Get("Content-Type"), "application/json"):
			q.json(t, content)
		default:
			q.text(part.FormName(), string(content))
		}
	}
}

func (q *Request) json(t testing.TB, body []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil || !utf8.Valid(body) {
		t.Errorf("the body is not JSON: %v: %.200s", err, body)
	}
	q.flatten("", v)
}

func (q *Request) flatten(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			q.flatten(strings.TrimPrefix(name+"."+key, "."), value)
		}
	case []any:
		for _, value := range v {
			q.flatten(name+"[]", value)
		}
	case string:
		q.text(name, v)
	default:
		q.Shape = append(q.Shape, fmt.Sprintf("%T %s", v, name))
	}
}

// isRaw reports whether a text may have all characters.
func (k Kind) isRaw(name string) bool {
	return name == "" || slices.ContainsFunc(k.Raw, func(raw string) bool { return strings.HasPrefix(name, raw) })
}

// isOther checks that a request has nothing but what a request for another
// notification has too: other texts, none of which acts on a reader, or is longer than
// the service allows.
func (k Kind) isOther(t testing.TB, q, other Request) {
	t.Helper()
	if !slices.Equal(q.Shape, other.Shape) {
		t.Errorf("the request is another one than it should be:\n%q\n%q", q.Shape, other.Shape)
	}
	k.isHarmless(t, q)
}

func (k Kind) isHarmless(t testing.TB, q Request) {
	t.Helper()
	for name, texts := range q.Texts {
		for _, text := range texts {
			if !utf8.ValidString(text) {
				t.Errorf("%s is not UTF-8: %q", name, text)
			}
			if i := strings.IndexFunc(text, display.Harmful); i >= 0 && !k.isRaw(name) {
				t.Errorf("%s has a character that acts on its reader at %d: %q", name, i, text)
			}
		}
	}
	k.isWithin(t, q)
}

// isWithin checks the lengths of texts.
func (k Kind) isWithin(t testing.TB, q Request) {
	t.Helper()
	for _, l := range k.Limits {
		for _, text := range q.Texts[l.Text] {
			if n := l.of(text); n > l.Max {
				t.Errorf("%q is %d long, and %d are allowed", l.Text, n, l.Max)
			}
		}
	}
}

func (l Limit) of(text string) int {
	if l.Count == nil {
		return utf8.RuneCountInString(text)
	}
	return l.Count(text)
}

// evil are pieces of text that try to be more than text.
var evil = []string{
	"\r\nX-Evil: 1\r\n\r\nevil", "\"}],\"evil\":[{\"x\":\"", "&evil=1&x=%0d%0aX-Evil:%201", "\r\n--boundary\r\nContent-Disposition: form-data; name=\"evil\"\r\n\r\n1",
	"<!channel> <@U1> @everyone @all <b>evil</b> [evil](http://evil.example) ```evil``` *evil* {{evil}} ${evil}", "\x00\x07\x1b[31mevil\x1b]0;evil\a\x7f\u009b31m",
	"\u202eevil\u2066\u2069\u200e\u200f\u061c", "evil\u2028evil\u2029evil\u0085evil", "\xff\xfeevil\xc0\x80", "=?utf-8?q?evil=0d=0aX-Evil:_1?=",
}

// injection logs evil records as a user would.
func (k Kind) injection(t *testing.T) {
	fine := k.Requests(t, shown(t, "shop", "payment\ndeclined"))
	if len(fine) == 0 {
		t.Fatal("nothing was sent")
	}
	for _, text := range evil {
		for _, n := range []notifiers.Notification{shown(t, text, "fine\nfine"), shown(t, "shop", text+"\n"+text), shown(t, text+text, text+"\n.\n"+text)} {
			got := k.Requests(t, n)
			if len(got) != len(fine) {
				t.Errorf("%q: %d requests, want %d", text, len(got), len(fine))
				continue
			}
			for i := range got {
				k.isOther(t, got[i], fine[i])
			}
		}
	}
}

// shown returns the notification that the handler makes of a record.
func shown(t testing.TB, channel, message string) (out notifiers.Notification) {
	t.Helper()
	h := notifiers.NewHandler(notifiers.Func(func(_ context.Context, n notifiers.Notification) error {
		out = n
		return nil
	}), notifiers.Options{})
	r := &core.Record{Channel: channel, Level: core.LevelError, Exception: &core.Exception{Name: "shop.Declined" + message, Message: message}}
	r.SetMessage(message)
	if err := h.Handle(context.Background(), r); err != nil {
		t.Errorf("handle: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return out
}

// limits sends texts that are much too long, of letters that have several characters.
func (k Kind) limits(t *testing.T) {
	reached := map[string]bool{}
	for _, letter := range []string{"x", "\"", "中", "👩\u200d👩\u200d👧", "e\u0301", "🇦🇹", "\u1100\u1161\u11a8"} {
		n := Notification()
		n.Title, n.Body, n.Note, n.Count = strings.Repeat(letter, 400), strings.Repeat(letter, 20_000/utf8.RuneCountInString(letter)), note, 12
		if letter == "x" {
			n.Body = strings.Repeat(letter, 70_000) // more than any service takes
		}
		counted := false
		for _, q := range k.Requests(t, n) {
			k.isWithin(t, q)
			for name, texts := range q.Texts {
				for _, text := range texts {
					counted = counted || strings.Contains(text, note)
					if !utf8.ValidString(text) {
						t.Errorf("%s is not UTF-8: %q", name, text)
					}
					if name != "" && isCutInALetter(text, letter) {
						t.Errorf("%s is cut within %q: %q", name, letter, tail(text))
					}
				}
			}
			for _, l := range k.Limits {
				for _, text := range q.Texts[l.Text] {
					reached[l.Text] = reached[l.Text] || l.of(text) >= l.Max*3/4
				}
			}
		}
		if !counted {
			t.Errorf("the count of repeats is lost with %q", letter)
		}
	}
	for _, l := range k.Limits {
		if !reached[l.Text] {
			t.Errorf("%q never comes near its limit", l.Text)
		}
	}
	if len(k.Limits) == 0 {
		t.Error("no limits are given")
	}
}

const note = "12 times in 60 s"

// isCutInALetter reports whether a piece of a letter, but not a whole one, stands before
// one of the ellipses of a text.
func isCutInALetter(text, letter string) bool {
	pieces := strings.Split(text, "…")
	for _, before := range pieces[:len(pieces)-1] {
		before = strings.TrimRight(before, " \n")
		for strings.HasSuffix(before, letter) {
			before = strings.TrimSuffix(before, letter)
		}
		for i := range letter {
			if i > 0 && strings.HasSuffix(before, letter[:i]) {
				return true
			}
		}
	}
	return false
}

func tail(s string) string { return s[max(len(s)-100, 0):] }

// Fuzz sends notifications with the texts of a record that somebody else wrote: nothing
// may come of them but texts that are harmless and not too long.
func Fuzz(f *testing.F, kinds map[string]Kind) {
	f.Helper()
	f.Add("shop: Error", "payment declined")
	f.Add("", "")
	f.Add(strings.Repeat("🇦🇹", 300), strings.Repeat("👩\u200d👩\u200d👧\n", 1000))
	for _, text := range evil {
		f.Add(text, text)
		f.Add("shop", strings.Repeat(text, 100))
	}
	known := map[string]map[string]bool{}
	for name, k := range kinds {
		known[name] = map[string]bool{}
		for _, title := range []string{"", "shop"} {
			for _, body := range []string{"", "fine", "fine\n\nfine", strings.Repeat("long\n", 8000)} {
				for _, q := range k.Requests(f, fromRecord(title, body)) {
					for _, part := range q.Shape {
						known[name][part] = true
					}
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, title, body string) {
		for name, k := range kinds {
			for _, q := range k.Requests(t, fromRecord(title, body)) {
				k.isHarmless(t, q)
				for _, part := range q.Shape {
					if !known[name][part] {
						t.Errorf("%s: %q came of a text", name, part)
					}
				}
			}
			if t.Failed() {
				t.Fatalf("%s with %q and %q", name, title, body)
			}
		}
	})
}

// fromRecord returns a notification as the handler makes it of a record.
func fromRecord(title, body string) notifiers.Notification {
	n := Notification()
	n.Title, n.Body, n.Note = display.Line(title, 200), display.Clean(body), note
	r := &core.Record{Channel: title, Level: n.Level}
	r.SetMessage(body)
	n.Record, n.Context = r, []*core.Record{r}
	return n
}
