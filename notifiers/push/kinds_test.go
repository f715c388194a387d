package push

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/pushtest"
)

// notifier returns what a constructor made.
func notifier[N notifiers.Notifier](n N, err error) (notifiers.Notifier, error) { return n, err }

const (
	secretToken = "tok3n-very-secret-0123456789"
	secretUser  = "us3r-very-secret-9876543210"
	botToken    = "1234567890:AAbot-very-secret_token"
)

func TestEveryKindConforms(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) { pushtest.Check(t, kind) })
	}
}

// kinds are all notifiers of this package.
func kinds() map[string]pushtest.Kind {
	return map[string]pushtest.Kind{
		"ntfy": {Secrets: []string{secretToken, "topic-very-secret"}, Limits: []pushtest.Limit{{Text: "header X-Message", Max: 2048, Count: pushtest.Bytes}, {Text: "header X-Title", Max: 250}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewNtfy(NtfyOptions{Server: s, Topic: "topic-very-secret", Token: secretToken, Client: c}))
		}},
		"ntfy with a password": {Secrets: []string{secretToken, base64.StdEncoding.EncodeToString([]byte("joe:" + secretToken))}, Limits: []pushtest.Limit{{Text: "header X-Message", Max: 2048, Count: pushtest.Bytes}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewNtfy(NtfyOptions{Server: s, Topic: "x", User: "joe", Password: secretToken, Client: c}))
		}},
		"ntfy with the context": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "header X-Message", Max: 2048, Count: pushtest.Bytes}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewNtfy(NtfyOptions{
				Server: s, Topic: "x", Token: secretToken, Client: c, Context: line{}, Tags: []string{"a"}, Click: "https://example.com/ü",
				Actions: []NtfyAction{{Label: "Öffnen", URL: "https://example.com"}},
			}))
		}},
		"telegram with the context": {Secrets: []string{botToken}, Limits: []pushtest.Limit{{Text: "text", Max: 4096, Count: units}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewTelegram(TelegramOptions{Server: s, Token: botToken, Chat: "-100", Thread: 3, Client: c, Context: line{}}))
		}},
		"discord with the context": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "embeds[].description", Max: 4096, Count: units}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewDiscord(DiscordOptions{Webhook: s + "/api/webhooks/1/" + secretToken, Client: c, Context: line{}}))
		}},
		"matrix with the context": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "body", Max: 28_000, Count: pushtest.Bytes}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewMatrix(MatrixOptions{Server: s, Token: secretToken, Room: "!a:b", Client: c, Context: line{}}))
		}},
		"gotify": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "message", Max: 10_000}, {Text: "title", Max: 250}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewGotify(GotifyOptions{Server: s, Token: secretToken, Client: c}))
		}},
		"gotify with a client": {Secrets: []string{secretToken, secretUser}, Limits: []pushtest.Limit{{Text: "message", Max: 10_000}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewGotify(GotifyOptions{Server: s, Token: secretToken, ClientToken: secretUser, Markdown: true, Client: c}))
		}},
		"pushover": {Secrets: []string{secretToken, secretUser}, Limits: []pushtest.Limit{{Text: "message", Max: 1024}, {Text: "title", Max: 250}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewPushover(PushoverOptions{Server: s, Token: secretToken, User: secretUser, Client: c}))
		}},
		"telegram": {Secrets: []string{botToken}, Limits: []pushtest.Limit{{Text: "text", Max: 4096, Count: units}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewTelegram(TelegramOptions{Server: s, Token: botToken, Chat: "-100", Client: c}))
		}},
		"slack": {Secrets: []string{hookPath[16:]}, Limits: []pushtest.Limit{{Text: "text", Max: 4000, Count: units}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewSlack(SlackOptions{Webhook: s + hookPath, Client: c}))
		}},
		"mattermost": {Secrets: []string{hookPath[16:]}, Limits: []pushtest.Limit{{Text: "text", Max: 16_383, Count: units}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewMattermost(MattermostOptions{Webhook: s + hookPath, Client: c}))
		}},
		"discord": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "embeds[].title", Max: 256, Count: units}, {Text: "embeds[].description", Max: 4096, Count: units}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewDiscord(DiscordOptions{Webhook: s + "/api/webhooks/1/" + secretToken, Client: c}))
		}},
		"teams": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "", Max: 28 * 1024, Count: pushtest.Bytes}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewTeams(TeamsOptions{Webhook: s + "/workflows/1/run?sig=" + secretToken, Client: c}))
		}},
		"matrix": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "body", Max: 28_000, Count: pushtest.Bytes}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewMatrix(MatrixOptions{Server: s, Token: secretToken, Room: "!a:b", Client: c}))
		}},
		"pushbullet": {Secrets: []string{secretToken}, Limits: []pushtest.Limit{{Text: "body", Max: 4096}, {Text: "title", Max: 250}}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewPushbullet(PushbulletOptions{Server: s, Token: secretToken, Client: c}))
		}},
		"webhook": {Secrets: []string{secretToken, secretUser, hookPath[16:]}, Limits: []pushtest.Limit{{Text: "body", Max: 64 << 10}}, Raw: []string{"record", "context"}, New: func(s string, c *http.Client) (notifiers.Notifier, error) {
			return notifier(NewWebhook(WebhookOptions{
				URL: s + hookPath, Client: c, Header: http.Header{"authorization": {"Bearer " + secretToken}, "X-Key": {secretUser}},
			}))
		}},
	}
}
