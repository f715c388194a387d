// Package post makes HTTP requests for notifiers: it repeats what may pass, honours
// Retry-After, follows no redirects, and tells no secrets.
package post

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

const (
	firstDelay  = time.Second
	maxDelay    = time.Minute
	attemptTime = 20 * time.Second
	maxAnswer   = 256 << 10
)

// MaxAge is how old a request gets before it is given up.
const MaxAge = 15 * time.Minute

// ErrRefused is wrapped by the errors of requests that the server will not accept
// however often they are made.
var ErrRefused = errors.New("refused")

// Client makes requests and repeats them. It is safe for concurrent use.
type Client struct {
	service string // named in errors
	client  *http.Client
	secrets []string // never told
	// Pause waits between two attempts. It is for tests.
	Pause func(ctx context.Context, d time.Duration) error
}

// New returns a client for a service, which errors name. client makes the requests;
// nil means one of its own. secrets are taken out of errors, also as they are
// written in URLs.
func New(service string, client *http.Client, secrets ...string) *Client {
	c := http.Client{}
	if client != nil {
		c = *client
	}
	// A redirect could carry the token, and turn the request into a GET.
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{service: service, client: &c, secrets: spellings(secrets), Pause: pause}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Request is what [Client.Do] sends, once or several times.
type Request struct {
	Method  string // "" means POST
	Address string
	Header  http.Header
	Body    []byte
	// Authorize, if not nil, makes the Authorization header of each attempt.
	Authorize func() string
}

// Answer is what the server said last.
type Answer struct {
	Status   int    // 0 if there was no answer
	Body     []byte // at most 256 KiB of it
	Attempts int
}

// Post sends body with [Client.Do].
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) error {
	_, err := c.Do(ctx, Request{Address: address, Header: header, Body: body})
	return err
}

// Do makes a request until the server takes it, refuses it, MaxAge is over, or ctx
// ends. The header must have a Content-Type. Errors wrap [ErrRefused] if the server
// does not want the request.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	c = c.with(r.Header.Get("Authorization"))
	delay, start := firstDelay, time.Now()
	var before error
	for attempts := 1; ; attempts++ {
		answer, wait, err := c.attempt(ctx, r)
		answer.Attempts = attempts
		if err != nil && before != nil && ctx.Err() != nil {
			err = before // says more than that the time is up
		}
		before = err
		if err == nil || errors.Is(err, ErrRefused) {
			return answer, c.safe(err)
		}
		if wait == 0 {
			wait = delay/2 + rand.N(delay) //nolint:gosec // spreads requests, protects nothing
			delay = min(2*delay, maxDelay)
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait || time.Since(start)+wait > MaxAge {
			return answer, c.safe(err)
		}
		notifiers.Retrying(ctx, c.safe(err), time.Now().Add(wait))
		if c.Pause(ctx, wait) != nil {
			return answer, c.safe(err)
		}
	}
}

// attempt makes one request. wait is how long the server asks to wait; 0 if it
// does not say.
func (c *Client) attempt(ctx context.Context, of Request) (got Answer, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, cmp.Or(of.Method, http.MethodPost), of.Address, bytes.NewReader(of.Body))
	if err != nil {
		return got, 0, fmt.Errorf("%w: make a request: %w", ErrRefused, withoutURL(err))
	}
	r.Header = of.Header.Clone()
	r.Header.Set("User-Agent", "logbook-tray")
	if of.Authorize != nil {
		r.Header.Set("Authorization", of.Authorize())
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return got, 0, withoutURL(err)
	}
	defer func() { _ = answer.Body.Close() }()                       // only read from
	got.Body, _ = io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // that it was taken is known already
	got.Status = answer.StatusCode
	if got.Status < 300 {
		return got, 0, nil
	}
	err = fmt.Errorf("the server answers %s", answer.Status)
	// A secret that the line is cut in the middle of would not be found later.
	if line := display.Line(c.redact(string(got.Body)), 200); line != "" {
		err = fmt.Errorf("%w: %s", err, line)
	}
	if passes(got.Status) {
		return got, waitFor(answer.Header, got.Body), err
	}
	return got, 0, fmt.Errorf("%w: %w", ErrRefused, err)
}

// passes reports whether a request with this answer may succeed later.
func passes(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}
