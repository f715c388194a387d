package push

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// The documented limits of ntfy: a longer message becomes an attachment.
const (
	ntfyMaxMessage = 4096 // bytes
	ntfyMaxTitle   = 250  // characters; the documents name none
)

// DefaultNtfyServer is the server that ntfy's makers run.
const DefaultNtfyServer = "https://ntfy.sh"

// NtfyOptions are the settings of a notifier for ntfy. Topic is required.
type NtfyOptions struct {
	// Server is the address of the server; "" means DefaultNtfyServer.
	Server string
	// Topic is the name of the topic, a secret where the server asks for no token.
	Topic string
	// Token is an access token; "" for none. User and Password are used if
	// there is none.
	Token, User, Password string
	// Click is the address that a tap on the notification opens; "" for none.
	Click string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Ntfy sends notifications to a topic of an ntfy server. Repeats update the
// message on the phone if the server is of version 2.16 or later. It is safe for
// concurrent use.
type Ntfy struct {
	poster *post.Client
	opts   NtfyOptions
	server string
	header http.Header
	run    string // tells the messages of this run from those of others
}

var _ notifiers.Notifier = (*Ntfy)(nil)

// topicPattern is what ntfy allows.
var topicPattern = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

// NewNtfy returns a notifier. The error says which option is wrong.
func NewNtfy(o NtfyOptions) (*Ntfy, error) {
	if o.Server == "" {
		o.Server = DefaultNtfyServer
	}
	server, err := post.BaseURL("ntfy", o.Server)
	if err != nil {
		return nil, err
	}
	if !topicPattern.MatchString(o.Topic) {
		return nil, errors.New("ntfy: topic: want 1 to 64 letters, digits, \"-\" or \"_\"")
	}
	n := &Ntfy{
		opts: o, server: server, header: http.Header{"Content-Type": {"application/json"}}, run: rand.Text()[:8],
		poster: post.New("ntfy", o.Client, o.Token, o.Password, o.Topic),
	}
	switch {
	case o.Token != "":
		n.header.Set("Authorization", "Bearer "+o.Token)
	case o.User != "":
		n.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(o.User+":"+o.Password)))
	}
	return n, nil
}

// ntfyMessage is a message as ntfy reads it.
type ntfyMessage struct {
	Topic    string   `json:"topic"`
	Title    string   `json:"title,omitempty"`
	Message  string   `json:"message"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags,omitempty"`
	Click    string   `json:"click,omitempty"`
	Sequence string   `json:"sequence_id,omitempty"`
}

// Notify sends a notification. The error wraps [ErrRefused] if the server does not
// want it.
func (n *Ntfy) Notify(ctx context.Context, of notifiers.Notification) error {
	body, err := json.Marshal(ntfyMessage{
		Topic: n.opts.Topic, Title: display.Cut(of.Title, ntfyMaxTitle), Message: fit(&of, ntfyMaxMessage, bytesOf),
		Priority: ntfyPriority(of.Level), Tags: ntfyTags(of.Level), Click: n.opts.Click,
		Sequence: "logbook-tray-" + n.run + "-" + strconv.FormatUint(of.ID, 10),
	})
	if err != nil {
		return fmt.Errorf("ntfy: %w", err)
	}
	return n.poster.Post(ctx, n.server, n.header, body)
}

// ntfyPriority maps a level to ntfy's 1 (min) to 5 (max).
func ntfyPriority(l core.Level) int {
	switch {
	case l >= core.LevelCritical:
		return 5
	case l >= core.LevelError:
		return 4
	case l >= core.LevelNotice:
		return 3
	case l >= core.LevelInfo:
		return 2
	}
	return 1
}

// ntfyTags returns the tags of a level; ntfy shows some as a picture.
func ntfyTags(l core.Level) []string {
	switch {
	case l >= core.LevelCritical:
		return []string{"rotating_light"}
	case l >= core.LevelError:
		return []string{"x"}
	case l >= core.LevelWarning:
		return []string{"warning"}
	}
	return nil
}
