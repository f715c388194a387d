package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

const (
	webhookMaxText    = 64 << 10 // characters of each text
	webhookMaxContext = 1000     // records
	webhookMaxBytes   = 4 << 20
)

// errTooLarge is the error of a body that is.
var errTooLarge = errors.New("the body has more than 4 MiB")

// WebhookOptions are the settings of a notifier for any HTTP server. URL is required.
type WebhookOptions struct {
	// URL is where it is sent to. It is taken for a secret.
	URL string
	// Method is that of the request: "POST", "PUT" or "PATCH"; "" means POST.
	Method string
	// Header is sent along, and its values are taken for secrets.
	Header http.Header
	// Template makes the body of a [WebhookAlert]; "" means the alert as JSON. It is a
	// template of Go's text/template that has to make JSON, in which each action
	// writes its value as JSON, quotes included, so that nothing in a record can be
	// taken for more than text:
	//
	// There is a record always, an empty one if need be.
	//
	//	{"summary": {{.Title}}, "count": {{.Count}}, "line": {{printf "%s (%s)" .Title .Level}}}
	Template string
	// Context is how many of the records before the error are sent, the newest; 0
	// means none, and more than 1000 is taken for 1000.
	Context int
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// WebhookAlert is what a [Webhook] sends, as JSON with these names. The names stay as
// they are as long as the version is the same; new ones may be added.
type WebhookAlert struct {
	// Version is 1.
	Version int `json:"version"`
	// ID is that of the alert in this run of the program: what comes with an ID
	// that was sent before updates it.
	ID uint64 `json:"id"`
	// Update says that the ID was sent before.
	Update bool `json:"update"`
	// Title, Body and Note are texts without control characters; Note is about
	// repeats: "12 times in 60 s", or "".
	Title string `json:"title"`
	Body  string `json:"body"`
	Note  string `json:"note"`
	// Level is the name of a level: "ERROR".
	Level string `json:"level"`
	// Count is how often it happened.
	Count int `json:"count"`
	// Digest says that it stands for several errors that were too many to be sent
	// one by one.
	Digest bool `json:"digest"`
	// Record is the newest record; null if there is none.
	Record *WebhookRecord `json:"record"`
	// Context are the records that led up to the error, the oldest first, and the
	// error's first one itself; at most WebhookOptions.Context.
	Context []WebhookRecord `json:"context"`
}

// WebhookRecord is a record in a [WebhookAlert]. What is unknown is "", 0 or null.
type WebhookRecord struct {
	Time      time.Time         `json:"time"` // RFC 3339, in UTC
	Channel   string            `json:"channel"`
	Level     string            `json:"level"`
	Message   string            `json:"message"`
	Source    string            `json:"source"` // the subscriber that received it
	File      string            `json:"file"`
	Line      int               `json:"line"`
	Function  string            `json:"function"`
	Module    string            `json:"module"`
	ProcessID int               `json:"process_id"`
	Thread    string            `json:"thread"`
	Exception *WebhookException `json:"exception"`
	// Extra holds the extra fields; values that JSON does not know as text.
	Extra map[string]any `json:"extra"`
}

// WebhookException is the exception of a [WebhookRecord].
type WebhookException struct {
	Name      string `json:"name"`
	Message   string `json:"message"`
	Traceback string `json:"traceback"`
}

// Webhook sends notifications as JSON to any HTTP server: a [WebhookAlert], or what a
// template makes of it. It is safe for concurrent use.
type Webhook struct {
	poster   *post.Client
	opts     WebhookOptions
	address  string
	header   http.Header
	template *template.Template // nil: the alert as it is
	sent     sent
}

var _ notifiers.Notifier = (*Webhook)(nil)

// NewWebhook returns a notifier. The error says which option is wrong; a template is
// tried with an alert.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	u, secrets, err := post.Webhook("webhook", o.URL)
	if err != nil {
		return nil, err
	}
	switch o.Method {
	case "", http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return nil, fmt.Errorf("webhook: method: %q is not POST, PUT or PATCH", o.Method)
	}
	w := &Webhook{opts: o, address: u.String(), header: jsonHeader()}
	for name, values := range o.Header {
		if err := checkHeader(name, values); err != nil {
			return nil, err
		}
		w.header[http.CanonicalHeaderKey(name)] = values
		secrets = append(secrets, values...)
	}
	w.opts.Context = min(max(o.Context, 0), webhookMaxContext)
	w.poster = post.New("webhook", o.Client, secrets...)
	if o.Template != "" {
		if w.template, err = webhookTemplate(o.Template); err != nil {
			return nil, fmt.Errorf("webhook: template: %w", err)
		}
	}
	return w, nil
}

