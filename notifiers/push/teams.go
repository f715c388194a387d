package push

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

const (
	// teamsMaxBytes is the documented limit of a message, 28 KB, less a little.
	teamsMaxBytes = 28_000
	// teamsMaxLines is how many lines become a line of their own in the card.
	teamsMaxLines = 60
)

// TeamsOptions are the settings of a notifier for Microsoft Teams. Webhook is
// required.
type TeamsOptions struct {
	// Webhook is the address of a workflow that starts "when a Teams webhook request
	// is received", a secret.
	Webhook string
	// Click is the address of a button on the card; "" for none.
	Click string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Teams sends notifications to a webhook of Microsoft Teams, as an Adaptive Card of
// plain text: nothing in a record is taken for markup. A webhook cannot change a
// message: the count of repeats is a short message of its own. The older
// "Office 365 connectors" take the same card as long as there are any. The
// service is closed: this is tested against the published protocol only. It is safe
// for concurrent use.
type Teams struct {
	poster  *post.Client
	opts    TeamsOptions
	address string
	sent    sent
}

var _ notifiers.Notifier = (*Teams)(nil)

// NewTeams returns a notifier. The error says which option is wrong.
func NewTeams(o TeamsOptions) (*Teams, error) {
	u, secrets, err := post.Webhook("teams", o.Webhook)
	if err != nil {
		return nil, err
	}
	return &Teams{poster: post.New("teams", o.Client, secrets...), opts: o, address: u.String()}, nil
}

type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	ContentURL  *string   `json:"contentUrl"`
	Content     teamsCard `json:"content"`
}

// teamsCard is an Adaptive Card.
type teamsCard struct {
	Schema  string         `json:"$schema"`
	Type    string         `json:"type"`
	Version string         `json:"version"`
	Body    []teamsBlock   `json:"body"`
	Actions []teamsAction  `json:"actions,omitempty"`
	Teams   map[string]any `json:"msteams"`
}

// teamsBlock is a RichTextBlock, whose runs know no Markdown.
type teamsBlock struct {
	Type    string     `json:"type"`
	Spacing string     `json:"spacing,omitempty"`
	Inlines []teamsRun `json:"inlines"`
}

type teamsRun struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Size   string `json:"size,omitempty"`
	Weight string `json:"weight,omitempty"`
	Color  string `json:"color,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Notify sends a notification. The error wraps [ErrRefused] if the service does not
// want it.
func (t *Teams) Notify(ctx context.Context, of notifiers.Notification) error {
	if _, again := t.sent.name(of.ID); again {
		of = followUp(of)
	}
	text := fit(&of, teamsMaxBytes, func(text string) int {
		body, err := t.message(of, text)
		if err != nil {
			return 0 // is found again below
		}
		return len(body)
	})
	body, err := t.message(of, text)
	if err != nil {
		return err
	}
	if err := t.poster.Post(ctx, t.address, jsonHeader(), body); err != nil {
		return err
	}
	t.sent.remember(of.ID, "")
	return nil
}

// message makes the card.
func (t *Teams) message(of notifiers.Notification, text string) ([]byte, error) {
	card := teamsCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
		Body: []teamsBlock{{Type: "RichTextBlock", Inlines: []teamsRun{{
			Type: "TextRun", Text: of.Title, Size: "Medium", Weight: "Bolder", Color: teamsColor(of.Level),
		}}}},
		Teams: map[string]any{"width": "Full"},
	}
	for i, line := range strings.SplitN(text, "\n", teamsMaxLines) {
		if line == "" {
			continue // an empty run is not allowed
		}
		b := teamsBlock{Type: "RichTextBlock", Inlines: []teamsRun{{Type: "TextRun", Text: line}}}
		if i > 0 {
			b.Spacing = "None"
		}
		card.Body = append(card.Body, b)
	}
	if t.opts.Click != "" {
		card.Actions = []teamsAction{{Type: "Action.OpenUrl", Title: "Open", URL: t.opts.Click}}
	}
	body, err := json.Marshal(teamsMessage{Type: "message", Attachments: []teamsAttachment{
		{ContentType: "application/vnd.microsoft.card.adaptive", Content: card},
	}})
	if err != nil {
		return nil, fmt.Errorf("teams: %w", err)
	}
	return body, nil
}

// teamsColor maps a level to the colours of Adaptive Cards.
func teamsColor(l core.Level) string {
	switch {
	case l >= core.LevelError:
		return "Attention"
	case l >= core.LevelWarning:
		return "Warning"
	case l >= core.LevelNotice:
		return "Accent"
	}
	return "Default"
}
