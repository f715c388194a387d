package push

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// mattermostMaxText is the documented limit of a post, in characters.
const mattermostMaxText = 16383

// MattermostOptions are the settings of a notifier for Mattermost. Webhook is required.
type MattermostOptions struct {
	// Webhook is the address of an incoming webhook, a secret:
	// "https://HOST/hooks/...".
	Webhook string
	// Channel is the channel, if not the webhook's; Username and IconURL are shown
	// as the sender, where the server allows it. "" leaves them to the server.
	Channel, Username, IconURL string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Mattermost sends notifications to an incoming webhook: the title in bold, the
// text as a block of code, so that nothing in a record is taken for markup and
// nobody is mentioned. A webhook cannot change a message: the count of repeats is a
// short message of its own. It is safe for concurrent use.
type Mattermost struct {
	poster  *post.Client
	opts    MattermostOptions
	address string
	sent    sent
}

var _ notifiers.Notifier = (*Mattermost)(nil)

// NewMattermost returns a notifier. The error says which option is wrong.
func NewMattermost(o MattermostOptions) (*Mattermost, error) {
	u, secrets, err := post.Webhook("mattermost", o.Webhook)
	if err != nil {
		return nil, err
	}
	return &Mattermost{poster: post.New("mattermost", o.Client, secrets...), opts: o, address: u.String()}, nil
}

// mattermostMessage is a message as a webhook reads it.
type mattermostMessage struct {
	Text     string `json:"text"`
	Channel  string `json:"channel,omitempty"`
	Username string `json:"username,omitempty"`
	IconURL  string `json:"icon_url,omitempty"`
}

// Notify sends a notification. The error wraps [ErrRefused] if the server does not
// want it.
func (m *Mattermost) Notify(ctx context.Context, of notifiers.Notification) error {
	if _, again := m.sent.name(of.ID); again {
		of = followUp(of)
	}
	title := "**" + plain(of.Title) + "**"
	whole := func(text string) string {
		if text == "" {
			return title
		}
		return title + "\n" + fenced(text)
	}
	text := fit(&of, mattermostMaxText, func(t string) int { return units(whole(t)) })
	body, err := json.Marshal(mattermostMessage{
		Text: whole(text), Channel: m.opts.Channel, Username: m.opts.Username, IconURL: m.opts.IconURL,
	})
	if err != nil {
		return fmt.Errorf("mattermost: %w", err)
	}
	if err := m.poster.Post(ctx, m.address, jsonHeader(), body); err != nil {
		return err
	}
	m.sent.remember(of.ID, "")
	return nil
}
