package push

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// slackMaxText is how many characters Slack advises to send at most; it cuts at
// 40 000.
const slackMaxText = 4000

// SlackOptions are the settings of a notifier for Slack. Webhook is required.
type SlackOptions struct {
	// Webhook is the address of an incoming webhook, a secret:
	// "https://hooks.slack.com/services/T.../B.../...".
	Webhook string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Slack sends notifications to an incoming webhook, as plain text: nothing in a record
// is taken for markup, nobody is mentioned, and no addresses are expanded. A webhook
// cannot change a message: the count of repeats is a short message of its own. The service
// is closed: this is tested against the published protocol only. It is safe for
// concurrent use.
type Slack struct {
	poster  *post.Client
	address string
	sent    sent
}

var _ notifiers.Notifier = (*Slack)(nil)

// NewSlack returns a notifier. The error says which option is wrong.
func NewSlack(o SlackOptions) (*Slack, error) {
	u, secrets, err := post.Webhook("slack", o.Webhook)
	if err != nil {
		return nil, err
	}
	return &Slack{poster: post.New("slack", o.Client, secrets...), address: u.String()}, nil
}

// slackMessage is a message as a webhook reads it.
type slackMessage struct {
	Text        string `json:"text"`
	Markdown    bool   `json:"mrkdwn"`
	UnfurlLinks bool   `json:"unfurl_links"`
	UnfurlMedia bool   `json:"unfurl_media"`
}

// Notify sends a notification. The error wraps [ErrRefused] if the service does not
// want it.
func (s *Slack) Notify(ctx context.Context, of notifiers.Notification) error {
	if _, again := s.sent.name(of.ID); again {
		of = followUp(of)
	}
	whole := together(of)
	// The three characters that Slack gives a meaning, even without markup.
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	text := fit(&whole, slackMaxText, func(t string) int { return units(escape(t)) })
	body, err := json.Marshal(slackMessage{Text: escape(text)})
	if err != nil {
		return fmt.Errorf("slack: %w", err)
	}
	if err := s.poster.Post(ctx, s.address, jsonHeader(), body); err != nil {
		return err
	}
	s.sent.remember(of.ID, "")
	return nil
}
