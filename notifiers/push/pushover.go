package push

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// The documented limits of Pushover.
const (
	pushoverMaxMessage = 1024 // characters
	pushoverMaxTitle   = 250  // characters
	pushoverMinRetry   = 30 * time.Second
	pushoverMaxExpire  = 3 * time.Hour
)

// The defaults of [PushoverOptions].
const (
	DefaultPushoverServer = "https://api.pushover.net"
	DefaultPushoverRetry  = time.Minute
	DefaultPushoverExpire = time.Hour
)

// PushoverOptions are the settings of a notifier for Pushover. Token and User are
// required.
type PushoverOptions struct {
	// Server is the address of the service; "" means DefaultPushoverServer.
	Server string
	// Token is that of the application, User the key of a user or a group.
	Token, User string
	// Device is the name of the one device that it is for; "" means all.
	Device string
	// Sound is the name of a sound; "" means the user's.
	Sound string
	// Click is the address that is shown with the message; "" for none.
	Click string
	// Emergency is the level from which on the message is repeated until it is
	// acknowledged; 0 means never.
	Emergency core.Level
	// Retry is how often it is repeated, at least 30 s, and Expire for how long, at
	// most 3 h. 0 means DefaultPushoverRetry and DefaultPushoverExpire.
	Retry, Expire time.Duration
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Pushover sends notifications through Pushover's message API, version 1. A message
// cannot be changed there: the count of repeats is a short message of its own, without
// a sound. The service is closed: this is tested against the published protocol
// only. It is safe for concurrent use.
type Pushover struct {
	poster  *post.Client
	opts    PushoverOptions
	address string
	sent    sent
}

var _ notifiers.Notifier = (*Pushover)(nil)

// NewPushover returns a notifier. The error says which option is wrong.
func NewPushover(o PushoverOptions) (*Pushover, error) {
	if o.Server == "" {
		o.Server = DefaultPushoverServer
	}
	if o.Retry == 0 {
		o.Retry = DefaultPushoverRetry
	}
	if o.Expire == 0 {
		o.Expire = DefaultPushoverExpire
	}
	server, err := post.BaseURL("pushover", o.Server)
	switch {
	case err != nil:
		return nil, err
	case o.Token == "":
		return nil, errors.New("pushover: token: none is given")
	case o.User == "":
		return nil, errors.New("pushover: user: none is given")
	case o.Retry < pushoverMinRetry:
		return nil, errors.New("pushover: retry: want at least 30 s")
	case o.Expire < 0 || o.Expire > pushoverMaxExpire:
		return nil, errors.New("pushover: expire: want at most 3 h")
	}
	return &Pushover{poster: post.New("pushover", o.Client, o.Token, o.User), opts: o, address: server + "/1/messages.json"}, nil
}

// Notify sends a notification. The error wraps [ErrRefused] if the service does not
// want it.
func (p *Pushover) Notify(ctx context.Context, of notifiers.Notification) error {
	priority := p.priority(of.Level)
	_, again := p.sent.name(of.ID)
	if again {
		of, priority = followUp(of), min(priority, -1)
	}
	text := of.Text(pushoverMaxMessage)
	if text == "" {
		text = of.Title // a message without a text is refused
	}
	form := url.Values{
		"token": {p.opts.Token}, "user": {p.opts.User}, "message": {text},
		"title": {display.Cut(of.Title, pushoverMaxTitle)}, "priority": {strconv.Itoa(priority)},
	}
	for name, value := range map[string]string{"device": p.opts.Device, "sound": p.opts.Sound, "url": p.opts.Click} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if priority == 2 {
		form.Set("retry", strconv.Itoa(int(p.opts.Retry/time.Second)))
		form.Set("expire", strconv.Itoa(int(p.opts.Expire/time.Second)))
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if err := p.poster.Post(ctx, p.address, header, []byte(form.Encode())); err != nil {
		return err
	}
	p.sent.remember(of.ID, "")
	return nil
}

// priority maps a level to Pushover's -2 (nothing is shown) to 2 (until it is
// acknowledged).
func (p *Pushover) priority(l core.Level) int {
	switch {
	case p.opts.Emergency > 0 && l >= p.opts.Emergency:
		return 2
	case l >= core.LevelCritical:
		return 1
	case l >= core.LevelNotice:
		return 0
	case l >= core.LevelInfo:
		return -1
	}
	return -2
}
