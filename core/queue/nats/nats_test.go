package nats_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/nats"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those of a test, which waits for a server longer than for the next attempt.
func options(b *services.Broker) nats.Options {
	return nats.Options{URI: "nats://" + b.Addr(), ReconnectMax: 500 * time.Millisecond, Linger: services.Patience}
}

// kept are options with a stream.
func kept(b *services.Broker) nats.Options {
	o := options(b)
	o.Stream = "LOGS"
	return o
}

func subscriber(t *testing.T, o nats.Options) *queue.Subscriber {
	t.Helper()
	r, err := nats.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	s := queue.NewSubscriber(r, queue.Options{})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// receive returns a subscriber that is connected.
func receive(t *testing.T, o nats.Options) *queue.Subscriber {
	t.Helper()
	s := subscriber(t, o)
	await(t, "the connection", func() bool { return s.Status().State == queue.StateConnected }, s)
	return s
}

func sender(t *testing.T, o nats.Options) *nats.Sender {
	t.Helper()
	s, err := nats.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// patience bounds how long a test waits for something that should happen at once.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	t.Cleanup(cancel)
	return ctx
}

// await polls a condition; who is asked for its status when it does not become true.
func await(t *testing.T, what string, condition func() bool, who interface{ Status() queue.Status }) {
	t.Helper()
	ctx := patience(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s; %+v", what, who.Status())
		}
	}
}

func numbered(i int) []byte {
	return fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%d","extra":{},"heavy_initialized":true}`, i)
}

func send(t *testing.T, s *nats.Sender, body []byte) {
	t.Helper()
	if err := s.Send(patience(t), body); err != nil {
		t.Fatal(err)
	}
}

// sendAll sends numbers in the background; the test waits for its end.
func sendAll(t *testing.T, s *nats.Sender, from, until int) {
	t.Helper()
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.Background(), services.Patience)
	go func() {
		defer close(done)
		for i := from; i < until; i++ {
			if err := s.Send(ctx, numbered(i)); err != nil {
				t.Errorf("send %d: %v", i, err)
				return
			}
		}
	}()
	t.Cleanup(func() { <-done; cancel() })
}

func next(t *testing.T, s *queue.Subscriber) *core.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	defer cancel()
	r, err := s.Recv(ctx)
	if err != nil {
		t.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r
}

func marked(r *core.Record) bool { return r.Extra.Get(nats.Redelivered) == true }

