package handler_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleHTTP() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path, r.FormValue("channel"), r.FormValue("message"))
	}))
	defer server.Close()
	h, _ := handler.NewHTTP(handler.HTTPOptions{URL: server.URL + "/log", Method: "POST"})
	defer func() { _ = h.Close() }()
	_ = h.Handle(context.Background(), &core.Record{Channel: "shop", Msg: "sold out"})
	// Output: POST /log shop sold out
}

// collector keeps the last request.
type collector struct {
	method, query, body, contentType, user, password string
	status                                           int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.method, c.query, c.body, c.contentType = r.Method, r.URL.RawQuery, string(body), r.Header.Get("Content-Type")
	c.user, c.password, _ = r.BasicAuth()
	w.WriteHeader(c.status)
	_, _ = io.WriteString(w, "the answer")
}

func httpHandler(t *testing.T, o handler.HTTPOptions) *handler.HTTP {
	t.Helper()
	h, err := handler.NewHTTP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func TestHTTPGetAndPost(t *testing.T) {
	c := &collector{status: http.StatusNoContent}
	server := httptest.NewServer(c)
	defer server.Close()
	r := failed("größer & kleiner")
	r.Extra = core.Extra("order", 4711)

	handle(t, httpHandler(t, handler.HTTPOptions{URL: server.URL + "/log?key=k"}), r)
	q, err := url.ParseQuery(c.query)
	if err != nil || c.method != "GET" || q.Get("key") != "k" || q.Get("message") != "größer & kleiner" || q.Get("extra") != `{"order":4711}` {
		t.Errorf("%s %s: %v", c.method, c.query, err)
	}
	if q.Get("time") != "2026-11-20T21:03:41.769068Z" || q.Get("level") != "14" || q.Has("exception_name") {
		t.Errorf("query %v", q)
	}

	handle(t, httpHandler(t, handler.HTTPOptions{URL: server.URL, Method: "post", Username: "me", Password: "secret"}), r)
	q, err = url.ParseQuery(c.body)
	if err != nil || c.method != "POST" || c.contentType != "application/x-www-form-urlencoded" || q.Get("channel") != "shop.pay" {
		t.Errorf("%s %s %s: %v", c.method, c.contentType, c.body, err)
	}
	if c.user != "me" || c.password != "secret" {
		t.Errorf("credentials %q %q", c.user, c.password)
	}
}

func TestHTTPMapLogRecordAndFormatter(t *testing.T) {
	c := &collector{status: http.StatusOK}
	server := httptest.NewServer(c)
	defer server.Close()
	handle(t, httpHandler(t, handler.HTTPOptions{URL: server.URL, MapLogRecord: func(r *core.Record) url.Values {
		return url.Values{"m": {r.Message()}}
	}}), failed("x"))
	if c.query != "m=x" {
		t.Errorf("query %s", c.query)
	}
	handle(t, httpHandler(t, handler.HTTPOptions{URL: server.URL, Formatter: format.Func(func(dst []byte, r *core.Record) ([]byte, error) {
		return append(dst, `{"text":"x"}`...), nil
	})}), failed("x"))
	if c.method != "POST" || c.contentType != "application/json" || c.body != `{"text":"x"}` {
		t.Errorf("%s %s %s", c.method, c.contentType, c.body)
	}
}

func TestHTTPErrorsTellNoSecret(t *testing.T) {
	c := &collector{status: http.StatusForbidden}
	server := httptest.NewServer(c)
	address := server.URL
	h := httpHandler(t, handler.HTTPOptions{URL: address + "/log?token=s3cret", Username: "u", Password: "s3cret"})
	err := h.Handle(t.Context(), failed("s3cret message"))
	if err == nil || err.Error() != "GET "+address+"/log: 403 Forbidden: the answer" {
		t.Errorf("error %v", err)
	}
	c.status = http.StatusFound
	if err := h.Handle(t.Context(), failed("x")); err == nil || !strings.Contains(err.Error(), "302 Found") {
		t.Errorf("a redirect: %v", err)
	}
	server.Close()
	if err := h.Handle(t.Context(), failed("x")); err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody there: %v", err)
	}
	for _, bad := range []handler.HTTPOptions{{URL: "ftp://u:s3cret@x/?s3cret"}, {URL: "http://%s3cret"}, {URL: "http://x?s3cret", Method: "PUT"}} {
		if _, err := handler.NewHTTP(bad); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestHTTPS(t *testing.T) {
	c := &collector{status: http.StatusOK}
	server := httptest.NewUnstartedServer(c)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the second client hangs up on purpose
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	handle(t, httpHandler(t, handler.HTTPOptions{URL: server.URL, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}), failed("x"))
	err := httpHandler(t, handler.HTTPOptions{URL: server.URL}).Handle(t.Context(), failed("x"))
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

func TestHTTPTimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	err := httpHandler(t, handler.HTTPOptions{URL: server.URL, Timeout: 50 * time.Millisecond}).Handle(t.Context(), failed("x"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// lines collects requests with several records, and answers as told.
type lines struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	answers  []int // the status of the next answers; 204 after them
}

func (l *lines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests, l.bodies = append(l.requests, r), append(l.bodies, string(body))
	status := http.StatusNoContent
	if len(l.answers) > 0 {
		status, l.answers = l.answers[0], l.answers[1:]
	}
	w.WriteHeader(status)
}

// text formats the message alone.
var text = format.Func(func(dst []byte, r *core.Record) ([]byte, error) { return append(dst, r.Message()...), nil })

func TestHTTPPutsTheRecordsOfABatchIntoOneRequest(t *testing.T) {
	var got lines
	server := httptest.NewServer(&got)
	defer server.Close()
	h := httpHandler(t, handler.HTTPOptions{URL: server.URL, Formatter: text, Lines: true, Token: "s3cret", Username: "not this"})
	batch := []*core.Record{failed("a"), failed("b")}
	if err := h.HandleBatch(t.Context(), batch, core.BatchBuffer); err != nil {
		t.Fatal(err)
	}
	handle(t, h, failed("c"))
	if want := []string{"a\nb\n", "c\n"}; !slices.Equal(got.bodies, want) {
		t.Errorf("%q", got.bodies)
	}
	r := got.requests[0]
	if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("Content-Type") != "application/x-ndjson" || r.Header.Get("Idempotency-Key") == "" {
		t.Errorf("%v", r.Header)
	}
	if r.Header.Get("Idempotency-Key") == got.requests[1].Header.Get("Idempotency-Key") {
		t.Error("two requests have one key")
	}

	big := failed(strings.Repeat("x", 3<<20))
	if err := h.HandleBatch(t.Context(), []*core.Record{failed("d"), big, big, failed("e")}, core.BatchBuffer); err != nil {
		t.Fatal(err)
	}
	if n := len(got.bodies); n != 4 || len(got.bodies[2]) != 3<<20+3 || len(got.bodies[3]) != 3<<20+3 {
		t.Errorf("%d requests", n)
	}
}

func TestHTTPSendsABatchAgainWithTheSameKeys(t *testing.T) {
	got := lines{answers: []int{204, 503, 204, 204, 204, 204}}
	server := httptest.NewServer(&got)
	defer server.Close()
	h := httpHandler(t, handler.HTTPOptions{URL: server.URL, Formatter: text, Lines: true})
	batch := []*core.Record{failed(strings.Repeat("x", 3<<20)), failed(strings.Repeat("y", 3<<20))}
	err := h.HandleBatch(t.Context(), batch, core.BatchBuffer)
	var e interface{ Permanent() bool }
	if !errors.As(err, &e) || e.Permanent() || !strings.Contains(err.Error(), "503 Service Unavailable") {
		t.Fatalf("%v", err)
	}
	for range 2 {
		if err := h.HandleBatch(t.Context(), batch, core.BatchBuffer); err != nil {
			t.Fatal(err)
		}
	}
	key := func(i int) string { return got.requests[i].Header.Get("Idempotency-Key") }
	if key(0) != key(2) || key(1) != key(3) || key(0) == key(1) {
		t.Error("the second attempt has other keys")
	}
	if key(4) == key(0) { // delivered in between: not an attempt any more
		t.Error("another batch has the same key")
	}
}

func TestHTTPSaysWhatIsOfNoUseToSendAgain(t *testing.T) {
	for status, want := range map[int]bool{400: true, 413: true, 422: true, 401: false, 404: false, 429: false, 500: false, 503: false} {
		got := lines{answers: []int{status}}
		server := httptest.NewServer(&got)
		h := httpHandler(t, handler.HTTPOptions{URL: server.URL, Formatter: text, Lines: true})
		var e interface{ Permanent() bool }
		if err := h.Handle(t.Context(), failed("x")); !errors.As(err, &e) || e.Permanent() != want {
			t.Errorf("%d: %v", status, err)
		}
		server.Close()
	}
	if _, err := handler.NewHTTP(handler.HTTPOptions{URL: "http://h", Lines: true}); err == nil || err.Error() != "http handler: lines need a formatter" {
		t.Error(err)
	}
}

func TestHTTPSDoesNotSendToAServerWhoseCertificateHasExpired(t *testing.T) {
	c := &collector{status: http.StatusOK}
	server := httptest.NewUnstartedServer(c)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // we hang up on purpose
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	late := func() time.Time { return server.Certificate().NotAfter.Add(time.Hour) }
	err := httpHandler(t, handler.HTTPOptions{URL: server.URL, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, Time: late}}).Handle(t.Context(), failed("x"))
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); !ok || e.Reason != x509.Expired || c.method != "" {
		t.Errorf("%v, %q", err, c.method)
	}
}
