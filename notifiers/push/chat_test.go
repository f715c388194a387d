package push

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

const hookPath = "/services/T0/B0/hook-very-secret-0123456789"

// evil is a notification whose texts try to be more than text.
var evil = notifiers.Notification{
	ID: 7, Title: "shop*: @all <b>", Level: core.LevelWarning, Count: 1,
	Body: "<!channel> & ```@everyone``` [a](http://evil.example) \",\"x\":\"",
}

func newSlack(t *testing.T, s *service) *Slack {
	t.Helper()
	n, err := NewSlack(SlackOptions{Webhook: s.URL + hookPath, Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSlackGetsTheDocumentedRequestAndAShortFollowUp(t *testing.T) {
	s := startService(t)
	n := newSlack(t, s)
	first := declined
	first.Note = ""
	notify(t, n, first)
	notify(t, n, declined)
	message := func(text string) request {
		return request{Method: "POST", Path: hookPath, Type: "application/json", Body: map[string]any{
			"text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false,
		}}
	}
	want := []request{message("shop: Error\ngrößer {\"x\": 1}\nsecond"), message("shop: Error\ngrößer {\"x\": 1} …\n(12 times in 60 s)")}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestSlackIsGivenNoMarkupAndNoMentions(t *testing.T) {
	s := startService(t)
	notify(t, newSlack(t, s), evil)
	want := "shop*: @all &lt;b&gt;\n&lt;!channel&gt; &amp; ```@everyone``` [a](http://evil.example) \",\"x\":\""
	if diff := cmp.Diff(want, s.got[0].Body["text"]); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestTheMessagesOfSlackAreCutAsTheyAreEscaped(t *testing.T) {
	s := startService(t)
	long := declined
	long.Body = strings.Repeat("<ä>", 3000)
	notify(t, newSlack(t, s), long)
	text, _ := s.got[0].Body["text"].(string)
	if n := units(text); n > 4000 || n < 3985 || !strings.HasSuffix(text, "…\n(12 times in 60 s)") {
		t.Errorf("%d units, ends %q", n, text[len(text)-40:])
	}
}

func TestMattermostGetsTheDocumentedRequestAndAShortFollowUp(t *testing.T) {
	s := startService(t)
	n, err := NewMattermost(MattermostOptions{
		Webhook: s.URL + hookPath, Channel: "dev", Username: "tray", IconURL: "https://example.com/i.png", Client: s.client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	notify(t, n, evil)
	again := evil
	again.Note = "12 times"
	notify(t, n, again)
	notify(t, n, notifiers.Notification{Title: "shop: Error"})
	message := func(text string) request {
		return request{Method: "POST", Path: hookPath, Type: "application/json", Body: map[string]any{
			"text": text, "channel": "dev", "username": "tray", "icon_url": "https://example.com/i.png",
		}}
	}
	title := "**shop\\*: @\u200ball <b\\>**\n```\n<!channel> & `\u200b`\u200b`@everyone`\u200b`\u200b` [a](http://evil.example) \",\"x\":\""
	want := []request{message(title + "\n```"), message(title + " (12 times)\n```"), message("**shop: Error**")}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestThePostsOfMattermostAreCut(t *testing.T) {
	s := startService(t)
	n, err := NewMattermost(MattermostOptions{Webhook: s.URL + hookPath, Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	long := declined
	long.Body = strings.Repeat("😀`", 10_000)
	notify(t, n, long)
	text, _ := s.got[0].Body["text"].(string)
	if n := units(text); n > 16383 || n < 16370 || !strings.HasSuffix(text, "… (12 times in 60 s)\n```") {
		t.Errorf("%d units, ends %q", n, text[len(text)-40:])
	}
}

func newDiscord(t *testing.T, s *service) *Discord {
	t.Helper()
	n, err := NewDiscord(DiscordOptions{
		Webhook: s.URL + "/api/webhooks/1/" + secretToken + "?thread_id=5", Username: "tray", AvatarURL: "https://example.com/i.png", Client: s.client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDiscordGetsTheDocumentedRequestsAndChangesItsMessage(t *testing.T) {
	s := startService(t, status(200, `{"id": "99", "content": ""}`))
	n := newDiscord(t, s)
	notify(t, n, evil)
	again := evil
	again.Note = "12 times"
	notify(t, n, again)
	embed := func(note string) any {
		return []any{map[string]any{
			"title": "shop\\*: @\u200ball <b\\>", "color": float64(0xf9a825),
			"description": "```\n<!channel> & `\u200b`\u200b`@everyone`\u200b`\u200b` [a](http://evil.example) \",\"x\":\"" + note + "\n```",
		}}
	}
	nobody := map[string]any{"parse": []any{}}
	want := []request{
		{Method: "POST", Path: "/api/webhooks/1/" + secretToken + "?thread_id=5&wait=true", Type: "application/json", Body: map[string]any{
			"username": "tray", "avatar_url": "https://example.com/i.png", "embeds": embed(""), "allowed_mentions": nobody,
		}},
		{Method: "PATCH", Path: "/api/webhooks/1/" + secretToken + "/messages/99?thread_id=5", Type: "application/json", Body: map[string]any{
			"embeds": embed(" (12 times)"), "allowed_mentions": nobody,
		}},
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAMessageOfDiscordThatWasDeletedIsSentAnew(t *testing.T) {
	s := startService(t, status(200, `{"id": "99"}`), status(404, `{"code": 10008}`), status(200, `{"id": "100"}`), status(403, ""))
	n := newDiscord(t, s)
	notify(t, n, declined)
	notify(t, n, declined)
	if err := n.Notify(t.Context(), declined); !errors.Is(err, ErrRefused) {
		t.Errorf("error: %v", err)
	}
	var got []string
	for _, r := range s.got {
		got = append(got, r.Method)
	}
	if diff := cmp.Diff([]string{"POST", "PATCH", "POST", "PATCH"}, got); diff != "" || !strings.Contains(s.got[3].Path, "/messages/100") {
		t.Errorf("%v (-want +got):\n%s", s.got, diff)
	}
}

func TestTheEmbedsOfDiscordAreCut(t *testing.T) {
	s := startService(t)
	long := declined
	long.Title, long.Body = strings.Repeat("*", 300), strings.Repeat("😀`", 5000)
	notify(t, newDiscord(t, s), long)
	embed, _ := s.got[0].Body["embeds"].([]any)[0].(map[string]any)
	title, _ := embed["title"].(string)
	text, _ := embed["description"].(string)
	if n := units(text); n > 4096 || n < 4085 || !strings.HasSuffix(text, "… (12 times in 60 s)\n```") {
		t.Errorf("%d units, ends %q", n, text[len(text)-40:])
	}
	if n := units(title); n > 256 || n < 254 {
		t.Errorf("title of %d units: %s", n, title)
	}
}

func newTeams(t *testing.T, s *service) *Teams {
	t.Helper()
	n, err := NewTeams(TeamsOptions{Webhook: s.URL + "/workflows/1/run?sig=" + secretToken, Click: "https://example.com/", Client: s.client()})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTeamsGetsTheDocumentedRequestAndAShortFollowUp(t *testing.T) {
	s := startService(t, status(http.StatusAccepted, ""))
	n := newTeams(t, s)
	first := declined
	first.Body += "\n\n**third**"
	notify(t, n, first)
	first.Note = "13 times"
	notify(t, n, first)
	run := func(text string) map[string]any {
		return map[string]any{"type": "RichTextBlock", "inlines": []any{map[string]any{"type": "TextRun", "text": text}}}
	}
	line := func(text string) map[string]any {
		b := run(text)
		b["spacing"] = "None"
		return b
	}
	title := map[string]any{"type": "RichTextBlock", "inlines": []any{map[string]any{
		"type": "TextRun", "text": "shop: Error", "size": "Medium", "weight": "Bolder", "color": "Attention",
	}}}
	message := func(blocks ...any) request {
		return request{Method: "POST", Path: "/workflows/1/run?sig=" + secretToken, Type: "application/json", Body: map[string]any{
			"type": "message",
			"attachments": []any{map[string]any{
				"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil,
				"content": map[string]any{
					"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
					"body": append([]any{title}, blocks...), "msteams": map[string]any{"width": "Full"},
					"actions": []any{map[string]any{"type": "Action.OpenUrl", "title": "Open", "url": "https://example.com/"}},
				},
			}},
		}}
	}
	want := []request{
		message(run("größer {\"x\": 1}"), line("second"), line("**third**"), line("(12 times in 60 s)")),
		message(run("größer {\"x\": 1} … (13 times)")),
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTheCardsOfTeamsAreCutToTheirSizeInBytes(t *testing.T) {
	s := startService(t)
	n := newTeams(t, s)
	for i, body := range []string{strings.Repeat("<\"ä😀>", 20_000), strings.Repeat("line\n", 20_000), strings.Repeat("\n", 60_000)} {
		long := declined
		long.ID, long.Body = uint64(i+1), body
		notify(t, n, long)
		message, err := n.message(long, fit(&long, teamsMaxBytes, func(text string) int { m, _ := n.message(long, text); return len(m) }))
		if err != nil || len(message) > 28*1024 || !json.Valid(message) {
			t.Errorf("%d bytes: %v", len(message), err)
		}
		text, _ := json.Marshal(s.got[len(s.got)-1].Body)
		if !strings.Contains(string(text), "(12 times in 60 s)") {
			t.Errorf("the count is lost: %.200s", text)
		}
	}
}

func TestWrongAddressesOfWebhooksAreNamedWithoutSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"http://\x7f" + secretToken:         "address of the webhook: not a URL",
		"hooks.example/" + secretToken:      "address of the webhook: want http://HOST/PATH or https://HOST/PATH",
		"https://u:" + secretToken + "@h/x": "address of the webhook: no user or fragment may be in it",
	} {
		_, slack := NewSlack(SlackOptions{Webhook: address})
		_, mattermost := NewMattermost(MattermostOptions{Webhook: address})
		_, discord := NewDiscord(DiscordOptions{Webhook: address})
		_, teams := NewTeams(TeamsOptions{Webhook: address})
		for name, err := range map[string]error{"slack": slack, "mattermost": mattermost, "discord": discord, "teams": teams} {
			if err == nil || err.Error() != name+": "+want {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
		}
	}
}
