package push

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
)

func newMatrix(t *testing.T, s *service) *Matrix {
	t.Helper()
	m, err := NewMatrix(MatrixOptions{Server: s.URL, Token: secretToken, Room: "!dev:example.org", Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const matrixPath = "/_matrix/client/v3/rooms/%21dev:example.org/send/m.room.message/logbook-tray-"

func TestMatrixGetsTheDocumentedRequestsAndEditsItsMessage(t *testing.T) {
	s := startService(t, status(200, `{"event_id": "$first"}`), status(200, `{"event_id": "$second"}`), status(200, `{"event_id": "$third"}`))
	m := newMatrix(t, s)
	for range 3 {
		notify(t, m, declined)
	}
	text := "shop: Error\ngrößer {\"x\": 1}\nsecond\n(12 times in 60 s)"
	nobody := map[string]any{}
	put := func(n string, body map[string]any) request {
		return request{Method: "PUT", Path: matrixPath + m.run + "-" + n, Auth: "Bearer " + secretToken, Type: "application/json", Body: body}
	}
	edit := map[string]any{
		"msgtype": "m.text", "body": "* " + text, "m.mentions": nobody,
		"m.new_content": map[string]any{"msgtype": "m.text", "body": text, "m.mentions": nobody},
		"m.relates_to":  map[string]any{"rel_type": "m.replace", "event_id": "$first"},
	}
	want := []request{
		put("1", map[string]any{"msgtype": "m.text", "body": text, "m.mentions": nobody}), put("2", edit), put("3", edit),
	}
	for i := range s.got {
		s.got[i].Path = strings.Replace(s.got[i].Path, "rooms/!dev", "rooms/%21dev", 1) // both are the same address
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAMessageOfMatrixThatIsRepeatedHasTheSameTransaction(t *testing.T) {
	s := startService(t, reset, status(429, `{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 10}`), status(200, `{"event_id": "$e"}`))
	m := newMatrix(t, s)
	m.poster.Pause = noPause
	notify(t, m, declined)
	if len(s.got) != 3 || s.got[0].Path != s.got[1].Path || s.got[1].Path != s.got[2].Path {
		t.Errorf("requests: %v", s.got)
	}
	notify(t, m, declined)
	if s.got[3].Path == s.got[2].Path {
		t.Error("the next message has the transaction of the one before")
	}
}

func TestAMessageOfMatrixIsANoticeBelowWarningAndIsCut(t *testing.T) {
	s := startService(t, status(200, `{"event_id": "$e"}`), status(200, `{"content_uri": "mxc://a/b"}`))
	m := newMatrix(t, s)
	long := declined
	long.Level, long.Body = core.LevelNotice, strings.Repeat("\"ä😀", 30_000)
	notify(t, m, long)
	notify(t, m, long)
	if s.got[0].Body["msgtype"] != "m.notice" {
		t.Errorf("type %v", s.got[0].Body["msgtype"])
	}
	body, err := json.Marshal(s.got[3].Body) // after the file with the rest
	if err != nil || len(body) > 56_100 || len(body) < 55_900 {
		t.Errorf("the edit has %d bytes: %v", len(body), err)
	}
	if text, _ := s.got[0].Body["body"].(string); !strings.HasSuffix(text, "…\n(12 times in 60 s)") {
		t.Error("the count is lost")
	}
}

func TestWrongOptionsOfMatrixAreNamed(t *testing.T) {
	for want, o := range map[string]MatrixOptions{
		"matrix: token: none is given":                                    {Server: "http://x"},
		"matrix: room: want the ID of a room, such as !abc:example.org":   {Server: "http://x", Token: "t", Room: "#dev:example.org"},
		"matrix: address of the server: want http://HOST or https://HOST": {},
	} {
		if _, err := NewMatrix(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestPushbulletGetsTheDocumentedRequestAndAShortFollowUp(t *testing.T) {
	s := startService(t)
	p, err := NewPushbullet(PushbulletOptions{Server: s.URL, Token: secretToken, Device: "ujx", Click: "https://example.com/", Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	first := declined
	first.Note = ""
	notify(t, p, first)
	notify(t, p, declined)
	guids := map[any]bool{}
	for _, r := range s.got {
		guids[r.Body["guid"]] = true
		delete(r.Body, "guid")
	}
	push := func(text string) request {
		return request{Method: "POST", Path: "/v2/pushes", Key: secretToken, Type: "application/json", Body: map[string]any{
			"type": "link", "title": "shop: Error", "body": text, "url": "https://example.com/", "device_iden": "ujx",
		}}
	}
	want := []request{push("größer {\"x\": 1}\nsecond"), push("größer {\"x\": 1} … (12 times in 60 s)")}
	if diff := cmp.Diff(want, s.got); diff != "" || len(guids) != 2 || guids[nil] {
		t.Errorf("GUIDs %v, requests (-want +got):\n%s", guids, diff)
	}
}

func TestAPushThatIsRepeatedHasTheSameIdentifier(t *testing.T) {
	s := startService(t, reset)
	p, err := NewPushbullet(PushbulletOptions{Server: s.URL, Token: secretToken, Channel: "dev", Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	p.poster.Pause = noPause
	long := declined
	long.Body = strings.Repeat("ä", 5000)
	notify(t, p, long)
	if len(s.got) != 2 || s.got[0].Body["guid"] == nil || s.got[0].Body["guid"] != s.got[1].Body["guid"] {
		t.Errorf("%d requests", len(s.got))
	}
	b := s.got[1].Body
	if text, _ := b["body"].(string); b["type"] != "note" || b["channel_tag"] != "dev" || len([]rune(text)) != 4096 {
		t.Errorf("push: %v", b)
	}
}

func TestWrongOptionsOfPushbulletAreNamed(t *testing.T) {
	for want, o := range map[string]PushbulletOptions{
		"pushbullet: token: none is given":                                    {},
		"pushbullet: device: cannot be given with a channel":                  {Token: "t", Device: "d", Channel: "c"},
		"pushbullet: address of the server: want http://HOST or https://HOST": {Server: "x"},
	} {
		if _, err := NewPushbullet(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
