package socket_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue/socket"
)

func TestOnlyPeersWithTheTokenAreHeard(t *testing.T) {
	r, s := server(t, socket.Options{Token: "open sesame"})
	for _, lines := range []bool{true, false} {
		sender, err := socket.NewSender(socket.SenderOptions{Address: r.Addr().String(), Lines: lines, Token: "open sesame"})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := sender.Send(t.Context(), []byte(`{"level": "error", "message": "hello"}`)); err != nil {
				t.Fatal(err)
			}
			if got := next(t, s).Message(); got != "hello" {
				t.Error(got)
			}
		}
		if err := sender.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, first := range []string{
		"hello\n", "!!logbook-tray!!token=\n", "!!logbook-tray!!token=open sesam\n", framed("!!logbook-tray!!token=open sesamE"),
		framed("x"), strings.Repeat("x", 10_000), "\x00\x00\xff\xff",
	} {
		c := dial(t, r)
		write(t, c, first)
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%.40q is not sent away: %v", first, err)
		}
	}
	await(t, "what the server says", func() bool { return s.Status().Err != nil })
	if err := s.Status().Err; !strings.HasSuffix(err.Error(), ": the peer has not sent the token") || strings.Contains(err.Error(), "sesam") {
		t.Error(err)
	}
	if n := s.Stats(); n.Received != 4 {
		t.Errorf("%+v", n)
	}
}

func TestAPeerThatSendsItsTokenBitByBitIsNotWaitedFor(t *testing.T) {
	r, s := server(t, socket.Options{Token: "open sesame", FirstTimeout: 300 * time.Millisecond})
	slow := dial(t, r)
	write(t, slow, "!!logbook-tray!!tok")
	if err := slow.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it is waited for: %v", err)
	}
	// Who has said it may be silent for longer than that.
	c := dial(t, r)
	write(t, c, "!!logbook-tray!!token=open sesame\n")
	quiet := dial(t, r)
	if err := quiet.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = quiet.Read(make([]byte, 1)) // the time is over for a later one
	write(t, c, "hello\n")
	if got := next(t, s).Message(); got != "hello" {
		t.Error(got)
	}
}
