package zeromq_test

import (
	"errors"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// keys are a pair of them.
type keys struct{ public, secret string }

func newKeys(tb testing.TB) keys {
	tb.Helper()
	public, secret, err := zeromq.NewCurveKeypair()
	if err != nil {
		tb.Fatal(err)
	}
	return keys{public, secret}
}

// peers collects what is told about peers.
type peers struct {
	mu   sync.Mutex
	seen []queue.Peer
}

func (p *peers) add(q queue.Peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, q)
}

// in returns those that are in a state.
func (p *peers) in(state queue.State) []queue.Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []queue.Peer
	for _, q := range p.seen {
		if q.State == state {
			out = append(out, q)
		}
	}
	return out
}

// eager tries again soon.
func eager(o zeromq.Options) zeromq.Options {
	o.ReconnectMin, o.ReconnectMax, o.Linger = 10*time.Millisecond, 20*time.Millisecond, -1
	return o
}

func TestOnlyClientsOnTheListGetIn(t *testing.T) {
	server, friend, stranger := newKeys(t), newKeys(t), newKeys(t)
	var told peers
	r := receiver(t, zeromq.Options{
		OnPeer: told.add, Curve: &zeromq.Curve{Secret: server.secret, Clients: map[string]string{friend.public: "the shop"}},
	})
	const attempts = 15
	for range attempts {
		wrong := sender(t, eager(zeromq.Options{Addresses: r.Addresses(), Curve: &zeromq.Curve{Secret: stranger.secret, ServerKey: server.public}}))
		send(t, wrong, "wrong")
		await(t, "the wrong one is told", func() bool { return wrong.Status().State == queue.StateFailed })
		err := wrong.Status().Err
		if err == nil || !strings.HasSuffix(err.Error(), ": the keys were not accepted: the other end has to add the public key of this one, "+stranger.public) {
			t.Errorf("%v", err)
		}
		if err := wrong.Close(); err == nil {
			t.Error("what nobody took was not missed")
		}
	}
	plain := sender(t, eager(zeromq.Options{Addresses: r.Addresses()}))
	send(t, plain, "plain")
	await(t, "all are counted", func() bool { return refusals(r.Status()) > attempts })
	if got := told.in(queue.StateConnected); len(got) != 0 {
		t.Errorf("connected: %+v", got)
	}
	refused := "127.0.0.1 key " + stranger.public
	var shown bool
	for _, p := range r.Status().Peers {
		shown = shown || p.Address == refused && p.State == queue.StateFailed && strings.HasPrefix(p.Err, "its key is not among those that may connect")
	}
	if !shown {
		t.Errorf("%+v", r.Status().Peers)
	}
	await(t, "the wrong key is told, and the one without", func() bool { return len(told.in(queue.StateFailed)) >= 2 })
	if got := told.in(queue.StateFailed); got[0].Address != refused || got[1].Address == refused {
		t.Errorf("%+v", got)
	}

	right := sender(t, zeromq.Options{Addresses: r.Addresses(), Curve: &zeromq.Curve{Secret: friend.secret, ServerKey: server.public}})
	send(t, right, "right")
	if got := receiveBody(t, r); got != "right" {
		t.Errorf("got %q", got)
	}
	await(t, "it is shown", func() bool { return len(told.in(queue.StateConnected)) == 1 })
}

const pushEncrypted = `
import sys
from logbook import Logger
from logbook.queues import ZeroMQHandler
uri, server, public, secret = (a.encode() for a in sys.argv[1:])
handler = ZeroMQHandler(multi=True)
handler.socket.curve_serverkey = server
handler.socket.curve_publickey = public
handler.socket.curve_secretkey = secret
handler.socket.connect(uri.decode())
with handler.applicationbound():
    Logger("shop").warn("sold out")
handler.close(linger=-1)
handler.context.term()
`

func TestLogbooksHandlerGetsInWithItsKey(t *testing.T) {
	server, friend := newKeys(t), newKeys(t)
	r := receiver(t, zeromq.Options{Curve: &zeromq.Curve{Secret: server.secret, Clients: map[string]string{friend.public: ""}}})
	s := queue.NewSubscriber(r, queue.Options{})
	p := run(t, pushEncrypted, r.Addresses()[0], server.public, friend.public, friend.secret)
	if got := next(t, s); got != "sold out" {
		t.Errorf("%q", got)
	}
	p.wait()
}

