package mail_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/handler/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ExampleHandler() {
	h, err := mail.New(mail.Options{
		From: "shop@example.com", To: []string{"ops@example.com"},
		Servers: []string{"mail.example.com"}, Username: "shop", Password: os.Getenv("MAIL_PASSWORD"),
		Subject:     "{record.level_name} in the shop: {record.message}",
		RecordLimit: 1, RecordDelta: time.Hour,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// One mail for an error and the records that led up to it.
	crossed := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: h, BufferSize: 10, Reset: true})
	defer func() { _ = crossed.Close() }()
	remove := core.Install(core.Binding{Handler: crossed, Bubble: true})
	defer func() { _ = remove() }()
	// Output:
}

func rec(level core.Level, msg string) *core.Record {
	r := &core.Record{
		Channel: "shop", Level: level, Msg: msg,
		Time: time.Date(2026, 11, 20, 21, 3, 41, 0, time.UTC),
		Site: core.Site{File: "/srv/shop.py", Line: 12, Function: "pay", Module: "shop"},
	}
	r.Message()
	return core.NewReceived(r, core.Source{Name: "test"}, r.Time)
}

func started(t *testing.T, s *smtpServer) *smtpServer {
	t.Helper()
	s.start(t)
	return s
}

func newHandler(t *testing.T, s *smtpServer, change func(*mail.Options)) *mail.Handler {
	t.Helper()
	o := mail.Options{From: "Shop <shop@example.com>", To: []string{"ops@example.com"}, Servers: []string{s.address}, Timeout: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	h, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestMailHandler(t *testing.T) {
	s := started(t, new(smtpServer))
	h := newHandler(t, s, func(o *mail.Options) { o.Subject = "øñicode" })
	log := core.NewLogger("testlogger")
	_ = core.Do(t.Context(), core.Binding{Handler: h, Level: core.LevelError}, func(ctx context.Context) error {
		log.WarnContext(ctx, "This is not mailed")
		log.ExceptionContext(ctx, errors.New("division by zero"), "Viva la Espa\u00f1a")
		return nil
	})
	m := s.one(t)
	if m.subject != "øñicode" || !strings.HasPrefix(m.header.Get("Subject"), "=?") {
		t.Errorf("subject %q, as sent %q", m.subject, m.header.Get("Subject"))
	}
	for _, want := range []string{
		"Message type:       ERROR\n", "Location:           ", "mail_test.go:", "Module:             ",
		"Function:           TestMailHandler", "Message:\n\nViva la España\n", "errorString: division by zero",
	} {
		if !strings.Contains(m.body, want) {
			t.Errorf("no %q in\n%s", want, m.body)
		}
	}
	// Seed bug 36 in part: there was no To.
	for name, want := range map[string]string{
		"From": `"Shop" <shop@example.com>`, "To": "<ops@example.com>", "Auto-Submitted": "auto-generated",
		"Content-Type": "text/plain; charset=UTF-8",
	} {
		if got := m.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if m.header.Get("Date") == "" || m.header.Get("Message-Id") == "" {
		t.Errorf("header %v", m.header)
	}
	if !strings.HasPrefix(m.from, "FROM:<shop@example.com>") || strings.Join(m.to, " ") != "TO:<ops@example.com>" {
		t.Errorf("envelope %q %q", m.from, m.to)
	}
}

func TestMailHandlerBatching(t *testing.T) {
	s := started(t, new(smtpServer))
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: newHandler(t, s, nil), Reset: true})
	for _, r := range []*core.Record{
		rec(core.LevelWarning, "Testing"), rec(core.LevelDebug, "Even more"), rec(core.LevelError, "And this triggers it"),
		rec(core.LevelInfo, "Ending with"), rec(core.LevelError, "second trigger"),
	} {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	mails := s.all()
	if len(mails) != 2 {
		t.Fatalf("%d mails, want 2", len(mails))
	}
	first := parse(t, mails[0])
	body, rest, found := strings.Cut(first.body, "\n\n\nLog records that led up to this one:\n\n")
	if !found || !strings.Contains(body, "Message:\n\nAnd this triggers it") {
		t.Errorf("first mail\n%s", first.body)
	}
	related := strings.Split(strings.TrimSpace(rest), "\n\n")
	if len(related) != 2 || !strings.Contains(related[0], "WARNING") || !strings.Contains(related[0], "Testing") ||
		!strings.Contains(related[1], "DEBUG") || !strings.Contains(related[1], "Even more") {
		t.Errorf("related %q", related)
	}
	second := parse(t, mails[1])
	if !strings.Contains(second.body, "second trigger") || !strings.Contains(second.body, "Ending with") || strings.Contains(second.body, "Even more") {
		t.Errorf("second mail\n%s", second.body)
	}
}

func TestGroupHandlerMailCombo(t *testing.T) {
	s := started(t, new(smtpServer))
	g := handler.NewGroup(handler.GroupOptions{Handler: newHandler(t, s, nil)})
	log := core.NewLogger("testlogger")
	err := core.Do(t.Context(), core.Binding{Handler: g, Level: core.LevelDebug}, func(ctx context.Context) error {
		log.ErrorContext(ctx, "The other way round")
		log.WarnContext(ctx, "Testing")
		log.DebugContext(ctx, "Even more")
		if n := len(s.all()); n != 0 {
			t.Errorf("%d mails before the end", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	body, rest, found := strings.Cut(s.one(t).body, "\n\n\nOther log records in the same group:\n\n")
	related := strings.Split(strings.TrimSpace(rest), "\n\n")
	if !found || !strings.Contains(body, "The other way round") || len(related) != 2 || !strings.Contains(related[1], "Even more") {
		t.Errorf("mail\n%s", s.one(t).body)
	}
}

// Seed bug 34: a batch with the reason "buffer" recursed for ever.
func TestMailOfABuffer(t *testing.T) {
	for digest, want := range map[bool]int{false: 3, true: 1} {
		s := started(t, new(smtpServer))
		m := handler.NewMemory(handler.MemoryOptions{Capacity: 3, Target: newHandler(t, s, func(o *mail.Options) { o.Digest = digest })})
		for i := range 3 {
			if err := m.Handle(t.Context(), rec(core.LevelInfo, fmt.Sprint("record ", i))); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(s.all()); n != want {
			t.Errorf("digest %v: %d mails, want %d", digest, n, want)
		}
		if digest && !strings.Contains(s.one(t).body, "Further log records:\n\n") {
			t.Errorf("mail\n%s", s.one(t).body)
		}
	}
}

// TestHandlerProcessors: what a processor adds can be used in the format.
func TestHandlerProcessors(t *testing.T) {
	s := started(t, new(smtpServer))
	h := newHandler(t, s, func(o *mail.Options) {
		o.Format = "Subject: Application Error for {record.extra[path]} [{record.extra[method]}]\nX-Channel:\n {record.channel}\n\nMessage: {record.message}\n"
	})
	_ = core.Do(t.Context(), core.Setups{
		core.Binding{Handler: h},
		core.Processor(func(r *core.Record) { r.Extra.Set("path", "/index"); r.Extra.Set("method", "GET") }),
	}, func(ctx context.Context) error {
		core.NewLogger("shop").ErrorContext(ctx, "boom")
		return nil
	})
	m := s.one(t)
	if m.subject != "Application Error for /index [GET]" || m.header.Get("X-Channel") != "shop" || strings.TrimSpace(m.body) != "Message: boom" {
		t.Errorf("%q %q %q", m.subject, m.header.Get("X-Channel"), m.body)
	}
}

// Seed bug 36: a newline in a value added headers, or broke the mail.
func TestMailHeadersCannotBeInjected(t *testing.T) {
	for _, evil := range []string{"x\r\nBcc: victim@example.com\r\n\r\nbody", "x\nBcc: victim@example.com", "x\rBcc: y", "\u2028Bcc: y", "no colon\n\n", "\x00"} {
		s := started(t, new(smtpServer))
		h := newHandler(t, s, func(o *mail.Options) { o.Format = "Subject: {record.message}\nX-Extra: {record.extra[x]}\n\ntext" })
		r := rec(core.LevelError, evil)
		r.Extra = core.Extra("x", evil)
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		m := s.one(t)
		if m.header.Get("Bcc") != "" || strings.TrimSpace(m.body) != "text" || len(m.to) != 1 || strings.ContainsAny(m.subject, "\r\n\x00\u2028") {
			t.Errorf("%q: header %v, body %q", evil, m.header, m.body)
		}
	}
}

func TestMailIsBounded(t *testing.T) {
	s := started(t, new(smtpServer))
	h := newHandler(t, s, func(o *mail.Options) { o.Subject = "{record.message}" })
	batch := make([]*core.Record, 40)
	for i := range batch {
		batch[i] = rec(core.LevelError, strings.Repeat("ö", 20_000))
	}
	if err := h.HandleBatch(t.Context(), batch, core.BatchGroup); err != nil {
		t.Fatal(err)
	}
	m := s.one(t)
	if len(m.body) > 1<<20+100 || !strings.Contains(m.body[len(m.body)-40:], "\n... and ") || len(m.subject) > 310 {
		t.Errorf("body of %d bytes ends %q, subject of %d bytes", len(m.body), m.body[max(0, len(m.body)-40):], len(m.subject))
	}
}

// TestMailHandlerRecordLimits is a test that upstream had and lost; seed bugs 18, 19
// and 20 are in what it tests.
func TestMailHandlerRecordLimits(t *testing.T) {
	s := started(t, new(smtpServer))
	h := newHandler(t, s, func(o *mail.Options) { o.RecordLimit = 1; o.RecordDelta = 50 * time.Millisecond })
	send := func() {
		if err := h.Handle(t.Context(), rec(core.LevelError, "Something bad happened")); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		send()
	}
	if n := len(s.all()); n != 1 {
		t.Fatalf("%d mails within the time, want 1", n)
	}
	timer := time.NewTimer(60 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	send()
	mails := s.all()
	if len(mails) != 2 {
		t.Fatalf("%d mails, want 2", len(mails))
	}
	const text = "This message occurred additional 3 time(s) and was suppressed"
	if strings.Contains(parse(t, mails[0]).body, "suppressed") || !strings.Contains(parse(t, mails[1]).body, text) {
		t.Errorf("second mail\n%s", parse(t, mails[1]).body)
	}
}

func TestAMailThatCouldNotBeSentDoesNotCountForTheLimit(t *testing.T) {
	s := started(t, new(smtpServer))
	h := newHandler(t, s, func(o *mail.Options) { o.RecordLimit = 1; o.RecordDelta = time.Hour })
	failing, cancel := context.WithCancel(t.Context())
	cancel()
	r := rec(core.LevelError, "Something bad happened")
	if err := h.Handle(failing, r); err == nil {
		t.Fatal("sent although cancelled")
	}
	for range 2 {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if m := s.one(t); strings.Contains(m.body, "suppressed") {
		t.Errorf("mail\n%s", m.body)
	}
}

func TestMailRecipientsHook(t *testing.T) {
	s := started(t, new(smtpServer))
	h := newHandler(t, s, func(o *mail.Options) {
		o.To = nil
		o.Recipients = func(r *core.Record) []string {
			switch r.Message() {
			case "nobody":
				return nil
			case "wrong":
				return []string{"a\nb"}
			}
			return []string{"a@example.com", "B <b@example.com>"}
		}
	})
	if err := errors.Join(h.Handle(t.Context(), rec(core.LevelError, "nobody")), h.Handle(t.Context(), rec(core.LevelError, "x"))); err != nil {
		t.Fatal(err)
	}
	if m := s.one(t); strings.Join(m.to, " ") != "TO:<a@example.com> TO:<b@example.com>" {
		t.Errorf("to %q", m.to)
	}
	if err := h.Handle(t.Context(), rec(core.LevelError, "wrong")); err == nil || !strings.HasPrefix(err.Error(), `mail: recipient "a\nb" is not an address: `) {
		t.Errorf("error %v", err)
	}
}

// TestMailHandlerArguments: how each kind of security connects. Seed bug 35:
// without credentials there was no STARTTLS, and port 465 was spoken to in the clear.
func TestMailHandlerArguments(t *testing.T) {
	server, client, _, _ := certificate(t)
	for _, tt := range []struct {
		name    string
		server  *smtpServer
		change  func(*mail.Options)
		failure string // empty if the mail goes through
		secure  bool
	}{
		{"plain", &smtpServer{}, func(*mail.Options) {}, "", false},
		{"starttls without credentials", &smtpServer{tls: server, starttls: true}, func(o *mail.Options) { o.Security = mail.SecuritySTARTTLS }, "", true},
		{"starttls that is not there", &smtpServer{}, func(o *mail.Options) { o.Security = mail.SecuritySTARTTLS }, "STARTTLS", false},
		{"credentials mean starttls", &smtpServer{tls: server, starttls: true, login: "me secret"}, func(o *mail.Options) { o.Username, o.Password = "me", "secret" }, "", true},
		{"wrong password", &smtpServer{tls: server, starttls: true, login: "me secret"}, func(o *mail.Options) { o.Username, o.Password = "me", "guess" }, "AUTH failed", true},
		{"no password in the clear", &smtpServer{login: "me secret"}, func(o *mail.Options) { o.Username, o.Password, o.Security = "me", "secret", mail.SecurityNone }, "", false},
		{"tls", &smtpServer{tls: server, implicit: true}, func(o *mail.Options) { o.Security = mail.SecurityTLS }, "", true},
		{"tls with credentials", &smtpServer{tls: server, implicit: true, login: "me secret"}, func(o *mail.Options) { o.Security, o.Username, o.Password = mail.SecurityTLS, "me", "secret" }, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := started(t, tt.server)
			h := newHandler(t, s, func(o *mail.Options) { o.TLS = client; tt.change(o) })
			err := h.Handle(t.Context(), rec(core.LevelError, "x"))
			if tt.name == "no password in the clear" {
				if err == nil || len(s.all()) != 0 {
					t.Fatalf("a password was sent in the clear: %v", s.all())
				}
				return
			}
			if tt.failure != "" {
				if err == nil || !strings.Contains(err.Error(), tt.failure) || strings.Contains(err.Error(), "guess") || !strings.HasPrefix(err.Error(), "send mail through "+s.address+": ") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m := s.one(t); m.encrypted != tt.secure || m.user != tt.server.login {
				t.Errorf("encrypted %v as %q", m.encrypted, m.user)
			}
		})
	}
}

func TestMailToAServerThatNobodyVouchesFor(t *testing.T) {
	server, _, _, _ := certificate(t)
	s := started(t, &smtpServer{tls: server, starttls: true})
	err := newHandler(t, s, func(o *mail.Options) {
		o.Security = mail.SecuritySTARTTLS
		o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	}).Handle(t.Context(), rec(core.LevelError, "x"))
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok || len(s.all()) != 0 {
		t.Errorf("error %v", err)
	}
}

func TestMailTriesServersInOrder(t *testing.T) {
	good, refuses := started(t, new(smtpServer)), started(t, &smtpServer{reject: true})
	h := newHandler(t, good, func(o *mail.Options) { o.Servers = []string{"127.0.0.1:1", refuses.address, good.address} })
	if err := h.Handle(t.Context(), rec(core.LevelError, "x")); err != nil {
		t.Fatal(err)
	}
	good.one(t)
	h = newHandler(t, good, func(o *mail.Options) { o.Servers = []string{"127.0.0.1:1", refuses.address} })
	err := h.Handle(t.Context(), rec(core.LevelError, "x"))
	if err == nil || !strings.Contains(err.Error(), "send mail through 127.0.0.1:1: ") || !strings.Contains(err.Error(), `550 "no such user"`) {
		t.Errorf("error %v", err)
	}
}

func TestMailGivesUp(t *testing.T) {
	s := started(t, &smtpServer{silent: true})
	err := newHandler(t, s, func(o *mail.Options) { o.Timeout = 50 * time.Millisecond }).Handle(t.Context(), rec(core.LevelError, "x"))
	if err == nil || !strings.Contains(err.Error(), s.address) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newHandler(t, s, nil).Handle(ctx, rec(core.LevelError, "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestMailOptionsThatAreWrong(t *testing.T) {
	ok := mail.Options{From: "a@b", To: []string{"c@d"}}
	for want, change := range map[string]func(*mail.Options){
		`mail: sender "nobody" is not an address: `:                                   func(o *mail.Options) { o.From = "nobody" },
		`mail: recipient "" is not an address: `:                                      func(o *mail.Options) { o.To = []string{""} },
		`mail: no recipients`:                                                         func(o *mail.Options) { o.To = nil },
		`mail: security "ssl": want none, starttls or tls`:                            func(o *mail.Options) { o.Security = "ssl" },
		`mail: server "x:smtp": the port is not one`:                                  func(o *mail.Options) { o.Servers = []string{"x:smtp"} },
		`mail: server ":25" has no host`:                                              func(o *mail.Options) { o.Servers = []string{":25"} },
		`mail: format: the header To is set by the handler`:                           func(o *mail.Options) { o.Format = "to: x\n\n" },
		`mail: format: the header Content-Type is set by the handler`:                 func(o *mail.Options) { o.Format = "Content-type: x\n\n" },
		`mail: format: "Hello there" is not a header; headers end with an empty line`: func(o *mail.Options) { o.Format = "Hello there" },
		`mail: format: header Subject: `:                                              func(o *mail.Options) { o.Subject = "{record.message" },
		`mail: related format: `:                                                      func(o *mail.Options) { o.RelatedFormat = "{record." },
	} {
		o := ok
		change(&o)
		if _, err := mail.New(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}
