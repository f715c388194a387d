package push

import (
	"bytes"
	stdcmp "cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request is what a server was sent.
type request struct {
	Method, Path, Auth, Key, Type string
	Body                          map[string]any
	Form                          url.Values
	File                          string      // and its name before it
	Header                        http.Header // what begins with X-, but for keys; decoded
}

// service is an HTTP server that answers as it is told and keeps what it was sent.
type service struct {
	*httptest.Server
	mu      sync.Mutex
	got     []request
	answers []func(http.ResponseWriter) // one for each request; then 200
}

func startService(t *testing.T, answers ...func(http.ResponseWriter)) *service {
	t.Helper()
	s := &service{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	q := request{
		Method: r.Method, Path: r.URL.String(), Auth: r.Header.Get("Authorization"), Key: stdcmp.Or(r.Header.Get("X-Gotify-Key"), r.Header.Get("Access-Token")), Type: r.Header.Get("Content-Type"),
	}
	switch kind, parameters, _ := mime.ParseMediaType(q.Type); kind {
	case "application/json":
		_ = json.Unmarshal(body, &q.Body)
	case "application/x-www-form-urlencoded":
		q.Form, _ = url.ParseQuery(string(body))
	case "text/plain":
		q.File = string(body)
	case "multipart/form-data":
		q.Type = kind
		q.parts(body, parameters["boundary"])
	}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-") && q.Key == "" {
			if q.Header == nil {
				q.Header = http.Header{}
			}
			q.Header[name] = nil
			for _, v := range values {
				text, err := new(mime.WordDecoder).DecodeHeader(v)
				q.Header[name] = append(q.Header[name], stdcmp.Or(text, fmt.Sprint(err)))
			}
		}
	}
	s.mu.Lock()
	s.got = append(s.got, q)
	var answer func(http.ResponseWriter)
	if len(s.answers) > 0 {
		answer, s.answers = s.answers[0], s.answers[1:]
	}
	s.mu.Unlock()
	if answer != nil {
		answer(w)
	}
}

func (q *request) parts(body []byte, boundary string) {
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := reader.NextPart()
		if err != nil {
			return
		}
		content, _ := io.ReadAll(part)
		switch {
		case part.FileName() != "":
			q.File = part.FormName() + " " + part.FileName() + ": " + string(content)
		case part.FormName() == "payload_json":
			_ = json.Unmarshal(content, &q.Body)
		default:
			if q.Form == nil {
				q.Form = url.Values{}
			}
			q.Form.Add(part.FormName(), string(content))
		}
	}
}

// client returns one that leaves no connections behind.
func (s *service) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// notify sends a notification, which must succeed.
func notify(t *testing.T, n notifiers.Notifier, of notifiers.Notification) {
	t.Helper()
	if err := n.Notify(t.Context(), of); err != nil {
		t.Fatal(err)
	}
}

// noPause goes on at once.
func noPause(context.Context, time.Duration) error { return nil }

