package push

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// What Pushbullet is sent at most, in characters. Its documents name no limit; the
// apps show no more.
const (
	pushbulletMaxText  = 4096
	pushbulletMaxTitle = 250
)

// DefaultPushbulletServer is the address of the service.
const DefaultPushbulletServer = "https://api.pushbullet.com"

// PushbulletOptions are the settings of a notifier for Pushbullet. Token is required.
type PushbulletOptions struct {
	// Server is the address of the service; "" means DefaultPushbulletServer.
	Server string
	// Token is an access token.
	Token string
	// Device is the identifier of one device, Channel the tag of a channel of one's
	// own; without both, all devices of the user get it.
	Device, Channel string
	// Click is the address that a tap on the notification opens; "" for none.
	Click string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Pushbullet sends notifications as pushes. Each has an identifier, so that one that is
// repeated after a failure is there once. The text of a push cannot be changed: the
// count of repeats is a short push of its own. The service is closed: this is tested
// against the published protocol only. It is safe for concurrent use.
type Pushbullet struct {
	poster  *post.Client
	opts    PushbulletOptions
	address string
	header  http.Header
	sent    sent
}

var _ notifiers.Notifier = (*Pushbullet)(nil)

// NewPushbullet returns a notifier. The error says which option is wrong.
func NewPushbullet(o PushbulletOptions) (*Pushbullet, error) {
	if o.Server == "" {
		o.Server = DefaultPushbulletServer
	}
	server, err := post.BaseURL("pushbullet", o.Server)
	switch {
	case err != nil:
		return nil, err
	case o.Token == "":
		return nil, errors.New("pushbullet: token: none is given")
	case o.Device != "" && o.Channel != "":
		return nil, errors.New("pushbullet: device: cannot be given with a channel")
	}
	return &Pushbullet{
		poster: post.New("pushbullet", o.Client, o.Token), opts: o, address: server + "/v2/pushes",
		header: http.Header{"Content-Type": {"application/json"}, "Access-Token": {o.Token}},
	}, nil
}

// pushbulletPush is a push as the service reads it.
type pushbulletPush struct {
	Type    string `json:"type"`
	Title   string `json:"title,omitempty"`
	Body    string `json:"body,omitempty"`
	URL     string `json:"url,omitempty"`
	Device  string `json:"device_iden,omitempty"`
	Channel string `json:"channel_tag,omitempty"`
	GUID    string `json:"guid"`
}

// Notify sends a notification. The error wraps [ErrRefused] if the service does not
// want it.
func (p *Pushbullet) Notify(ctx context.Context, of notifiers.Notification) error {
	if _, again := p.sent.name(of.ID); again {
		of = followUp(of)
	}
	push := pushbulletPush{
		Type: "note", Title: display.Cut(of.Title, pushbulletMaxTitle), Body: of.Text(pushbulletMaxText), URL: p.opts.Click,
		Device: p.opts.Device, Channel: p.opts.Channel, GUID: "logbook-tray-" + rand.Text(),
	}
	if push.URL != "" {
		push.Type = "link"
	}
	body, err := json.Marshal(push)
	if err != nil {
		return fmt.Errorf("pushbullet: %w", err)
	}
	if err := p.poster.Post(ctx, p.address, p.header, body); err != nil {
		return err
	}
	p.sent.remember(of.ID, "")
	return nil
}