// headerName is what RFC 9110 allows.
var headerName = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

// checkHeader says what no request can carry. It tells no value.
func checkHeader(name string, values []string) error {
	if !headerName.MatchString(name) {
		return fmt.Errorf("webhook: header: %q is not a name", name)
	}
	for _, v := range values {
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("webhook: header: the value of %s has control characters", name)
		}
	}
	return nil
}

// Notify sends a notification. The error wraps [ErrRefused] if the server does not want
// it.
func (w *Webhook) Notify(ctx context.Context, of notifiers.Notification) error {
	alert := webhookAlert(of, w.opts.Context)
	_, alert.Update = w.sent.name(of.ID)
	body, err := w.body(alert)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	if _, err := w.poster.Do(ctx, post.Request{Method: w.opts.Method, Address: w.address, Header: w.header, Body: body}); err != nil {
		return err
	}
	w.sent.remember(of.ID, "")
	return nil
}

// body makes the body of a request. The older half of the context is left out until it is
// no more than 4 MiB.
func (w *Webhook) body(alert WebhookAlert) ([]byte, error) {
	if w.template != nil && alert.Record == nil {
		alert.Record = new(WebhookRecord)
	}
	for {
		var body []byte
		var err error
		if w.template != nil {
			body, err = executeJSON(w.template, alert)
		} else if body, err = json.Marshal(alert); err == nil && len(body) > webhookMaxBytes {
			err = errTooLarge
		}
		if !errors.Is(err, errTooLarge) || len(alert.Context) == 0 {
			return body, err
		}
		alert.Context = alert.Context[(len(alert.Context)+1)/2:]
	}
}

func webhookAlert(of notifiers.Notification, context int) WebhookAlert {
	a := WebhookAlert{
		Version: 1, ID: of.ID, Title: of.Title, Body: display.Cut(of.Body, webhookMaxText), Note: of.Note,
		Level: of.Level.String(), Count: of.Count, Digest: of.Digest, Context: []WebhookRecord{},
	}
	if of.Record != nil {
		r := webhookRecord(of.Record)
		a.Record = &r
	}
	for _, r := range of.Context[max(len(of.Context)-context, 0):] {
		a.Context = append(a.Context, webhookRecord(r))
	}
	return a
}

func webhookRecord(r *core.Record) WebhookRecord {
	site := r.Caller()
	of := WebhookRecord{
		Time: r.Time.UTC(), Channel: r.Channel, Level: r.Level.String(), Message: display.Cut(r.Message(), webhookMaxText),
		Source: r.Source.Name, File: site.File, Line: site.Line, Function: site.Function, Module: site.Module,
		ProcessID: r.Process.ID, Thread: r.Thread.Name, Extra: map[string]any{},
	}
	if e := r.Exception; e != nil {
		of.Exception = &WebhookException{
			Name: e.Name, Message: display.Cut(e.Message, webhookMaxText), Traceback: display.Cut(e.Traceback, webhookMaxText),
		}
	}
	for key, value := range r.Extra.All() {
		if _, err := json.Marshal(value); err != nil {
			value = fmt.Sprint(value)
		}
		of.Extra[key] = value
	}
	return of
}
