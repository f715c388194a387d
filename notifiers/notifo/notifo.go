// Package notifo sends notifications with the requests of Logbook's NotifoHandler. The
// service that it was made for, notifo.com, is closed: the package is of use with
// a server that speaks the same.
package notifo

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"

	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

const (
	// DefaultServer is the address of the service that was.
	DefaultServer = "https://api.notifo.com"
	// DefaultAppName is the label of notifications unless told otherwise.
	DefaultAppName = "logbook-tray"

	// maxText is how many characters of a text are sent. What the service documented
	// is gone with it.
	maxText = 4096
)

// Options are the settings of a [Notifier]. Username and Secret are required.
type Options struct {
	// AppName is the label of the notifications; "" means DefaultAppName.
	AppName          string
	Username, Secret string
	// HideLevel leaves out the title, which is the name of the level.
	HideLevel bool
	// Server is the address of the server; "" means DefaultServer.
	Server string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Notifier is Logbook's NotifoHandler. It is safe for concurrent use.
type Notifier struct {
	client  *post.Client
	opts    Options
	address string
	header  http.Header
}

var _ notifiers.Notifier = (*Notifier)(nil)

// New returns a notifier. The error says which option is wrong.
func New(o Options) (*Notifier, error) {
	if o.Username == "" || o.Secret == "" {
		return nil, errors.New("notifo: username and secret are required")
	}
	if o.AppName == "" {
		o.AppName = DefaultAppName
	}
	if o.Server == "" {
		o.Server = DefaultServer
	}
	server, err := post.BaseURL("notifo", o.Server)
	if err != nil {
		return nil, err
	}
	return &Notifier{
		client: post.New("notifo", o.Client, o.Secret), opts: o, address: server + "/v1/send_notification",
		header: http.Header{
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(o.Username+":"+o.Secret))},
			"Content-Type":  {"application/x-www-form-urlencoded"},
		},
	}, nil
}

// Notify sends a notification.
//
// Logbook: it sends the level of the handler instead of the record's, and
// ignores record_limit.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	body := url.Values{"msg": {of.Text(maxText)}, "label": {n.opts.AppName}}
	if !n.opts.HideLevel {
		body.Set("title", of.Level.String())
	}
	return n.client.Post(ctx, n.address, n.header, []byte(body.Encode()))
}
