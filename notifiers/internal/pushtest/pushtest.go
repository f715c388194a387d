// Package pushtest holds what is the same in the tests of all notifiers that make HTTP
// requests: what fails for a time is repeated until a stated age, what is refused is not,
// no error tells a secret, texts are cut at the limits of the service between two
// letters, and nothing in a record becomes more than text.
package pushtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// Kind is a notifier to be tested.
type Kind struct {
	// New makes one that sends to a server with client.
	New func(server string, client *http.Client) (notifiers.Notifier, error)
	// Secrets are what New gave it that must never be told.
	Secrets []string
	// Limits are how long the texts of a request may be; each must be reached by a long
	// notification.
	Limits []Limit
	// Raw are the names of texts, or beginnings of them, that hold records for a
	// program to read: with all their characters.
	Raw []string
}

// Notification is what the tests send.
func Notification() notifiers.Notification {
	return notifiers.Notification{ID: 42, Title: "shop: Error", Body: "payment declined", Level: core.LevelError, Count: 1}
}

const server = "http://push.example"

// Check runs all tests for a kind.
func Check(t *testing.T, k Kind) {
	t.Helper()
	t.Run("WhatFailsForATimeIsRepeated", k.repeats)
	t.Run("ADateInRetryAfterIsHonoured", k.waitsForADate)
	t.Run("AServiceThatHangsIsAskedAgain", k.hangs)
	t.Run("ACallEndsWithItsContext", k.ends)
	t.Run("AServiceThatStaysDownIsGivenUpAtTheStatedAge", k.agesOut)
	t.Run("WhatIsRefusedIsNotRepeated", k.isRefused)
	t.Run("AServiceThatIsDownIsGivenUpInTime", k.givesUp)
	t.Run("ABrokenConnectionTellsNoSecret", k.breaks)
	t.Run("ABadCertificateIsAnError", k.distrusts)
	t.Run("NothingInARecordIsMoreThanText", k.injection)
	t.Run("TextsAreCutAtTheDocumentedLimits", k.limits)
}

// transport answers requests without a network, so that a test may have a clock of its
// own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (k Kind) notify(ctx context.Context, t *testing.T, address string, rt http.RoundTripper) error {
	t.Helper()
	n, err := k.New(address, &http.Client{Transport: rt})
	if err != nil {
		t.Fatalf("make the notifier: %v", err)
	}
	return n.Notify(ctx, Notification())
}

// echo answers with everything that the request held, as some services do.
func echo(r *http.Request, status int, header http.Header) *http.Response {
	body, _ := io.ReadAll(r.Body)
	text := fmt.Sprint(r.URL, " ", r.URL.Path, " ", r.Header, " ", string(body))
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Header: header,
		Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}
}

// isSafe checks that an error tells no secret, not even a piece of one.
func (k Kind) isSafe(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	if len(k.Secrets) == 0 {
		t.Error("no secret to look for is given")
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, s := range k.Secrets {
			if len(s) < 12 {
				t.Errorf("secret %q is too short for the test", s)
			} else if text := fmt.Sprintf("%v %+v %#v", e, e, e.Error()); strings.Contains(text, s[:8]) || strings.Contains(text, s[len(s)-8:]) {
				t.Errorf("the secret %q is told: %s", s, text)
			}
		}
	}
}

func (k Kind) repeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, tries := time.Now(), 0
		err := k.notify(t.Context(), t, server, transport(func(r *http.Request) (*http.Response, error) {
			tries++
			switch tries {
			case 1:
				return echo(r, http.StatusServiceUnavailable, nil), nil
			case 2:
				return nil, io.ErrUnexpectedEOF // a connection that was reset
			case 3:
				return echo(r, http.StatusTooManyRequests, http.Header{"Retry-After": {"77"}}), nil
			}
			return echo(r, http.StatusOK, nil), nil
		}))
		if waited := time.Since(start); err != nil || tries != 4 || waited < 78*time.Second || waited > 82*time.Second {
			t.Errorf("%d requests in %v: %v", tries, waited, err)
		}
	})
}

func (k Kind) waitsForADate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, tries := time.Now(), 0
		err := k.notify(t.Context(), t, server, transport(func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				at := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
				return echo(r, http.StatusTooManyRequests, http.Header{"Retry-After": {at}}), nil
			}
			return echo(r, http.StatusOK, nil), nil
		}))
		if waited := time.Since(start); err != nil || tries != 2 || waited < 89*time.Second || waited > 91*time.Second {
			t.Errorf("%d requests in %v: %v", tries, waited, err)
		}
	})
}

func (k Kind) hangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, tries := time.Now(), 0
		err := k.notify(t.Context(), t, server, transport(func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return echo(r, http.StatusOK, nil), nil
		}))
		if waited := time.Since(start); err != nil || tries != 2 || waited < 20*time.Second || waited > 22*time.Second {
			t.Errorf("%d requests in %v: %v", tries, waited, err)
		}
	})
}

func (k Kind) ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := k.notify(ctx, t, server, transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, fmt.Errorf("wait for %s: %w", r.URL, r.Context().Err())
		}))
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("it returned after %v", waited)
		}
		k.isSafe(t, err)
	})
}

func (k Kind) agesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, at := time.Now(), []time.Duration{}
		err := k.notify(t.Context(), t, server, transport(func(r *http.Request) (*http.Response, error) {
			at = append(at, time.Since(start))
			return echo(r, http.StatusServiceUnavailable, nil), nil
		}))
		if age := time.Since(start); age > post.MaxAge || age < post.MaxAge-2*time.Minute || len(at) > 40 {
			t.Errorf("given up after %v and %d requests", age, len(at))
		}
		if len(at) > 4 && at[4]-at[3] == 8*(at[1]-at[0]) {
			t.Errorf("the delays are not jittered: %v", at)
		}
		k.isSafe(t, err)
	})
}

func (k Kind) isRefused(t *testing.T) {
	for _, status := range []int{http.StatusFound, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
		tries := 0
		err := k.notify(t.Context(), t, server, transport(func(r *http.Request) (*http.Response, error) {
			tries++
			return echo(r, status, http.Header{"Location": {"http://elsewhere.example/"}}), nil
		}))
		if tries != 1 || !errors.Is(err, post.ErrRefused) {
			t.Errorf("status %d: %d requests: %v", status, tries, err)
		}
		k.isSafe(t, err)
	}
}

func (k Kind) givesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, tries := time.Now(), 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := k.notify(ctx, t, server, transport(func(r *http.Request) (*http.Response, error) {
			tries++
			return echo(r, http.StatusBadGateway, nil), nil
		}))
		if waited := time.Since(start); tries < 3 || waited > time.Minute || errors.Is(err, post.ErrRefused) {
			t.Errorf("%d requests in %v: %v", tries, waited, err)
		}
		k.isSafe(t, err)
	})
}

func (k Kind) breaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		k.isSafe(t, k.notify(ctx, t, server, transport(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxy: cannot reach %s with %v", r.URL, r.Header)
		})))
	})
}

func (k Kind) distrusts(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	network := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	err := k.notify(ctx, t, s.URL, transport(func(r *http.Request) (*http.Response, error) {
		defer cancel() // once is enough
		return network.RoundTrip(r)
	}))
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error: %v", err)
	}
	k.isSafe(t, err)
}
