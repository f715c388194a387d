package push

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
)

func newTelegram(t *testing.T, s *service) *Telegram {
	t.Helper()
	n, err := NewTelegram(TelegramOptions{Server: s.URL, Token: botToken, Chat: "@errors", Thread: 7, Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var telegramText = "shop: Error\ngrößer {\"x\": 1}\nsecond\n(12 times in 60 s)"

func TestTelegramGetsTheDocumentedRequestsAndChangesItsMessage(t *testing.T) {
	s := startService(t,
		status(200, `{"ok": true, "result": {"message_id": 9007199254740993}}`),
		status(200, `{"ok": true, "result": {"message_id": 9007199254740993}}`))
	n := newTelegram(t, s)
	notify(t, n, declined)
	notify(t, n, declined)
	preview := map[string]any{"is_disabled": true}
	want := []request{
		{Method: "POST", Path: "/bot" + botToken + "/sendMessage", Type: "application/json", Body: map[string]any{
			"chat_id": "@errors", "message_thread_id": 7.0, "text": telegramText, "link_preview_options": preview,
		}},
		{Method: "POST", Path: "/bot" + botToken + "/editMessageText", Type: "application/json", Body: map[string]any{
			"chat_id": "@errors", "message_id": 9007199254740993.0, "text": telegramText, "link_preview_options": preview,
		}},
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAMessageOfTelegramThatWasDeletedIsSentAnew(t *testing.T) {
	sentNow := status(200, `{"ok": true, "result": {"message_id": 5}}`)
	s := startService(t, sentNow, status(400, `{"ok":false,"description":"Bad Request: message to edit not found"}`), sentNow)
	n := newTelegram(t, s)
	notify(t, n, declined)
	notify(t, n, declined)
	if len(s.got) != 3 || !strings.HasSuffix(s.got[2].Path, "/sendMessage") || s.got[2].Body["message_id"] != nil {
		t.Errorf("requests: %v", s.got)
	}
}

func TestAMessageOfTelegramThatIsTheSameIsNoError(t *testing.T) {
	s := startService(t, status(200, `{"ok": true, "result": {"message_id": 5}}`),
		status(400, `{"ok":false,"description":"Bad Request: message is not modified: specified new message content"}`))
	n := newTelegram(t, s)
	notify(t, n, declined)
	notify(t, n, declined)
	if len(s.got) != 2 {
		t.Errorf("%d requests", len(s.got))
	}
}

func TestABotThatWasBlockedWhileItChangesAMessageIsAnError(t *testing.T) {
	s := startService(t, status(200, `{"ok": true, "result": {"message_id": 5}}`), status(403, `{"ok":false}`))
	n := newTelegram(t, s)
	notify(t, n, declined)
	if err := n.Notify(t.Context(), declined); !errors.Is(err, ErrRefused) || len(s.got) != 2 {
		t.Errorf("%d requests: %v", len(s.got), err)
	}
}

func TestTelegramIsSilentBelowWarningAndCutsInItsOwnUnits(t *testing.T) {
	s := startService(t)
	n := newTelegram(t, s)
	long := declined
	long.Level, long.Body = core.LevelInfo, strings.Repeat("😀", 4000)
	notify(t, n, long)
	text, _ := s.got[0].Body["text"].(string)
	if got := units(text); got > 4096 || got < 4090 || !strings.HasSuffix(text, "…\n(12 times in 60 s)") {
		t.Errorf("%d units, ends %q", got, text[len(text)-40:])
	}
	if s.got[0].Body["disable_notification"] != true {
		t.Error("it makes a sound")
	}
}

func TestWrongOptionsOfTelegramAreNamedWithoutSecrets(t *testing.T) {
	for want, o := range map[string]TelegramOptions{
		"telegram: token: want NUMBER:LETTERS, as BotFather gives it":       {Token: "12/../x", Chat: "1"},
		"telegram: chat: none is given":                                     {Token: botToken},
		"telegram: address of the server: want http://HOST or https://HOST": {Server: "x"},
	} {
		if _, err := NewTelegram(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
