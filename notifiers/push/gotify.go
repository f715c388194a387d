package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// What Gotify is sent at most, in characters. Its documents name no limit; the
// apps show no more.
const (
	gotifyMaxMessage = 10_000
	gotifyMaxTitle   = 250
)

// GotifyOptions are the settings of a notifier for Gotify. Server and Token are
// required.
type GotifyOptions struct {
	// Server is the address of the server.
	Server string
	// Token is the token of an application on the server.
	Token string
	// Click is the address that a tap on the notification opens; "" for none.
	Click string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Gotify sends notifications to a Gotify server. Gotify cannot update messages, so
// that the count of repeats is a message of its own. It is safe for concurrent use.
type Gotify struct {
	poster  *post.Client
	address string
	header  http.Header
	click   string
}

var _ notifiers.Notifier = (*Gotify)(nil)

// NewGotify returns a notifier. The error says which option is wrong.
func NewGotify(o GotifyOptions) (*Gotify, error) {
	server, err := post.BaseURL("gotify", o.Server)
	if err != nil {
		return nil, err
	}
	if o.Token == "" {
		return nil, errors.New("gotify: token: none is given")
	}
	return &Gotify{
		poster: post.New("gotify", o.Client, o.Token), address: server + "/message",
		header: http.Header{"X-Gotify-Key": {o.Token}, "Content-Type": {"application/json"}}, click: o.Click,
	}, nil
}

// gotifyMessage is a message as Gotify reads it.
type gotifyMessage struct {
	Title    string         `json:"title,omitempty"`
	Message  string         `json:"message"`
	Priority int            `json:"priority"`
	Extras   map[string]any `json:"extras"`
}

// Notify sends a notification. The error wraps [ErrRefused] if the server does not
// want it.
func (g *Gotify) Notify(ctx context.Context, of notifiers.Notification) error {
	extras := map[string]any{"client::display": map[string]any{"contentType": "text/plain"}}
	if g.click != "" {
		extras["client::notification"] = map[string]any{"click": map[string]any{"url": g.click}}
	}
	text := of.Text(gotifyMaxMessage)
	if text == "" {
		text = of.Title // a message without a text is refused
	}
	body, err := json.Marshal(gotifyMessage{
		Title: display.Cut(of.Title, gotifyMaxTitle), Message: text, Priority: gotifyPriority(of.Level), Extras: extras,
	})
	if err != nil {
		return fmt.Errorf("gotify: %w", err)
	}
	return g.poster.Post(ctx, g.address, g.header, body)
}

// gotifyPriority maps a level to Gotify's 0 to 10: from 4 on the app makes a
// sound, from 8 on it pops up.
func gotifyPriority(l core.Level) int {
	switch {
	case l >= core.LevelCritical:
		return 10
	case l >= core.LevelError:
		return 8
	case l >= core.LevelWarning:
		return 5
	case l >= core.LevelNotice:
		return 3
	case l >= core.LevelInfo:
		return 1
	}
	return 0
}
