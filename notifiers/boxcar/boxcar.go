// Package boxcar sends notifications with the requests of Logbook's BoxcarHandler. The
// service that it was made for, boxcar.io, is closed: the package is of use with a
// server that speaks the same.
package boxcar

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// DefaultServer is the address of the service that was.
const DefaultServer = "https://boxcar.io"

// maxText is how many characters of a text are sent. What the service documented is
// gone with it.
const maxText = 4096

// Options are the settings of a [Notifier]. Email and Password are required.
type Options struct {
	Email, Password string
	// Server is the address of the server; "" means DefaultServer.
	Server string
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Notifier is Logbook's BoxcarHandler. It is safe for concurrent use.
type Notifier struct {
	client  *post.Client
	address string
	header  http.Header
}

var _ notifiers.Notifier = (*Notifier)(nil)

// New returns a notifier. The error says which option is wrong.
func New(o Options) (*Notifier, error) {
	if o.Email == "" || o.Password == "" {
		return nil, errors.New("boxcar: email and password are required")
	}
	if o.Server == "" {
		o.Server = DefaultServer
	}
	server, err := post.BaseURL("boxcar", o.Server)
	if err != nil {
		return nil, err
	}
	return &Notifier{
		client: post.New("boxcar", o.Client, o.Password), address: server + "/notifications/",
		header: http.Header{
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(o.Email+":"+o.Password))},
			"Content-Type":  {"application/x-www-form-urlencoded"},
		},
	}, nil
}

// Notify sends a notification. The name of the sender is the level, as Logbook's
// get_screen_name has it.
//
// Logbook: it neither says what its body is nor reads the answer.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	body := url.Values{
		"notification[from_screen_name]":       {of.Level.Title()},
		"notification[message]":                {of.Text(maxText)},
		"notification[from_remote_service_id]": {strconv.FormatInt(time.Now().UnixMilli()/10, 10)},
	}.Encode()
	return n.client.Post(ctx, n.address, n.header, []byte(body))
}
