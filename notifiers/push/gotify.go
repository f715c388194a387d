package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

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
	// Markdown has the text shown as a block of code, with letters of equal width.
	Markdown bool
	// ClientToken, if not "", is the token of a client on the server, with which an older
	// message is deleted when a newer one about the same error has been sent. That
	// of an application may not delete.
	ClientToken string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Gotify sends notifications to a Gotify server. Gotify cannot update messages, so
// that the count of repeats is a message of its own, which with a client's token takes
// the place of the one before. It is safe for concurrent use, where calls about the
// same notification come one after the other.
type Gotify struct {
	poster  *post.Client
	opts    GotifyOptions
	address string
	header  http.Header
	sent    sent
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
		poster: post.New("gotify", o.Client, o.Token, o.ClientToken), opts: o, address: server + "/message",
		header: http.Header{"X-Gotify-Key": {o.Token}, "Content-Type": {"application/json"}},
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
	if of.Body == "" && of.Note == "" {
		of.Body = of.Title // a message without a text is refused
	}
	contentType, text := "text/plain", of.Text(gotifyMaxMessage)
	if g.opts.Markdown {
		contentType = "text/markdown"
		text = fenced(fit(&of, gotifyMaxMessage, func(t string) int { return utf8.RuneCountInString(fenced(t)) }))
	}
	extras := map[string]any{"client::display": map[string]any{"contentType": contentType}}
	if g.opts.Click != "" {
		extras["client::notification"] = map[string]any{"click": map[string]any{"url": g.opts.Click}}
	}
	body, err := json.Marshal(gotifyMessage{
		Title: display.Cut(of.Title, gotifyMaxTitle), Message: text, Priority: gotifyPriority(of.Level), Extras: extras,
	})
	if err != nil {
		return fmt.Errorf("gotify: %w", err)
	}
	answer, err := g.poster.Do(ctx, post.Request{Address: g.address, Header: g.header, Body: body})
	if err != nil || g.opts.ClientToken == "" {
		return err
	}
	return g.replace(ctx, of.ID, answer)
}

// replace notes what Gotify calls a message and deletes the one before it.
func (g *Gotify) replace(ctx context.Context, id uint64, answer post.Answer) error {
	var a struct {
		ID uint64 `json:"id"`
	}
	_ = json.Unmarshal(answer.Body, &a) // without a number it is not replaced
	if a.ID == 0 {
		return nil
	}
	before, again := g.sent.name(id)
	g.sent.remember(id, strconv.FormatUint(a.ID, 10))
	if !again {
		return nil
	}
	header := g.header.Clone()
	header.Set("X-Gotify-Key", g.opts.ClientToken)
	answer, err := g.poster.Do(ctx, post.Request{Method: http.MethodDelete, Address: g.address + "/" + before, Header: header})
	if err != nil && answer.Status != http.StatusNotFound {
		return fmt.Errorf("gotify: %w: the message before is not deleted: %w", notifiers.ErrPartly, err)
	}
	return nil
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
