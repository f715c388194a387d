package handler

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
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
	// application/json, and with Lines application/x-ndjson.
	ContentType string
	// Token, if not empty, is sent as "Authorization: Bearer TOKEN", instead of Username
	// and Password. It should go to https only.
	Token string
	// Lines puts a line feed behind what Formatter makes, and the records of a batch into one
	// request, as the HTTP source of logbook-tray takes them. Each request has an
	// Idempotency-Key, which stays the same when a batch that has failed is handed over again.
	Lines bool
	// TLS changes how https is spoken.
	TLS *tls.Config
	// Timeout is how long a request may take; the default is
	// [DefaultHTTPTimeout].
	Timeout time.Duration
}

// maxHTTPBody is how large a request with several records gets, in bytes, unless one record
// alone is larger.
const maxHTTPBody = 4 << 20

// HTTP sends each record to a web server. It is Python's HTTPHandler. Any answer
// but one of 200 to 299 is an error, an [HTTPStatusError]. Put it behind an asynchronous handler where it
// must not delay the one who logs.
type HTTP struct {
	o      HTTPOptions
	url    *url.URL
	client *http.Client

	mu   sync.Mutex
	keys map[[sha256.Size]byte]string // of requests of a batch that has not been delivered
}

var (
	_ core.BatchHandler = (*HTTP)(nil)
	_ io.Closer         = (*HTTP)(nil)
)

// HTTPStatusError is the answer of a web server that has not taken a request.
type HTTPStatusError struct {
	Status  string // such as "404 Not Found"
	Code    int    // such as 404
	Message string // the first line of the answer, cut
}

// Error returns the status and the message.
func (e *HTTPStatusError) Error() string { return e.Status + ": " + e.Message }

// Permanent reports whether the server says that the request itself is wrong, so that it is of
// no use to send it again.
func (e *HTTPStatusError) Permanent() bool {
	switch e.Code {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

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
	if o.Lines && o.Formatter == nil {
		return nil, errors.New("http handler: lines need a formatter")
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultHTTPTimeout
	}
	if o.ContentType == "" && o.Lines {
		o.ContentType = "application/x-ndjson"
	}
	if o.ContentType == "" {
		o.ContentType = "application/json"
	}
	if o.MapLogRecord == nil {
		o.MapLogRecord = MapLogRecord
	}
	return &HTTP{o: o, url: u, client: newClient(o.TLS, o.Timeout), keys: make(map[[sha256.Size]byte]string)}, nil
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
	if h.o.Lines {
		return h.HandleBatch(ctx, []*core.Record{r}, core.BatchBuffer)
	}
	req, err := h.request(ctx, r)
	if err != nil {
		return h.failed(err)
	}
	return h.send(req)
}

// HandleBatch sends the records in as few requests as their size allows, if [HTTPOptions].Lines
// is set, otherwise each in one. A request that the server does not take because of what is in
// it does not keep the others back.
func (h *HTTP) HandleBatch(ctx context.Context, rs []*core.Record, _ core.BatchReason) error {
	var failed []error
	if !h.o.Lines {
		for _, r := range rs {
			failed = append(failed, h.Handle(ctx, r))
		}
		return errors.Join(failed...)
	}
	var body, line []byte
	for _, r := range rs {
		text, err := h.o.Formatter.Append(line[:0], r)
		line = text
		if err != nil {
			failed = append(failed, h.failed(fmt.Errorf("format record: %w", err)))
			continue
		}
		if len(body) > 0 && len(body)+len(line) >= maxHTTPBody {
			if err := h.post(ctx, body); err != nil {
				failed = append(failed, err)
			}
			body = nil // the last request may still read it
		}
		body = append(append(body, line...), '\n')
	}
	if len(body) > 0 {
		if err := h.post(ctx, body); err != nil {
			failed = append(failed, err)
		}
	}
	err := &batchError{errors.Join(failed...), permanent(failed)}
	if err.permanent {
		h.mu.Lock()
		clear(h.keys)
		h.mu.Unlock()
	}
	if err.error == nil {
		return nil
	}
	return err
}

// batchError is what went wrong with the requests of a batch.
type batchError struct {
	error

	permanent bool
}

func (e *batchError) Unwrap() error { return e.error }

// Permanent reports whether none of the requests is worth another try.
func (e *batchError) Permanent() bool { return e.permanent }

// post sends a body that several records are in.
func (h *HTTP) post(ctx context.Context, body []byte) error {
	req, err := h.newRequest(ctx, h.url.String(), body, h.o.ContentType)
	if err != nil {
		return h.failed(err)
	}
	sum := sha256.Sum256(body)
	h.mu.Lock()
	if len(h.keys) > maxKeys { // of batches that nobody handed over again
		clear(h.keys)
	}
	if h.keys[sum] == "" {
		h.keys[sum] = rand.Text()
	}
	req.Header.Set("Idempotency-Key", h.keys[sum])
	h.mu.Unlock()
	return h.send(req)
}

// send sends a request and looks at the answer.
func (h *HTTP) send(req *http.Request) error {
	resp, err := h.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which has the record in it
		}
		return h.failed(err)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxOutput)) // so that the connection is used again
	err = errors.Join(err, resp.Body.Close())
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return h.failed(&HTTPStatusError{resp.Status, resp.StatusCode, firstOf(strings.TrimSpace(string(answer)), 200)})
	}
	if err != nil {
		return h.failed(fmt.Errorf("read answer: %w", err))
	}
	return nil
}

// failed says what was done when err happened, without secrets.
func (h *HTTP) failed(err error) error {
	return fmt.Errorf("%s %s: %w", h.o.Method, bare(h.url), handshake.Explain(err))
}

// permanent reports whether all errors are such that trying again is of no use.
func permanent(errs []error) bool {
	for _, err := range errs {
		if e, ok := errors.AsType[*HTTPStatusError](err); !ok || !e.Permanent() {
			return false
		}
	}
	return true
}

// maxKeys bounds the requests that are remembered.
const maxKeys = 1000

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
	return h.newRequest(ctx, u.String(), body, contentType)
}

func (h *HTTP) newRequest(ctx context.Context, address string, body []byte, contentType string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, h.o.Method, address, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("make request") // never, since the URL was parsed
	}
	req.Header.Set("User-Agent", "logbook-tray")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	switch {
	case h.o.Token != "":
		req.Header.Set("Authorization", "Bearer "+h.o.Token)
	case h.o.Username != "" || h.o.Password != "":
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
