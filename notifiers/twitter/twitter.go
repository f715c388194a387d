// Package twitter posts notifications on X, which was Twitter: Logbook's TwitterHandler,
// with the present API and OAuth 1.0a. The service is closed, and posting there costs
// money: the package is tested against the published protocol only.
package twitter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// DefaultServer is the address of the service.
const DefaultServer = "https://api.x.com"

// ErrRefused is wrapped by the errors of notifications that the service will not
// accept however often they are sent.
var ErrRefused = post.ErrRefused

// Options are the settings of a [Notifier]. The keys, the token and the secrets are
// required.
type Options struct {
	// ConsumerKey and ConsumerSecret are those of the application, Token and
	// TokenSecret those of the user, who gave it the right to write.
	ConsumerKey, ConsumerSecret, Token, TokenSecret string
	// Server is the address of the service; "" means DefaultServer.
	Server string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Notifier is Logbook's TwitterHandler. A post cannot be changed: the count of repeats
// is a post of its own. It is safe for concurrent use.
//
// Logbook: it signs in with the user's name and password (xAuth), which the service no
// longer allows.
type Notifier struct {
	client  *post.Client
	keys    credentials
	address string
}

var _ notifiers.Notifier = (*Notifier)(nil)

// New returns a notifier. The error says which option is wrong.
func New(o Options) (*Notifier, error) {
	if o.Server == "" {
		o.Server = DefaultServer
	}
	server, err := post.BaseURL("twitter", o.Server)
	switch {
	case err != nil:
		return nil, err
	case o.ConsumerKey == "" || o.ConsumerSecret == "":
		return nil, errors.New("twitter: consumer key: key and secret are required")
	case o.Token == "" || o.TokenSecret == "":
		return nil, errors.New("twitter: token: token and secret are required")
	}
	return &Notifier{
		client:  post.New("twitter", o.Client, o.ConsumerKey, o.ConsumerSecret, o.Token, o.TokenSecret),
		keys:    credentials{o.ConsumerKey, o.ConsumerSecret, o.Token, o.TokenSecret},
		address: server + "/2/tweets",
	}, nil
}

// Notify posts a notification. The error wraps [ErrRefused] if the service does not want
// it.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	body, err := json.Marshal(map[string]string{"text": Text(of)})
	if err != nil {
		return fmt.Errorf("twitter: %w", err)
	}
	answer, err := n.client.Do(ctx, post.Request{
		Address: n.address, Header: http.Header{"Content-Type": {"application/json"}}, Body: body,
		Authorize: func() string { return n.keys.authorization(http.MethodPost, n.address, time.Now()) },
	})
	if answer.Attempts > 1 && answer.Status == http.StatusForbidden && bytes.Contains(answer.Body, []byte("duplicate content")) {
		return nil // an attempt that seemed to fail was a success
	}
	return err
}

// maxTried is how many characters of a text are looked at; fewer fit into a post.
const maxTried = 1000

// Text returns the post for a notification, in the format of Logbook's TwitterHandler:
// "[channel] LEVEL: message", and the exception on a line of its own. It is cut between
// words; the count of repeats is never lost.
//
// Logbook: a record without an exception is an error.
func Text(of notifiers.Notification) string {
	text := of.Title
	if r := of.Record; r != nil && !of.Digest {
		text = "[" + display.Line(r.Channel, maxTried) + "] " + of.Level.String()
	}
	if of.Body != "" {
		text += ": " + of.Body
	}
	if r := of.Record; r != nil && r.Exception != nil && !of.Digest {
		exception := display.Clean(r.Exception.ShortName() + ": " + r.Exception.Message)
		if !strings.Contains(text, exception) {
			text += "\n" + exception
		}
	}
	note := ""
	if of.Note != "" {
		note = " (" + of.Note + ")"
	}
	return Cut(harmless(display.Cut(text, maxTried)), MaxWeight-Weight(note)) + note
}