func status(code int, text string, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

const secret = "tk_very-secret"

// newNtfy returns a notifier that notes its pauses instead of making them.
func newNtfy(t *testing.T, s *service) (*Ntfy, *[]time.Duration) {
	t.Helper()
	client := s.client()
	n, err := NewNtfy(NtfyOptions{Server: s.URL + "/", Topic: "dev_errors", Token: secret, Click: "https://example.com/", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	pauses := new([]time.Duration)
	n.poster.Pause = func(_ context.Context, d time.Duration) error {
		*pauses = append(*pauses, d)
		return nil
	}
	return n, pauses
}

var declined = notifiers.Notification{
	ID: 42, Title: "shop: Error", Body: "größer {\"x\": 1}\nsecond", Note: "12 times in 60 s", Level: core.LevelError, Count: 12,
}

func TestNtfyGetsTheDocumentedRequest(t *testing.T) {
	s := startService(t)
	n, _ := newNtfy(t, s)
	if err := n.Notify(t.Context(), declined); err != nil {
		t.Fatal(err)
	}
	want := []request{{
		Method: "POST", Path: "/", Auth: "Bearer " + secret, Type: "application/json",
		Body: map[string]any{
			"topic": "dev_errors", "title": "shop: Error", "message": "größer {\"x\": 1}\nsecond\n(12 times in 60 s)",
			"priority": 4.0, "tags": []any{"x"}, "click": "https://example.com/", "sequence_id": "logbook-tray-" + n.run + "-42",
		},
	}}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// Found with a real server: it decodes the titles of messages in JSON.
func TestNoTitleIsAnEncodedWordToNtfy(t *testing.T) {
	s := startService(t)
	n, _ := newNtfy(t, s)
	word := declined
	word.Title = "=?utf-8?q?x=0d=0aEvil?="
	notify(t, n, word)
	title, _ := s.got[0].Body["title"].(string)
	if decoded, err := new(mime.WordDecoder).DecodeHeader(title); err != nil || decoded != title || title != "=\u200b?utf-8?q?x=0d=0aEvil?=" {
		t.Errorf("title %q, decoded %q: %v", title, decoded, err)
	}
}

func TestGotifyGetsTheDocumentedRequest(t *testing.T) {
	s := startService(t)
	g, err := NewGotify(GotifyOptions{
		Server: s.URL, Token: secret, Click: "https://example.com/",
		Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Notify(t.Context(), declined); err != nil {
		t.Fatal(err)
	}
	want := []request{{
		Method: "POST", Path: "/message", Key: secret, Type: "application/json",
		Body: map[string]any{
			"title": "shop: Error", "message": "größer {\"x\": 1}\nsecond\n(12 times in 60 s)", "priority": 8.0,
			"extras": map[string]any{
				"client::display":      map[string]any{"contentType": "text/plain"},
				"client::notification": map[string]any{"click": map[string]any{"url": "https://example.com/"}},
			},
		},
	}}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestGotifyShowsMarkdownAsCodeAndReplacesItsMessages(t *testing.T) {
	s := startService(t, status(200, `{"id": 25}`), status(200, `{"id": 26}`), status(200, ""), status(200, `{"id": 27}`), status(404, ""),
		status(200, `{"id": 28}`), status(403, "no "+secretUser))
	g, err := NewGotify(GotifyOptions{Server: s.URL, Token: secret, Markdown: true, ClientToken: secretUser, Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the second one finds that somebody has deleted the first already
		notify(t, g, declined)
	}
	if err := g.Notify(t.Context(), declined); !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), secretUser) {
		t.Errorf("error: %v", err)
	}
	message := map[string]any{
		"title": "shop: Error", "message": "```\ngrößer {\"x\": 1}\nsecond\n(12 times in 60 s)\n```", "priority": 8.0,
		"extras": map[string]any{"client::display": map[string]any{"contentType": "text/markdown"}},
	}
	send := request{Method: "POST", Path: "/message", Key: secret, Type: "application/json", Body: message}
	remove := func(id string) request {
		return request{Method: "DELETE", Path: "/message/" + id, Key: secretUser, Type: "application/json"}
	}
	want := []request{send, send, remove("25"), send, remove("26"), send, remove("27")}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestPriorities(t *testing.T) {
	var ntfy, gotify []int
	for _, l := range core.Levels() {
		ntfy, gotify = append(ntfy, ntfyPriority(l)), append(gotify, gotifyPriority(l))
	}
	if diff := cmp.Diff([][]int{{1, 1, 2, 3, 3, 4, 5}, {0, 0, 1, 3, 5, 8, 10}}, [][]int{ntfy, gotify}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatMayPassIsRepeated(t *testing.T) {
	s := startService(t, status(503, "down"), reset, status(429, "slow down", "Retry-After", "7"), status(500, ""))
	n, pauses := newNtfy(t, s)
	if err := n.Notify(t.Context(), declined); err != nil {
		t.Fatal(err)
	}
	p := *pauses
	if len(s.got) != 5 || len(p) != 4 || p[2] != 7*time.Second {
		t.Fatalf("%d requests, pauses %v", len(s.got), p)
	}
	for i, bounds := range map[int][2]time.Duration{0: {500, 1500}, 1: {1000, 3000}, 3: {2000, 6000}} {
		if ms := p[i] / time.Millisecond; ms < bounds[0] || ms > bounds[1] {
			t.Errorf("pause %d is %v, want %d to %d ms", i, p[i], bounds[0], bounds[1])
		}
	}
}

func TestWhatIsRefusedIsNotRepeatedAndTellsNoSecret(t *testing.T) {
	for _, test := range []struct {
		answer func(http.ResponseWriter)
		want   string
	}{
		{status(403, `{"error":"forbidden"}`), `ntfy: refused: the server answers 403 Forbidden: {"error":"forbidden"}`},
		{status(401, "bad token "+secret), "ntfy: refused: the server answers 401 Unauthorized: bad token …"},
		{status(302, "", "Location", "http://evil.example/"), "ntfy: refused: the server answers 302 Found"},
		{status(400, "a\x1b[31m\nb"), "ntfy: refused: the server answers 400 Bad Request: a[31m…"},
	} {
		s := startService(t, test.answer)
		n, _ := newNtfy(t, s)
		err := n.Notify(t.Context(), declined)
		if !errors.Is(err, ErrRefused) || err.Error() != test.want || len(s.got) != 1 {
			t.Errorf("%d requests\ngot  %v\nwant %s", len(s.got), err, test.want)
		}
	}
}

func TestAServerThatIsGoneIsGivenUpInTime(t *testing.T) {
	s := startService(t)
	n, pauses := newNtfy(t, s)
	s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	err := n.Notify(ctx, declined)
	if err == nil || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "dev_errors") {
		t.Errorf("error: %v", err)
	}
	if len(*pauses) == 0 {
		t.Error("it was not tried again")
	}
}

func TestABadCertificateIsAnError(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	n, err := NewNtfy(NtfyOptions{Server: s.URL, Topic: "x", Client: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := n.Notify(ctx, declined); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error: %v", err)
	}
}

func TestMessagesAreCutAtTheDocumentedLimit(t *testing.T) {
	s := startService(t, status(400, `{"code":40014,"error":"invalid request: attachments not allowed"}`))
	n, _ := newNtfy(t, s)
	long := declined
	long.Body = strings.Repeat("ä€😀", 3000)
	if err := n.Notify(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	text, _ := s.got[1].Body["message"].(string)
	if len(text) > 4096 || len(text) < 4000 || !utf8.ValidString(text) || !strings.HasSuffix(text, "… (12 times in 60 s)") {
		t.Errorf("%d bytes, ends %q", len(text), text[len(text)-30:])
	}
}

func TestWrongOptionsAreNamedWithoutSecrets(t *testing.T) {
	for _, test := range []struct {
		make func() error
		want string
	}{
		{func() error { _, err := NewNtfy(NtfyOptions{Topic: "a b"}); return err }, `ntfy: topic: want 1 to 64 letters, digits, "-" or "_"`},
		{func() error { _, err := NewNtfy(NtfyOptions{Topic: "a", Server: "ntfy.sh"}); return err }, "ntfy: address of the server: want http://HOST or https://HOST"},
		{func() error { _, err := NewNtfy(NtfyOptions{Topic: "a", Server: "https://u:pw@x/"}); return err }, "ntfy: address of the server: no user, query or fragment may be in it"},
		{func() error { _, err := NewGotify(GotifyOptions{Server: "https://x"}); return err }, "gotify: token: none is given"},
		{func() error { _, err := NewGotify(GotifyOptions{Server: "http://\x7f" + secret}); return err }, "gotify: address of the server: not a URL"},
	} {
		if err := test.make(); err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}
