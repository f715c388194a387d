// Package post makes HTTP POST requests for notifiers: it repeats what may pass, honours
// Retry-After, follows no redirects, and tells no secrets.
package post

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/display"
)

const (
	firstDelay  = time.Second
	maxDelay    = time.Minute
	attemptTime = 20 * time.Second
	maxAnswer   = 4 << 10
)

// maxRetryAfter bounds how long a server may make us wait.
const maxRetryAfter = 10 * time.Minute

// minSecret is the length from which on a secret is looked for in errors; what is
// shorter would be found in any text.
const minSecret = 4

// ErrRefused is wrapped by the errors of requests that the server will not accept
// however often they are made.
var ErrRefused = errors.New("refused")

// Client makes POST requests and repeats them. It is safe for concurrent use.
type Client struct {
	service string // named in errors
	client  *http.Client
	secrets []string // never told
	// Pause waits between two attempts. It is for tests.
	Pause func(ctx context.Context, d time.Duration) error
}

// New returns a client for a service, which errors name. client makes the requests;
// nil means one of its own. secrets are taken out of errors.
func New(service string, client *http.Client, secrets ...string) *Client {
	c := http.Client{}
	if client != nil {
		c = *client
	}
	// A redirect could carry the token, and turn the request into a GET.
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{service: service, client: &c, secrets: secrets, Pause: pause}
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

// BaseURL checks the address of a server and returns it without a slash at the end.
func BaseURL(service, address string) (string, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: address of the server: not a URL", service)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", fmt.Errorf("%s: address of the server: want http://HOST or https://HOST", service)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s: address of the server: no user, query or fragment may be in it", service)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// Post sends body until the server takes it, refuses it, or ctx ends. header must
// have a Content-Type. Errors wrap [ErrRefused] if the server does not want it.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) error {
	delay := firstDelay
	var before error
	for {
		wait, err := c.attempt(ctx, address, header, body)
		if err != nil && before != nil && ctx.Err() != nil {
			err = before // says more than that the time is up
		}
		before = err
		if err == nil || errors.Is(err, ErrRefused) {
			return c.safe(err)
		}
		if wait == 0 {
			wait = delay/2 + rand.N(delay) //nolint:gosec // spreads requests, protects nothing
			delay = min(2*delay, maxDelay)
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return c.safe(err)
		}
		if c.Pause(ctx, wait) != nil {
			return c.safe(err)
		}
	}
}

// attempt makes one request. wait is how long the server asks to wait; 0 if it
// does not say.
func (c *Client) attempt(ctx context.Context, address string, header http.Header, body []byte) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%w: make a request: %w", ErrRefused, withoutURL(err))
	}
	r.Header = header.Clone()
	r.Header.Set("User-Agent", "logbook-tray")
	answer, err := c.client.Do(r)
	if err != nil {
		return 0, withoutURL(err)
	}
	defer func() { _ = answer.Body.Close() }()                    // only read from
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // for the error only
	if answer.StatusCode < 300 {
		return 0, nil
	}
	err = fmt.Errorf("the server answers %s", answer.Status)
	if line := display.Line(string(text), 200); line != "" {
		err = fmt.Errorf("%w: %s", err, line)
	}
	if passes(answer.StatusCode) {
		return retryAfter(answer.Header.Get("Retry-After")), err
	}
	return 0, fmt.Errorf("%w: %w", ErrRefused, err)
}

// passes reports whether a request with this answer may succeed later.
func passes(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return min(max(time.Duration(n)*time.Second, 0), maxRetryAfter)
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(time.Until(at), 0), maxRetryAfter)
	}
	return 0
}

// withoutURL takes the address, which may hold a secret, out of an error.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// safe names the service in an error and takes secrets out of it.
func (c *Client) safe(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, s := range c.secrets {
		if len(s) >= minSecret && strings.Contains(text, s) {
			// The chain is cut, since it may hold the secret.
			return &secretError{c.service + ": " + strings.ReplaceAll(text, s, "…"), errors.Is(err, ErrRefused)}
		}
	}
	return fmt.Errorf("%s: %w", c.service, err)
}

// secretError is an error whose text held a secret.
type secretError struct {
	text    string
	refused bool
}

func (e *secretError) Error() string { return e.text }

func (e *secretError) Is(target error) bool { return e.refused && target == ErrRefused }
