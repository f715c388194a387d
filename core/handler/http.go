package handler

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

// DefaultHTTPTimeout is the default of [HTTPOptions].Timeout.
const DefaultHTTPTimeout = 10 * time.Second

// HTTPOptions says what [NewHTTP] makes.
type HTTPOptions struct {
	// URL is the address, http or https.
	URL string
	// Method is GET, the default, which puts the fields into the query, or POST,
	// which puts them into the body.
	Method string
	// Username and Password, if any is set, are sent with basic authentication. They
	// should go to https only.
	Username, Password string
	// MapLogRecord chooses what is sent; nil is [MapLogRecord]. It must not
	// keep or change the record.
	MapLogRecord func(r *core.Record) url.Values
	// Formatter, if not nil, makes the body of a POST instead, such as
	// [format.JSON].
	Formatter format.Formatter
	// ContentType is the type of what Formatter makes; the default is
	// application/json.
	ContentType string
	// TLS changes how https is spoken.
	TLS *tls.Config
	// Timeout is how long a request may take; the default is
	// [DefaultHTTPTimeout].
	Timeout time.Duration
}

// HTTP sends each record to a web server. It is Python's HTTPHandler. Any answer
// but one of 200 to 299 is an error. Put it behind an asynchronous handler where it
// must not delay the one who logs.
type HTTP struct {
	o      HTTPOptions
	url    *url.URL
	client *http.Client
}

var (
	_ core.Handler = (*HTTP)(nil)
	_ io.Closer    = (*HTTP)(nil)
)

// NewHTTP checks the options and returns a handler. Nothing is sent before the first
// record.
func NewHTTP(o HTTPOptions) (*HTTP, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("http handler: the URL cannot be parsed") // the error has the URL, with its secrets
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("http handler: URL %q must begin with http:// or https://", bare(u))
	}
	o.Method = strings.ToUpper(o.Method)
	if o.Method == "" {
		o.Method = http.MethodGet
		if o.Formatter != nil {
			o.Method = http.MethodPost
		}
	}
	if o.Method != http.MethodPost && (o.Method != http.MethodGet || o.Formatter != nil) {
		return nil, fmt.Errorf("http handler: method %q: want GET or POST, and POST with a formatter", o.Method)
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultHTTPTimeout
	}
	if o.ContentType == "" {
		o.ContentType = "application/json"
	}
	if o.MapLogRecord == nil {
		o.MapLogRecord = MapLogRecord
	}
	return &HTTP{o: o, url: u, client: newClient(o.TLS, o.Timeout)}, nil
}

func newClient(t *tls.Config, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: t.Clone(), ForceAttemptHTTP2: true,
			MaxIdleConns: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: timeout,
		},
		// A redirect would turn a POST into a GET, and may lead elsewhere with the
		// password.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bare is u without what may be secret in it.
func bare(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Handle sends r.
func (h *HTTP) Handle(ctx context.Context, r *core.Record) error {
	req, err := h.request(ctx, r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", h.o.Method, bare(h.url), err)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which has the record in it
		}
		return fmt.Errorf("%s %s: %w", h.o.Method, bare(h.url), err)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxOutput)) // so that the connection is used again
	err = errors.Join(err, resp.Body.Close())
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s: %s", h.o.Method, bare(h.url), resp.Status, firstOf(strings.TrimSpace(string(answer)), 200))
	}
	if err != nil {
		return fmt.Errorf("%s %s: read answer: %w", h.o.Method, bare(h.url), err)
	}
	return nil
}

func (h *HTTP) request(ctx context.Context, r *core.Record) (*http.Request, error) {
	u := *h.url
	var body []byte
	contentType := ""
	switch {
	case h.o.Formatter != nil:
		text, err := h.o.Formatter.Append(nil, r)
		if err != nil {
			return nil, fmt.Errorf("format record: %w", err)
		}
		body, contentType = text, h.o.ContentType
	case h.o.Method == http.MethodGet:
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += h.o.MapLogRecord(r).Encode()
	default:
		body, contentType = []byte(h.o.MapLogRecord(r).Encode()), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, h.o.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("make request") // never, since the URL was parsed
	}
	req.Header.Set("User-Agent", "logbook-tray")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if h.o.Username != "" || h.o.Password != "" {
		req.SetBasicAuth(h.o.Username, h.o.Password)
	}
	return req, nil
}

// Close closes connections that are kept for the next record.
func (h *HTTP) Close() error {
	h.client.CloseIdleConnections()
	return nil
}

// MapLogRecord returns every attribute of a record by its name in Logbook.
// Values that are not simple are JSON; those that are not there are left out.
// (Python sends them as "None".)
func MapLogRecord(r *core.Record) url.Values {
	out := url.Values{}
	for key, v := range r.Keep().ToDict() { // kept: what was logged in Go may contain itself
		switch v := v.(type) {
		case nil:
		case string:
			out.Set(key, v)
		case time.Time:
			out.Set(key, v.UTC().Format("2006-01-02T15:04:05.000000Z"))
		case bool, int, int64, float64, json.Number:
			out.Set(key, fmt.Sprint(v))
		default:
			text, err := json.Marshal(v)
			if err != nil {
				text = fmt.Append(nil, v)
			}
			out.Set(key, string(text))
		}
	}
	return out
}
