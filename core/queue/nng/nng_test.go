package nng_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/nng"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds how long a test waits for something that should happen at once.
const patience = 90 * time.Second

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx := soon(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

const local = "tcp://127.0.0.1:0"

func receiver(t *testing.T, o nng.Options) *nng.Receiver {
	t.Helper()
	if len(o.Addresses) == 0 {
		o.Addresses = []string{local}
	}
	r, err := nng.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func sender(t *testing.T, o nng.Options) *nng.Sender {
	t.Helper()
	s, err := nng.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // what a test leaves unsent is its business
	return s
}

func body(t *testing.T, r *nng.Receiver) string {
	t.Helper()
	var buf [1]queue.Message
	if _, err := r.Receive(soon(t), buf[:]); err != nil {
		t.Fatalf("%v; %+v", err, r.Status())
	}
	return string(buf[0].Body)
}

func send(t *testing.T, s *nng.Sender, body string) {
	t.Helper()
	if err := s.Send(soon(t), []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func socketFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "s")
}

func TestEveryPatternTransportAndSideCarriesRecords(t *testing.T) {
	for _, pattern := range []struct{ to, from nng.Pattern }{{nng.Pub, nng.Sub}, {nng.Push, nng.Pull}} {
		for _, transport := range []string{"tcp", "ipc"} {
			for _, side := range []nng.Side{nng.Listen, nng.Dial} {
				t.Run(fmt.Sprintf("%s/%s/receiver is to %s", pattern.to, transport, side), func(t *testing.T) {
					addresses := []string{local}
					if transport == "ipc" {
						addresses = []string{"ipc://" + socketFile(t)}
					}
					var r *nng.Receiver
					var s *nng.Sender
					if side == nng.Listen {
						r = receiver(t, nng.Options{Addresses: addresses, Pattern: pattern.from})
						s = sender(t, nng.Options{Addresses: r.Addresses(), Pattern: pattern.to})
					} else {
						s = sender(t, nng.Options{Addresses: addresses, Pattern: pattern.to, Side: nng.Listen})
						r = receiver(t, nng.Options{Addresses: s.Addresses(), Pattern: pattern.from, Side: nng.Dial})
					}
					if err := s.WaitPeer(soon(t)); err != nil {
						t.Fatal(err)
					}
					send(t, s, "first")
					send(t, s, strings.Repeat("x", 1_000_000))
					if a, b := body(t, r), body(t, r); a != "first" || len(b) != 1_000_000 {
						t.Errorf("got %q and %d bytes", a, len(b))
					}
				})
			}
		}
	}
}

func TestWhatThePythonHandlerSendsIsReceived(t *testing.T) {
	r := receiver(t, nng.Options{})
	c := replay(t, "tcp", strings.TrimPrefix(r.Addresses()[0], "tcp://"), "raw-010-pub0-to-sub0.bin")
	for _, want := range []struct {
		level core.Level
		text  string
	}{{core.LevelDebug, "a debug message"}, {core.LevelInfo, "a info message"}, {core.LevelWarning, "a warning message"}} {
		record := decoded(t, r)
		if record.Message() != want.text || record.Level != want.level {
			t.Errorf("got %v %q", record.Level, record.Message())
		}
	}
	_ = c.Close()
	await(t, "the loss", func() bool { st := r.Status(); return len(st.Peers) == 1 && st.Peers[0].State == queue.StateLost })
}

// decoded returns the next message as a record.
func decoded(t *testing.T, r *nng.Receiver) *core.Record {
	t.Helper()
	s := queue.NewSubscriber(lent{r}, queue.Options{})
	record, err := s.Recv(soon(t))
	if err != nil {
		t.Fatalf("%v; %+v", err, s.Stats())
	}
	return record
}

// lent gives out one message at a time, and is not closed with its subscriber.
type lent struct{ r *nng.Receiver }

func (l lent) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return l.r.Receive(ctx, buf[:1])
}
func (l lent) Close() error { return nil }

// replay sends what was captured.
func replay(t *testing.T, network, address, file string) net.Conn {
	t.Helper()
	captured, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write(captured); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatNngcatSendsOverIPCIsReceived(t *testing.T) {
	for pattern, file := range map[nng.Pattern]string{nng.Sub: "raw-012-nngcat-pub-ipc.bin", nng.Pull: "raw-013-nngcat-push-ipc.bin"} {
		path := socketFile(t)
		r := receiver(t, nng.Options{Addresses: []string{"ipc://" + path}, Pattern: pattern})
		replay(t, "unix", path, file)
		if got := body(t, r); got != `{"hello": "nngcat"}` {
			t.Errorf("%s: %q", pattern, got)
		}
	}
}

// nngcat starts the program of libnng, which ends with the test.
func nngcat(t *testing.T, args ...string) *bytes.Buffer {
	t.Helper()
	const program = "/usr/bin/nngcat"
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v; run: packaging/setup test", err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return &out
}

const sample = `{"channel":"shop","level":14,"msg":"declined","extra":{},"heavy_initialized":true}`

func TestNngcatPushesToUs(t *testing.T) {
	r := receiver(t, nng.Options{Pattern: nng.Pull})
	nngcat(t, "--push0", "--dial", r.Addresses()[0], "--data", sample)
	if got := decoded(t, r); got.Message() != "declined" || got.Channel != "shop" || got.Level != core.LevelError {
		t.Errorf("%+v", got)
	}
}

func TestNngcatPublishesToUs(t *testing.T) {
	r := receiver(t, nng.Options{Topics: []string{"{", "shop"}})
	// It publishes again and again: there is nobody the first time, perhaps.
	nngcat(t, "--pub0", "--dial", r.Addresses()[0], "--data", sample, "--interval", "0", "--count", "200", "--delay", "1")
	if got := decoded(t, r); got.Message() != "declined" {
		t.Errorf("%+v", got)
	}
}

func TestNngcatReceivesWhatWePush(t *testing.T) {
	s := sender(t, nng.Options{Addresses: []string{local}, Side: nng.Listen})
	send(t, s, sample)
	if got := nngcat(t, "--pull0", "--dial", s.Addresses()[0], "--raw", "--count", "1", "--recv-timeout", "60").String(); got != sample {
		t.Errorf("got %q", got)
	}
}

func TestNngcatReceivesWhatWePublish(t *testing.T) {
	s := sender(t, nng.Options{Addresses: []string{local}, Side: nng.Listen, Pattern: nng.Pub, Topic: "shop "})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.WaitPeer(soon(t)); err != nil {
			t.Error(err)
			return
		}
		send(t, s, sample)
	}()
	got := nngcat(t, "--sub0", "--subscribe", "shop", "--dial", s.Addresses()[0], "--raw", "--count", "1", "--recv-timeout", "60").String()
	<-done
	if got != "shop "+sample {
		t.Errorf("got %q", got)
	}
}

func TestASubscriberTakesItsTopicsAndTheyAreNotPartOfTheRecord(t *testing.T) {
	r := receiver(t, nng.Options{Topics: []string{"shop.", "wiki"}})
	to := func(topic string) *nng.Sender {
		return sender(t, nng.Options{Addresses: r.Addresses(), Pattern: nng.Pub, Topic: topic})
	}
	blog, shop := to("blog "), to("shop.cart ")
	if err := errors.Join(blog.WaitPeer(soon(t)), shop.WaitPeer(soon(t))); err != nil {
		t.Fatal(err)
	}
	send(t, blog, `{"n":1}`)
	send(t, shop, `{"n":2}`)
	if got := body(t, r); got != `{"n":2}` {
		t.Errorf("got %q", got)
	}
	await(t, "the count", func() bool { return strings.Contains(r.Status().Detail, "; 1 messages with other topics") })
	if st := r.Status(); st.State != queue.StateConnected || len(st.Peers) != 2 {
		t.Errorf("%+v", st)
	}
}

func TestRecordsArriveInOrderThroughARestartOfTheReceiver(t *testing.T) {
	count := brokertest.Count(20_000, 100_000)
	r := receiver(t, nng.Options{Pattern: nng.Pull})
	address := r.Addresses()
	s := sender(t, nng.Options{Addresses: address, ReconnectMax: 200 * time.Millisecond})
	next := 0
	take := func(r *nng.Receiver, until int) {
		t.Helper()
		buf := make([]queue.Message, 100)
		for next < until {
			n, err := r.Receive(soon(t), buf[:min(len(buf), until-next)])
			if err != nil {
				t.Fatalf("%v after %d; %+v", err, next, r.Status())
			}
			for _, m := range buf[:n] {
				if string(m.Body) != fmt.Sprint(next) {
					t.Fatalf("got %q, want %d", m.Body, next)
				}
				next++
			}
		}
	}
	for i := range count / 2 {
		send(t, s, fmt.Sprint(i))
	}
	take(r, count/2)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the loss to be seen", func() bool { return s.Status().State == queue.StateLost })
	go func() {
		for i := count / 2; i < count; i++ {
			if err := s.Send(context.WithoutCancel(t.Context()), []byte(fmt.Sprint(i))); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	take(receiver(t, nng.Options{Addresses: address, Pattern: nng.Pull}), count)
}

func TestManyThatArePublishedArriveInOrder(t *testing.T) {
	count := brokertest.Count(20_000, 100_000)
	r := receiver(t, nng.Options{})
	s := sender(t, nng.Options{Addresses: r.Addresses(), Pattern: nng.Pub, Queue: count})
	if err := s.WaitPeer(soon(t)); err != nil {
		t.Fatal(err)
	}
	for i := range count {
		if err := s.Send(t.Context(), []byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]queue.Message, 100)
	for next := 0; next < count; {
		n, err := r.Receive(soon(t), buf)
		if err != nil {
			t.Fatalf("%v after %d; %+v", err, next, r.Status())
		}
		for _, m := range buf[:n] {
			if string(m.Body) != fmt.Sprint(next) {
				t.Fatalf("got %q, want %d", m.Body, next)
			}
			next++
		}
	}
	if s.Lost() != 0 || r.Dropped() != 0 {
		t.Errorf("%d, %d lost", s.Lost(), r.Dropped())
	}
}

func TestNothingThatWasSentIsLostOnClose(t *testing.T) {
	const count = 5000
	r := receiver(t, nng.Options{Pattern: nng.Pull})
	s := sender(t, nng.Options{Addresses: r.Addresses(), Linger: patience})
	for i := range count {
		send(t, s, fmt.Sprint(i))
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	await(t, "somebody", func() bool { return len(r.Status().Peers) > 0 })
	r.Drain()
	for i := range count {
		if got := body(t, r); got != fmt.Sprint(i) {
			t.Fatalf("got %q, want %d", got, i)
		}
	}
	if _, err := r.Receive(soon(t), make([]queue.Message, 1)); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("after the last: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestAPushThatNobodyTakesEndsWithItsContextAndIsCounted(t *testing.T) {
	s, err := nng.NewSender(nng.Options{Addresses: []string{"ipc://" + socketFile(t)}, Queue: 1, Linger: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, "in the queue")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Send(ctx, []byte("x")); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "nobody receives from ipc://") {
		t.Error(err)
	}
	if st := s.Status(); st.State != queue.StateConnecting {
		t.Errorf("%+v", st)
	}
	if err := s.Close(); err == nil || s.Lost() != 1 {
		t.Errorf("close: %v, %d lost", err, s.Lost())
	}
	if err := s.Send(t.Context(), []byte("x")); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestWhoSpeaksSomethingElseOrSendsTooMuchIsDisconnected(t *testing.T) {
	r := receiver(t, nng.Options{Pattern: nng.Pull, MaxMessageSize: 1000})
	address := strings.TrimPrefix(r.Addresses()[0], "tcp://")
	for _, hostile := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\x00SP\x00\x00\x20\x00\x00",                                      // publishes
		"\x00SP\x00\x00\x50\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff",      // a large message
		"\x00SP\x00\x00\x50\x00\x00\x00\x00\x00\x00\x00\x00\x03\xe9{",     // one byte too large
		"\x00SP\x00\x00\x50\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff more", // less than nothing
	} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(hostile)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		answer := make([]byte, 64)
		for err == nil { // their header, and then the end
			_, err = c.Read(answer)
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			t.Errorf("%q: still connected", hostile)
		}
		_ = c.Close()
	}
	s := sender(t, nng.Options{Addresses: r.Addresses()})
	send(t, s, "still here")
	if got := body(t, r); got != "still here" {
		t.Errorf("got %q", got)
	}
}

func TestPeersThatSayNothingAreSentAwayAndHoldUpNobody(t *testing.T) {
	nng.SetHandshakeTime(t, 300*time.Millisecond)
	r := receiver(t, nng.Options{Pattern: nng.Pull})
	var silent []net.Conn
	for range nng.MaxHandshakes + 10 { // more than may be about to say who they are
		c, err := net.Dial("tcp", strings.TrimPrefix(r.Addresses()[0], "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		silent = append(silent, c)
	}
	s := sender(t, nng.Options{Addresses: r.Addresses()})
	send(t, s, "still here")
	if got := body(t, r); got != "still here" {
		t.Errorf("got %q", got)
	}
	for _, c := range silent {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if left, err := io.ReadAll(c); err != nil || len(left) > 8 { // their header, and then the end
			t.Fatalf("%q, %v", left, err)
		}
	}
}

func TestAServerThatSaysNothingIsLeftAndTriedAgain(t *testing.T) {
	nng.SetHandshakeTime(t, 300*time.Millisecond)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	r := receiver(t, nng.Options{Addresses: []string{"tcp://" + l.Addr().String()}, Side: nng.Dial})
	for range 2 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	if st := r.Status(); st.State != queue.StateConnecting {
		t.Errorf("%+v", st)
	}
}

func TestCloseDoesNotWaitForPeersThatSayNothing(t *testing.T) {
	nng.SetHandshakeTime(t, patience)
	r := receiver(t, nng.Options{})
	c, err := net.Dial("tcp", strings.TrimPrefix(r.Addresses()[0], "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Read(make([]byte, 8)); err != nil { // it is about to say who it is
		t.Fatal(err)
	}
	start := time.Now()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > patience/2 {
		t.Errorf("it took %v", took)
	}
}

func TestWrongOptionsAreErrorsThatSayWhatIsWrong(t *testing.T) {
	busy := receiver(t, nng.Options{}).Addresses()[0]
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(busy, "tcp://"))
	path := socketFile(t)
	receiver(t, nng.Options{Addresses: []string{"ipc://" + path}})
	for _, c := range []struct {
		o    nng.Options
		want string
	}{
		{nng.Options{}, "no address: give one such as tcp://127.0.0.1:13232"},
		{nng.Options{Addresses: []string{"127.0.0.1:1"}}, `wrong address "127.0.0.1:1": it needs a transport in front, such as tcp://127.0.0.1:1`},
		{nng.Options{Addresses: []string{"ws://127.0.0.1:1"}}, `wrong address "ws://127.0.0.1:1": unknown transport "ws" (one of tcp, tls+tcp, ipc)`},
		{nng.Options{Addresses: []string{"ipc://"}}, `wrong address "ipc://": nothing follows ipc://`},
		{nng.Options{Addresses: []string{local}, Side: "left"}, `unknown side "left" (listen or dial)`},
		{nng.Options{Addresses: []string{local}, Pattern: nng.Push}, `a receiver cannot be "push" (sub or pull)`},
		{
			nng.Options{Addresses: []string{"tcp://0.0.0.0:0"}},
			"listen on tcp 0.0.0.0:0: other computers can reach this address: set up TLS or allow plain text, or use 127.0.0.1",
		},
		{
			nng.Options{Addresses: []string{busy}},
			"listen on tcp 127.0.0.1:" + port + ": address already in use; find the program with: ss -lntp 'sport = :" + port + "'",
		},
		{
			nng.Options{Addresses: []string{"ipc://" + path}},
			"listen on unix " + path + ": address already in use; find the program with: ss -lxp src " + path,
		},
	} {
		if _, err := nng.NewReceiver(c.o); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
	if _, err := nng.NewSender(nng.Options{Addresses: []string{local}, Pattern: nng.Sub}); err == nil {
		t.Error("a sender that subscribes")
	}
}
