package push

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// line makes a line of a record: its level and its message.
type line struct{}

func (line) Append(dst []byte, r *core.Record) ([]byte, error) {
	return append(dst, r.Level.String()+" "+r.Message()...), nil
}

// withContext is an alert with two records before it.
func withContext() notifiers.Notification {
	n := declined
	n.Note, n.Count = "", 1
	for _, of := range []struct {
		level   core.Level
		message string
	}{{core.LevelDebug, "cart\nopened\x1b[31m"}, {core.LevelInfo, "pay"}, {core.LevelError, "größer"}} {
		r := &core.Record{Channel: "shop", Level: of.level}
		r.SetMessage(of.message)
		n.Context = append(n.Context, r)
	}
	n.Record = n.Context[2]
	return n
}

const contextFile = "shop: Error\ngrößer {\"x\": 1}\nsecond\n\nDEBUG cart\nopened[31m\nINFO pay\nERROR größer\n"

func TestNtfyGetsTheContextAsAFileWhichUpdatesKeep(t *testing.T) {
	s := startService(t, status(200, `{"id":"a","attachment":{"name":"context.txt","url":"https://ntfy.example/file/a.txt"}}`))
	n, err := NewNtfy(NtfyOptions{
		Server: s.URL, Topic: "dev", Token: secret, Client: s.client(), Context: line{}, Tags: []string{"shop"}, Click: "https://example.com/",
		Actions: []NtfyAction{{Label: "Öffnen", URL: "https://example.com/"}, {Label: "Restart", URL: "https://example.com/r", Method: "POST"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, n, withContext())
	again := withContext()
	again.Note = "12 times"
	notify(t, n, again)
	sequence := "logbook-tray-" + n.run + "-42"
	want := []request{
		{
			Method: "PUT", Path: "/dev", Auth: "Bearer " + secret, Type: "text/plain; charset=utf-8", File: contextFile,
			Header: http.Header{
				"X-Title": {"shop: Error"}, "X-Message": {"größer {\"x\": 1}\nsecond"}, "X-Priority": {"4"}, "X-Tags": {"x,shop"},
				"X-Click": {"https://example.com/"}, "X-Filename": {"context.txt"}, "X-Sequence-Id": {sequence},
				"X-Actions": {`[{"action":"view","label":"Öffnen","url":"https://example.com/"},` +
					`{"action":"http","label":"Restart","url":"https://example.com/r","method":"POST"}]`},
			},
		},
		{Method: "POST", Path: "/", Auth: "Bearer " + secret, Type: "application/json", Body: map[string]any{
			"topic": "dev", "title": "shop: Error", "message": "größer {\"x\": 1}\nsecond\n(12 times)", "priority": 4.0, "tags": []any{"x", "shop"},
			"click": "https://example.com/", "attach": "https://ntfy.example/file/a.txt", "filename": "context.txt", "sequence_id": sequence,
			"actions": []any{
				map[string]any{"action": "view", "label": "Öffnen", "url": "https://example.com/"},
				map[string]any{"action": "http", "label": "Restart", "url": "https://example.com/r", "method": "POST"},
			},
		}},
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestNtfyGetsTheMessageWithoutTheFileIfItTakesNone(t *testing.T) {
	s := startService(t, status(400, `{"code":40014,"error":"attachments not allowed"}`))
	n, err := NewNtfy(NtfyOptions{Server: s.URL, Topic: "dev", Client: s.client(), Context: line{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Notify(t.Context(), withContext()); !errors.Is(err, ErrRefused) || !errors.Is(err, notifiers.ErrPartly) {
		t.Errorf("error: %v", err)
	}
	next := withContext()
	next.ID++
	notify(t, n, next) // is not tried again
	var got []string
	for _, r := range s.got {
		got = append(got, r.Method)
	}
	if diff := cmp.Diff([]string{"PUT", "POST", "POST"}, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTelegramGetsTheContextAsAnAnswerToTheMessage(t *testing.T) {
	s := startService(t, status(200, `{"ok": true, "result": {"message_id": 5}}`))
	n, err := NewTelegram(TelegramOptions{Server: s.URL, Token: botToken, Chat: "-100", Thread: 7, Client: s.client(), Context: line{}})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, n, withContext())
	notify(t, n, withContext()) // an update has no file
	if len(s.got) != 3 || !strings.HasSuffix(s.got[2].Path, "/editMessageText") {
		t.Fatalf("requests: %+v", s.got)
	}
	want := request{
		Method: "POST", Path: "/bot" + botToken + "/sendDocument", Type: "multipart/form-data", File: "document context.txt: " + contextFile,
		Form: url.Values{
			"chat_id": {"-100"}, "message_thread_id": {"7"}, "disable_notification": {"true"},
			"reply_parameters": {`{"allow_sending_without_reply":true,"message_id":5}`},
		},
	}
	if diff := cmp.Diff(want, s.got[1]); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestDiscordGetsTheContextWithTheMessage(t *testing.T) {
	s := startService(t, status(200, `{"id": "99"}`), status(200, `{"id": "99"}`), status(413, ""))
	n, err := NewDiscord(DiscordOptions{Webhook: s.URL + "/api/webhooks/1/" + secretToken, Client: s.client(), Context: line{}})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, n, withContext())
	notify(t, n, withContext())
	want := request{
		Method: "POST", Path: "/api/webhooks/1/" + secretToken + "?wait=true", Type: "multipart/form-data", File: "files[0] context.txt: " + contextFile,
		Body: map[string]any{
			"allowed_mentions": map[string]any{"parse": []any{}},
			"embeds":           []any{map[string]any{"title": "shop: Error", "color": float64(0xd32f2f), "description": "```\ngrößer {\"x\": 1}\nsecond\n```"}},
		},
	}
	if diff := cmp.Diff(want, s.got[0]); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if s.got[1].Method != http.MethodPatch || s.got[1].File != "" {
		t.Errorf("update: %+v", s.got[1])
	}
	next := withContext()
	next.ID++
	if err := n.Notify(t.Context(), next); !errors.Is(err, notifiers.ErrPartly) || len(s.got) != 4 || s.got[3].File != "" || s.got[3].Body == nil {
		t.Errorf("error %v, requests: %+v", err, s.got[2:])
	}
}

func TestMatrixGetsTheContextAsAFileAfterTheMessage(t *testing.T) {
	s := startService(t, status(200, `{"event_id": "$a"}`), status(200, `{"content_uri": "mxc://example.org/abc"}`), status(200, `{"event_id": "$b"}`))
	m, err := NewMatrix(MatrixOptions{Server: s.URL, Token: secretToken, Room: "!dev:example.org", Client: s.client(), Context: line{}})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, m, withContext())
	if len(s.got) != 3 {
		t.Fatalf("requests: %+v", s.got)
	}
	want := []request{
		{
			Method: "POST", Path: "/_matrix/media/v3/upload?filename=context.txt", Auth: "Bearer " + secretToken,
			Type: "text/plain; charset=utf-8", File: contextFile,
		},
		{Method: "PUT", Path: s.got[2].Path, Auth: "Bearer " + secretToken, Type: "application/json", Body: map[string]any{
			"msgtype": "m.file", "body": "context.txt", "url": "mxc://example.org/abc", "m.mentions": map[string]any{},
			"info": map[string]any{"mimetype": "text/plain", "size": float64(len(contextFile))},
		}},
	}
	if diff := cmp.Diff(want, s.got[1:]); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAFileIsBoundedAndKeepsTheNewestRecords(t *testing.T) {
	n := withContext()
	n.Context = nil
	for i := range 3000 {
		r := new(core.Record)
		r.SetMessage(strconv.Itoa(i) + strings.Repeat(" ä", 200))
		n.Context = append(n.Context, r)
	}
	file := string(fileOf(n, line{}, false))
	if len(file) > maxFile+100 || len(file) < maxFile-1000 || !strings.Contains(file, " earlier records are left out)\n") ||
		!strings.HasSuffix(file, "NOTSET 2999"+strings.Repeat(" ä", 200)+"\n") {
		t.Errorf("%d bytes, ends %q", len(file), file[len(file)-50:])
	}
	n.Context, n.Body = nil, strings.Repeat("😀", maxFile)
	if file := fileOf(n, line{}, true); len(file) > maxFile || len(file) < maxFile/3 {
		t.Errorf("a long text makes %d bytes", len(file))
	}
	if file := fileOf(withContext(), nil, false); file != nil {
		t.Errorf("without a formatter: %q", file)
	}
}

func TestWrongActionsOfNtfyAreNamed(t *testing.T) {
	a := NtfyAction{Label: "a", URL: "https://example.com"}
	for want, actions := range map[string][]NtfyAction{
		"ntfy: actions: there may be 3 at most":                      {a, a, a, a},
		"ntfy: actions: each needs a label and a url":                {{Label: "a"}},
		`ntfy: actions: the method "DELETE" is not GET, POST or PUT`: {{Label: "a", URL: "https://x", Method: "DELETE"}},
	} {
		if _, err := NewNtfy(NtfyOptions{Topic: "a", Actions: actions}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestHeadersOfNtfyAreEncodedWhereTheyHaveTo(t *testing.T) {
	for in, want := range map[string]string{
		"plain":            "plain",
		"größer\nsecond":   "=?utf-8?b?Z3LDtsOfZXIKc2Vjb25k?=",
		"=?utf-8?q?x=0d?=": "=?utf-8?b?PT91dGYtOD9xP3g9MGQ/PQ==?=",
	} {
		if got := headerText(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	long := strings.Repeat("a€😀", 500)
	if got, err := new(mime.WordDecoder).DecodeHeader(headerText(long)); got != long {
		t.Errorf("decoded it is another text: %v", err)
	}
	for word := range strings.FieldsSeq(headerText(long)) {
		if len(word) > 75 {
			t.Errorf("the word %s is longer than RFC 2047 allows", word)
		}
	}
}
