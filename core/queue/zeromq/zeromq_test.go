package zeromq_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// sender makes a sender that the test closes at its end.
func sender(tb testing.TB, o zeromq.Options) *zeromq.Sender {
	tb.Helper()
	s, err := zeromq.NewSender(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() }) // what a test leaves unsent is its business
	return s
}

// receiveBody returns the next message.
func receiveBody(tb testing.TB, r *zeromq.Receiver) string {
	tb.Helper()
	var buf [1]queue.Message
	if _, err := r.Receive(soon(tb), buf[:]); err != nil {
		tb.Fatalf("%v; %+v", err, r.Status())
	}
	return string(buf[0].Body)
}

func send(tb testing.TB, s *zeromq.Sender, body string) {
	tb.Helper()
	if err := s.Send(soon(tb), []byte(body)); err != nil {
		tb.Fatal(err)
	}
}

func TestEveryTransportAndSideCarriesRecords(t *testing.T) {
	shared, err := zeromq.NewContext()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shared.Close() }) // runs after the sockets are closed
	addresses := map[string]string{
		"tcp":    "tcp://127.0.0.1:0",
		"ipv6":   "tcp://[::1]:0",
		"name":   "tcp://localhost:0",
		"ipc":    "ipc://" + filepath.Join(t.TempDir(), "s"),
		"inproc": "inproc://records",
	}
	for name, uri := range addresses {
		for _, bindReceiver := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/receiver binds %v", name, bindReceiver), func(t *testing.T) {
				if name == "ipv6" && !hasIPv6() {
					t.Skip("no IPv6 on this computer")
				}
				var r *zeromq.Receiver
				var s *zeromq.Sender
				if bindReceiver {
					r = receiver(t, zeromq.Options{Addresses: []string{uri}, Context: shared})
					s = sender(t, zeromq.Options{Addresses: r.Addresses(), Context: shared})
				} else {
					s = sender(t, zeromq.Options{Addresses: []string{uri}, Side: zeromq.Bind, Context: shared})
					r = receiver(t, zeromq.Options{Addresses: s.Addresses(), Side: zeromq.Connect, Context: shared})
				}
				send(t, s, "first")
				send(t, s, "second")
				if a, b := receiveBody(t, r), receiveBody(t, r); a != "first" || b != "second" {
					t.Errorf("got %q and %q", a, b)
				}
			})
		}
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

func TestASubscriberTakesItsTopicsFromSeveralPublishers(t *testing.T) {
	one := sender(t, zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Pattern: zeromq.Pub, Topic: "shop.cart"})
	two := sender(t, zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Pattern: zeromq.Pub, Topic: "blog"})
	r := receiver(t, zeromq.Options{
		Addresses: []string{one.Addresses()[0], two.Addresses()[0]},
		Pattern:   zeromq.Sub,
		Topics:    []string{"shop.", "wiki"},
	})
	if err := errors.Join(one.WaitPeer(soon(t)), two.WaitPeer(soon(t))); err != nil {
		t.Fatal(err)
	}
	send(t, two, "not wanted")
	send(t, one, "wanted")
	if got := receiveBody(t, r); got != "wanted" {
		t.Errorf("got %q", got)
	}
	if st := r.Status(); st.State != queue.StateConnected || len(st.Peers) != 2 {
		t.Errorf("%+v", st)
	}
}

func TestASubscriberMayBindAndPublishersConnect(t *testing.T) {
	r := receiver(t, zeromq.Options{Pattern: zeromq.Sub, Side: zeromq.Bind, Topics: []string{"shop", "{"}})
	one := sender(t, zeromq.Options{Addresses: r.Addresses(), Pattern: zeromq.Pub, Side: zeromq.Connect, Topic: "shop"})
	two := sender(t, zeromq.Options{Addresses: r.Addresses(), Pattern: zeromq.Pub, Side: zeromq.Connect, Topic: "blog"})
	three := sender(t, zeromq.Options{Addresses: r.Addresses(), Pattern: zeromq.Pub, Side: zeromq.Connect})
	if err := errors.Join(one.WaitPeer(soon(t)), two.WaitPeer(soon(t)), three.WaitPeer(soon(t))); err != nil {
		t.Fatal(err)
	}
	send(t, two, "not wanted")
	send(t, one, "wanted")
	if got := receiveBody(t, r); got != "wanted" {
		t.Errorf("got %q", got)
	}
	send(t, three, "{without a topic")
	if got := receiveBody(t, r); got != "{without a topic" {
		t.Errorf("got %q", got)
	}
}

func TestNothingThatWasAcceptedIsLostOnClose(t *testing.T) {
	const count = 50_000
	r := receiver(t, zeromq.Options{Queue: count})
	s := queue.NewSubscriber(r, queue.Options{DrainTimeout: 30 * time.Second})
	from := sender(t, zeromq.Options{Addresses: r.Addresses()})
	release := make(chan struct{})
	var handled atomic.Int64
	s.DispatchInBackground(core.Binding{Handler: core.HandlerFunc(func(context.Context, *core.Record) error {
		<-release // everything piles up in the receiver
		handled.Add(1)
		return nil
	})})
	for range count {
		if err := from.Send(soon(t), sample); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all is on its way", func() bool { return from.Sent() == count })
	if err := from.Close(); err != nil { // the receiver has taken everything
		t.Fatal(err)
	}
	await(t, "the sender is gone", func() bool { return s.Status().State == queue.StateListening })
	close(release)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := handled.Load(); got != count {
		t.Errorf("%d of %d were handled", got, count)
	}
}

func TestCloseEndsAReceiveThatIsBlocked(t *testing.T) {
	r := receiver(t, zeromq.Options{})
	ended := make(chan error)
	go func() {
		_, err := r.Receive(t.Context(), make([]queue.Message, 1))
		ended <- err
	}()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, queue.ErrClosed) {
		t.Error(err)
	}
	if st := r.Status(); st.State != queue.StateClosed {
		t.Errorf("%+v", st)
	}
}