func TestTwentyThousandArriveInOrder(t *testing.T) {
	const count = 20_000
	b := services.StartNATS(t)
	for name, o := range map[string]nats.Options{"published": options(b), "kept in a stream": kept(b)} {
		t.Run(name, func(t *testing.T) {
			from, to := receive(t, o), sender(t, o)
			sendAll(t, to, 0, count)
			for i := range count {
				if r := next(t, from); r.Message() != strconv.Itoa(i) || marked(r) {
					t.Fatalf("got %q %v, want %d", r.Message(), marked(r), i)
				}
			}
			await(t, "the confirmations", func() bool { return to.Sent() == count }, to)
			if st := from.Stats(); st.Dropped != 0 || st.Rejected != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestNothingIsLostWhenTheServerCrashes(t *testing.T) {
	const count = 20_000
	b := services.StartNATS(t)
	o := kept(b)
	o.AckWait = 2 * time.Second // what was on its way comes again then
	from, to := receive(t, o), sender(t, o)
	sendAll(t, to, 0, count)
	seen := make(map[string]bool, count)
	for received := 0; len(seen) < count; received++ {
		if received == count/2 {
			b.Kill()
			await(t, "the loss to be seen", func() bool { return from.Status().State == queue.StateLost }, from)
			b.Restart(t)
		}
		r := next(t, from)
		if seen[r.Message()] && !marked(r) {
			t.Fatalf("%s came twice, and is not marked", r.Message())
		}
		seen[r.Message()] = true
	}
	await(t, "the confirmations", func() bool { return to.Sent() == count }, to)
	if from.Status().State != queue.StateConnected || to.Status().State != queue.StateConnected {
		t.Errorf("%+v %+v", from.Status(), to.Status())
	}
}

func TestWhatCameInWhileItWasAwayIsReceivedLater(t *testing.T) {
	o := kept(services.StartNATS(t))
	first := receive(t, o)
	to := sender(t, o)
	send(t, to, numbered(0))
	if r := next(t, first); r.Message() != "0" {
		t.Error(r.Message())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, to, numbered(1))
	if r := next(t, receive(t, o)); r.Message() != "1" || marked(r) {
		t.Errorf("%q, marked %v", r.Message(), marked(r))
	}
}

func TestWhatIsNotAcknowledgedComesAgainAndIsMarked(t *testing.T) {
	o := kept(services.StartNATS(t))
	o.AckWait = time.Second
	r, err := nats.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	to := sender(t, o)
	send(t, to, numbered(0))
	send(t, to, numbered(1))
	buf := make([]queue.Message, 1)
	if _, err := r.Receive(patience(t), buf); err != nil || buf[0].Record == nil || marked(buf[0].Record) {
		t.Fatalf("%+v, %v", buf[0], err)
	}
	if err := r.Close(); err != nil { // as if we had crashed
		t.Fatal(err)
	}
	s := receive(t, o)
	again := map[string]bool{}
	for range 2 {
		m := next(t, s)
		again[m.Message()] = marked(m)
	}
	if !again["0"] || len(again) != 2 {
		t.Errorf("%v", again)
	}
}

func TestAMessageThatIsNoRecordDoesNotComeAgain(t *testing.T) {
	o := kept(services.StartNATS(t))
	o.AckWait = time.Second
	s := receive(t, o)
	to := sender(t, o)
	send(t, to, []byte("no JSON"))
	send(t, to, numbered(1))
	if r := next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	if st := s.Stats(); st.Rejected != 1 || st.Reasons["malformed"] != 1 {
		t.Errorf("%+v", st)
	}
	if st := s.Status(); !strings.Contains(st.Detail, "1 messages rejected") {
		t.Errorf("%+v", st)
	}
}

func TestASubjectMayHaveWildcards(t *testing.T) {
	b := services.StartNATS(t)
	o := options(b)
	o.Subject = "logs.>"
	s := receive(t, o)
	for _, subject := range []string{"metrics.cpu", "logs.shop.cart"} {
		o.Subject = subject
		to := sender(t, o)
		send(t, to, fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%s"}`, subject))
		await(t, "the confirmation", func() bool { return to.Sent() == 1 }, to)
	}
	if r := next(t, s); r.Message() != "logs.shop.cart" {
		t.Error(r.Message())
	}
}

func TestWhatTheServerRefusesIsSaid(t *testing.T) {
	b := services.StartNATS(t, "--user", "tray", "--pass", "secret")
	secure := services.StartNATSTLS(t)
	right := "nats://tray:secret@" + b.Addr()
	first := nats.Options{URI: right, Stream: "LOGS", Subject: "logs.a"}
	receive(t, first)
	for want, o := range map[string]nats.Options{
		`the user "tray" or its password is wrong`: {URI: "nats://tray:hush@" + b.Addr()},
		`the user "" or its password is wrong`:     {URI: "nats://" + b.Addr()},
		`the stream "LOGS" is for the subjects`:    {URI: right, Stream: "LOGS", Subject: "other"},
		`overlap with an existing stream`:          {URI: right, Stream: "MORE", Subject: "logs.a"},
		`certificate`:                              {URI: "tls://" + secure.Addr()},
		`credentials`:                              {URI: right, Credentials: "/no/such/file"},
	} {
		s := subscriber(t, o)
		await(t, want, func() bool {
			st := s.Status()
			return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), want)
		}, s)
		if text := fmt.Sprint(s.Status(), s.Name()); strings.Contains(text, "hush") || strings.Contains(text, "secret") {
			t.Errorf("there is a password in %s", text)
		}
	}
}

func TestTLS(t *testing.T) {
	b := services.StartNATSTLS(t)
	ca, err := os.ReadFile(filepath.Join(b.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	o := kept(b)
	o.URI = "tls://" + b.Addr()
	o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	o.TLS.RootCAs.AppendCertsFromPEM(ca)
	s := receive(t, o)
	send(t, sender(t, o), numbered(7))
	if r := next(t, s); r.Message() != "7" {
		t.Error(r.Message())
	}
}

func TestAServerThatIsNotThereIsWaitedFor(t *testing.T) {
	b := services.StartNATS(t)
	b.Kill()
	o := kept(b)
	from, to := subscriber(t, o), sender(t, o)
	send(t, to, numbered(3)) // it is held
	await(t, "an error", func() bool { return from.Status().Err != nil && to.Status().Err != nil }, from)
	if st := from.Status(); st.State != queue.StateConnecting || !strings.Contains(st.Err.Error(), "connection refused") && !strings.Contains(st.Err.Error(), "no servers") {
		t.Errorf("%+v", st)
	}
	b.Restart(t)
	if r := next(t, from); r.Message() != "3" {
		t.Error(r.Message())
	}
}

func TestCloseDoesNotWaitForAServerThatSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	o := nats.Options{URI: "nats://" + l.Addr().String(), Linger: -1, Timeout: services.Patience}
	r, err := nats.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	start := time.Now()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > services.Patience/2 {
		t.Errorf("it took %v", took)
	}
}

func TestWrongOptionsAreErrorsWithoutThePassword(t *testing.T) {
	for _, o := range []nats.Options{
		{},
		{URI: "http://localhost"},
		{URI: "nats://"},
		{URI: "nats://tray:hush hush@local host:x"},
		{URI: "nats://tray:hush@localhost", Subject: "a b"},
		{URI: "nats://tray:hush@localhost", Stream: "a.b"},
	} {
		_, err := nats.NewReceiver(o)
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "not valid") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := nats.NewSender(nats.Options{URI: "nats://localhost", Subject: "logs.>"}); err == nil || !strings.Contains(err.Error(), "wildcards") {
		t.Error(err)
	}
}