func TestAPublisherHasAListToo(t *testing.T) {
	server, friend, stranger := newKeys(t), newKeys(t), newKeys(t)
	s := sender(t, zeromq.Options{
		Addresses: []string{"tcp://127.0.0.1:0"}, Pattern: zeromq.Pub,
		Curve: &zeromq.Curve{Secret: server.secret, Clients: map[string]string{friend.public: ""}},
	})
	wrong := receiver(t, eager(zeromq.Options{
		Addresses: s.Addresses(), Pattern: zeromq.Sub, Curve: &zeromq.Curve{Secret: stranger.secret, ServerKey: server.public},
	}))
	await(t, "the stranger is refused", func() bool { return wrong.Status().State == queue.StateFailed })
	right := receiver(t, zeromq.Options{
		Addresses: s.Addresses(), Pattern: zeromq.Sub, Curve: &zeromq.Curve{Secret: friend.secret, ServerKey: server.public},
	})
	if err := s.WaitPeer(soon(t)); err != nil {
		t.Fatal(err)
	}
	send(t, s, "news")
	if got := receiveBody(t, right); got != "news" {
		t.Errorf("got %q", got)
	}
}

func TestListsOfOneContextAreOfTheirSocketsAlone(t *testing.T) {
	shared, err := zeromq.NewContext()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shared.Close() })
	server, one, two := newKeys(t), newKeys(t), newKeys(t)
	listen := func(c *zeromq.Curve) *zeromq.Receiver {
		return receiver(t, zeromq.Options{Context: shared, Curve: c})
	}
	first := listen(&zeromq.Curve{Secret: server.secret, Clients: map[string]string{one.public: ""}})
	second := listen(&zeromq.Curve{Secret: server.secret, Clients: map[string]string{two.public: ""}})
	open := listen(&zeromq.Curve{Secret: server.secret})
	for _, c := range []struct {
		to   *zeromq.Receiver
		with keys
		ok   bool
	}{{first, one, true}, {first, two, false}, {second, one, false}, {second, two, true}, {open, one, true}} {
		s := sender(t, eager(zeromq.Options{Addresses: c.to.Addresses(), Curve: &zeromq.Curve{Secret: c.with.secret, ServerKey: server.public}}))
		want := map[bool]queue.State{true: queue.StateConnected, false: queue.StateFailed}[c.ok]
		await(t, string(want), func() bool { return s.Status().State == want })
	}
	if err := first.Close(); err != nil { // the other lists stay
		t.Fatal(err)
	}
	s := sender(t, eager(zeromq.Options{Addresses: second.Addresses(), Curve: &zeromq.Curve{Secret: one.secret, ServerKey: server.public}}))
	await(t, "refused", func() bool { return s.Status().State == queue.StateFailed })
}

func TestPeersThatSayNothingAreToldAsRefused(t *testing.T) {
	var told peers
	r := receiver(t, zeromq.Options{OnPeer: told.add})
	for range 30 { // such as somebody who looks which ports are open
		c, err := net.Dial("tcp", strings.TrimPrefix(r.Addresses()[0], "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	await(t, "they are told", func() bool { return len(told.in(queue.StateFailed)) == 10 })
	s := sender(t, zeromq.Options{Addresses: r.Addresses()})
	send(t, s, "x")
	receiveBody(t, r)
	await(t, "the good one is told", func() bool { return len(told.in(queue.StateConnected)) == 1 })
	if n := len(told.in(queue.StateFailed)); n != 10 {
		t.Errorf("told %d times", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "that it left is told", func() bool { return len(told.in(queue.StateLost)) == 1 })
}

func TestClientsAreReadFromAFile(t *testing.T) {
	one, two := newKeys(t), newKeys(t)
	got, err := zeromq.ReadClients(strings.NewReader("# those of the team\n\n" + one.public + " the shop \r\n  " + two.public))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{one.public: "the shop", two.public: ""}, got); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"abc":                            "line 1: a key has 40 characters, not 3",
		"\n" + strings.Repeat("é", 20):   `line 2: "\xc3" is no character of a key`,
		strings.Repeat("x", 1<<17) + " ": "bufio.Scanner: token too long",
	} {
		if _, err := zeromq.ReadClients(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%.50q: got %v, want %s", text, err, want)
		}
	}
}

func TestWrongListsAreErrors(t *testing.T) {
	k := newKeys(t)
	for want, c := range map[string]zeromq.Curve{
		"curve: keys of clients are for the server, which has no server key": {Secret: k.secret, ServerKey: k.public, Clients: map[string]string{k.public: ""}},
		"curve: the list of clients is empty: nobody could connect":          {Secret: k.secret, Clients: map[string]string{}},
		`curve: client "abc": a key has 40 characters, not 3`:                {Secret: k.secret, Clients: map[string]string{"abc": ""}},
	} {
		_, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Curve: &c})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAnAuthenticatorCannotBeTakenTwice(t *testing.T) {
	// Many at once, each with a context of its own: each has its own authenticator.
	server, friend := newKeys(t), newKeys(t)
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range cap(errs) {
		wg.Go(func() {
			r, err := zeromq.NewReceiver(zeromq.Options{
				Addresses: []string{"tcp://127.0.0.1:0"},
				Curve:     &zeromq.Curve{Secret: server.secret, Clients: maps.Clone(map[string]string{friend.public: ""})},
			})
			if err == nil {
				err = r.Close()
			}
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	var err error
	for e := range errs {
		err = errors.Join(err, e)
	}
	if err != nil {
		t.Error(err)
	}
}