func TestPeersThatComeAndGoAreShown(t *testing.T) {
	events := make(chan queue.Peer, 10)
	r := receiver(t, zeromq.Options{OnPeer: func(p queue.Peer) { events <- p }})
	if st := r.Status(); st.State != queue.StateListening || st.Detail != "listening on "+r.Addresses()[0] {
		t.Errorf("%+v", st)
	}
	s := sender(t, zeromq.Options{Addresses: r.Addresses()})
	if p := <-events; p.State != queue.StateConnected || !strings.HasPrefix(p.Address, "127.0.0.1:") {
		t.Errorf("%+v", p)
	}
	if st := r.Status(); st.State != queue.StateConnected || len(st.Peers) != 1 {
		t.Errorf("%+v", st)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if p := <-events; p.State != queue.StateLost {
		t.Errorf("%+v", p)
	}
	if st := r.Status(); st.State != queue.StateListening || len(st.Peers) != 1 {
		t.Errorf("%+v", st)
	}
}

func TestAPeerThatDoesNotSpeakZeroMQIsRefusedAndCounted(t *testing.T) {
	r := receiver(t, zeromq.Options{})
	uri := r.Addresses()[0]
	c, err := net.Dial("tcp", strings.TrimPrefix(uri, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 100) + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	s := sender(t, zeromq.Options{Addresses: []string{uri}})
	send(t, s, "still here")
	if got := receiveBody(t, r); got != "still here" {
		t.Errorf("got %q", got)
	}
	_ = c.Close()
	await(t, "the count", func() bool { return strings.Contains(r.Status().Detail, "1 handshakes refused") })
}

func TestCurveLetsInWhoHasTheKey(t *testing.T) {
	public, secret, err := zeromq.NewCurveKeypair()
	if err != nil {
		t.Fatal(err)
	}
	_, clientSecret, err := zeromq.NewCurveKeypair()
	if err != nil {
		t.Fatal(err)
	}
	otherPublic, _, err := zeromq.NewCurveKeypair()
	if err != nil {
		t.Fatal(err)
	}
	r := receiver(t, zeromq.Options{Curve: &zeromq.Curve{Secret: secret}})
	plain := sender(t, zeromq.Options{Addresses: r.Addresses()})
	wrong := sender(t, zeromq.Options{Addresses: r.Addresses(), Curve: &zeromq.Curve{Secret: clientSecret, ServerKey: otherPublic}})
	right := sender(t, zeromq.Options{Addresses: r.Addresses(), Curve: &zeromq.Curve{Secret: clientSecret, ServerKey: public}})
	send(t, plain, "plain")
	send(t, wrong, "wrong")
	await(t, "the one without keys is told", func() bool { return plain.Status().State == queue.StateFailed })
	send(t, right, "right")
	if got := receiveBody(t, r); got != "right" {
		t.Errorf("got %q", got)
	}
	if st := plain.Status(); st.Err == nil || !strings.Contains(st.Err.Error(), "uses other security settings") && !strings.Contains(st.Err.Error(), "the keys are wrong") {
		t.Errorf("%+v", st)
	}
}

func TestAPushThatNobodyTakesEndsWithItsContextAndIsCounted(t *testing.T) {
	s, err := zeromq.NewSender(zeromq.Options{Addresses: []string{freeAddress(t)}, Queue: 10, Linger: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var failed error
	for i := 0; i < 10_000 && failed == nil; i++ {
		failed = s.Send(ctx, []byte("x"))
	}
	if !errors.Is(failed, context.DeadlineExceeded) || !strings.HasPrefix(failed.Error(), "nobody receives from tcp://127.0.0.1:") {
		t.Errorf("got %v", failed)
	}
	start := time.Now()
	if err := s.Close(); err == nil || s.Lost() == 0 {
		t.Errorf("close: %v, %d lost", err, s.Lost())
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("close took %v", took)
	}
	if err := s.Send(t.Context(), []byte("x")); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestAPusherThatStartsBeforeTheReceiverLosesNothing(t *testing.T) {
	uri := freeAddress(t)
	s := sender(t, zeromq.Options{Addresses: []string{uri}, ReconnectMin: 10 * time.Millisecond, ReconnectMax: 20 * time.Millisecond})
	for i := range 100 {
		send(t, s, fmt.Sprint(i))
	}
	r := receiver(t, zeromq.Options{Addresses: []string{uri}})
	for i := range 100 {
		if got := receiveBody(t, r); got != fmt.Sprint(i) {
			t.Fatalf("got %q, want %d", got, i)
		}
	}
}

func TestReceiveReturnsWhatFitsAndKeepsTheRest(t *testing.T) {
	r := receiver(t, zeromq.Options{})
	s := sender(t, zeromq.Options{Addresses: r.Addresses()})
	for i := range 1000 {
		send(t, s, fmt.Sprint(i))
	}
	buf := make([]queue.Message, 7)
	for i := 0; i < 1000; {
		n, err := r.Receive(soon(t), buf)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		for _, m := range buf[:n] {
			if string(m.Body) != fmt.Sprint(i) {
				t.Fatalf("got %q, want %d", m.Body, i)
			}
			i++
		}
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := r.Receive(done, buf); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("polling an empty queue: %d, %v", n, err)
	}
}
