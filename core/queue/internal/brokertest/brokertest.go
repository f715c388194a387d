// Package brokertest is what the tests of transports over brokers have in common: the rules
// that each of them keeps, checked with the real broker, and helpers. Only tests import it.
//
// A transport describes itself and has [Run] check the rules:
//
//	func TestTransport(t *testing.T) {
//		brokertest.Run(t, brokertest.Promise{Keeps: true}, func(t *testing.T) brokertest.Transport {
//			o := xyz.Options{URI: ..., Queue: brokertest.Name(t)}
//			return brokertest.Transport{
//				Broker: services.StartXYZ(t),
//				Receiver: func(e brokertest.End) (queue.Receiver, error) {
//					o := o
//					o.ReconnectMin, o.ReconnectMax, o.OnPeer = e.ReconnectMin, e.ReconnectMax, e.OnPeer
//					return xyz.NewReceiver(o)
//				},
//				Sender: func(e brokertest.End) (brokertest.Sender, error) { ... },
//			}
//		})
//	}
//
// What Python sends through kombu, and receives, [RunKombu] checks.
//
// The numbers of records are such that all of it takes seconds. With the environment
// variable LOGBOOK_TRAY_LONG_TESTS=1 they are those that the transports are made for.
package brokertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// End has the settings of one receiver or sender.
type End struct {
	Linger                     time.Duration // of a sender
	ReconnectMin, ReconnectMax time.Duration
	OnPeer                     func(queue.Peer)
}

// Sender is what a transport's sender does.
type Sender interface {
	queue.Sender
	queue.Statuser
	// Sent is how many records the broker has confirmed, and Lost how many Close had to
	// leave without.
	Sent() uint64
	Lost() uint64
}

// Promise is what a transport promises, of what not all do.
type Promise struct {
	// Keeps: the broker keeps what was sent and not yet acknowledged for the next
	// receiver, and across its own crash. Without, what is sent while nobody is
	// connected is nobody's.
	Keeps bool
	// Survives: a crash of the broker loses nothing, if that is not the same.
	Survives bool
	// Orderly: it keeps all of it only when it is shut down in order, which is what
	// the rules do instead of killing it.
	Orderly bool
	// Known: the rules about a broker that is away are checked with other settings
	// of the same transport.
	Known bool
}

// Transport describes a transport under test. The functions make new ends of the same
// queue, which belongs to the test alone.
type Transport struct {
	// Broker is the broker; tests kill it and start it again.
	Broker *services.Broker
	// Part divides the numbers of records, for a broker that has to look through all
	// of them whenever it does something; 0 is 1.
	Part     int
	Receiver func(End) (queue.Receiver, error)
	Sender   func(End) (Sender, error)

	promise Promise
}

// end ends the broker, as far as its promise goes.
func (tr *Transport) end() {
	if tr.promise.Orderly {
		tr.Broker.Stop()
		return
	}
	tr.Broker.Kill()
}

// Run checks the rules. start starts a transport for each test.
func Run(t *testing.T, p Promise, start func(t *testing.T) Transport) {
	t.Helper()
	for _, rule := range []struct {
		name  string
		check func(*testing.T, Transport)
		holds bool // for what is promised
	}{
		{"records arrive in order and none is lost", inOrder, true},
		{"every field arrives", everyField, true},
		{"close waits for confirmations", closing, true},
		{"what was accepted is given out after a drain", func(t *testing.T, tr Transport) { drained(t, tr, p.Keeps) }, true},
		{"a slow reader loses nothing", slowReader, p.Keeps || p.Survives},
		{"what is not acknowledged comes again and is marked", again, p.Keeps},
		{"a message that is no record is counted and does not come again", poison, p.Keeps},
		{"nothing is lost when the broker crashes", crash, p.Keeps || p.Survives},
		{"it recovers when the broker crashes", recovers, !p.Keeps && !p.Survives},
		{"an absent broker is told once and what it did not get is counted", absent, !p.Known},
	} {
		if rule.holds {
			t.Run(strings.ReplaceAll(rule.name, " ", "_"), func(t *testing.T) {
				tr := start(t)
				tr.promise = p
				rule.check(t, tr)
			})
		}
	}
}

// Count is how many records a test moves: short, or all of them when long tests were asked
// for.
func Count(short, whole int) int {
	if os.Getenv("LOGBOOK_TRAY_LONG_TESTS") != "" {
		return whole
	}
	return short
}

// count is [Count] for this transport.
func (tr *Transport) count(short, whole int) int { return Count(short, whole) / max(tr.Part, 1) }

// Name returns a name for a queue that no other test has.
func Name(t *testing.T) string {
	t.Helper()
	return strings.NewReplacer("/", ".", ",", "", " ", "").Replace(t.Name())
}

// defaults are an end that is back soon.
func defaults() End {
	return End{Linger: services.Patience, ReconnectMin: 50 * time.Millisecond, ReconnectMax: time.Second}
}

// subscriber returns a subscriber that is closed with the test.
func (tr *Transport) subscriber(t *testing.T, e End) *queue.Subscriber {
	t.Helper()
	r, err := tr.Receiver(e)
	if err != nil {
		t.Fatal(err)
	}
	return Subscriber(t, r)
}

// receive returns a subscriber that is connected.
func (tr *Transport) receive(t *testing.T) *queue.Subscriber {
	t.Helper()
	return tr.receiveAnd(t, queue.Options{})
}

// receiveAnd is receive with options.
func (tr *Transport) receiveAnd(t *testing.T, o queue.Options) *queue.Subscriber {
	t.Helper()
	r, err := tr.Receiver(defaults())
	if err != nil {
		t.Fatal(err)
	}
	s := subscriber(t, r, o)
	Connected(t, s)
	return s
}

// sender returns a sender that is closed with the test.
func (tr *Transport) sender(t *testing.T, e End) Sender {
	t.Helper()
	s, err := tr.Sender(e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // who cares has closed it before
	return s
}

// Subscriber returns a subscriber to r that is closed with the test.
func Subscriber(t *testing.T, r queue.Receiver) *queue.Subscriber {
	t.Helper()
	return subscriber(t, r, queue.Options{})
}

func subscriber(t *testing.T, r queue.Receiver, o queue.Options) *queue.Subscriber {
	t.Helper()
	s := queue.NewSubscriber(r, o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Started starts a sender or receiver that is closed with the test, such as
// Started(t, xyz.NewSender, o).
func Started[O any, E io.Closer](t *testing.T, start func(O) (E, error), o O) E {
	t.Helper()
	e, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Receiving returns a subscriber that is connected, and closed with the test, such as
// Receiving(t, xyz.NewReceiver, o).
func Receiving[O any, R queue.Receiver](t *testing.T, start func(O) (R, error), o O) *queue.Subscriber {
	t.Helper()
	s := Subscribing(t, start, o)
	Connected(t, s)
	return s
}

// Subscribing is [Receiving] that does not wait for the connection.
func Subscribing[O any, R queue.Receiver](t *testing.T, start func(O) (R, error), o O) *queue.Subscriber {
	t.Helper()
	r, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	return Subscriber(t, r)
}

// ClosesAtOnce checks that a receiver can be closed while it waits for somebody who says
// nothing. start starts one for HOST:PORT with a time limit of [services.Patience].
func ClosesAtOnce[R io.Closer](t *testing.T, start func(address string) (R, error)) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	r, err := start(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	started := time.Now()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(started); took > services.Patience/2 {
		t.Errorf("it took %v", took)
	}
}

// Trusting returns settings of TLS with which the certificate of a broker is that of one. name,
// if not empty, is what it should be for.
func Trusting(t *testing.T, b *services.Broker, name string) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(b.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: name, MinVersion: tls.VersionTLS12}
	c.RootCAs.AppendCertsFromPEM(ca)
	return c
}

// Connected waits until s is connected.
func Connected(t *testing.T, s queue.Statuser) {
	t.Helper()
	Await(t, "the connection", s, func() bool { return s.Status().State == queue.StateConnected })
}

// Failed waits until s says why it is not welcome, and what to do about it.
func Failed(t *testing.T, s queue.Statuser, say string) {
	t.Helper()
	Await(t, say, s, func() bool {
		st := s.Status()
		return st.State == queue.StateFailed && st.Err != nil && strings.Contains(st.Err.Error(), say)
	})
}

// Patience bounds how long a test waits for something that should happen at once.
func Patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	t.Cleanup(cancel)
	return ctx
}

// Await polls a condition; who is asked for its status when it does not become true.
func Await(t *testing.T, what string, who queue.Statuser, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	defer cancel()
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

// Next returns the next record.
func Next(t *testing.T, s *queue.Subscriber) *core.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	defer cancel()
	r, err := s.Recv(ctx)
	if err != nil {
		t.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r
}

// Marked reports whether a record is marked as one that may have been dispatched before.
func Marked(r *core.Record) bool { return r.Extra.Get(queue.Redelivered) == true }

// Numbered returns a small record with a number for a message.
func Numbered(n int) []byte {
	return fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%d","extra":{},"heavy_initialized":true}`, n)
}

// Number returns the number of such a record.
func Number(t *testing.T, r *core.Record) int {
	t.Helper()
	n, err := strconv.Atoi(r.Message())
	if err != nil {
		t.Fatalf("%+v has no number", r)
	}
	return n
}

// Send sends a record.
func Send(t *testing.T, s queue.Sender, body []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	defer cancel()
	if err := s.Send(ctx, body); err != nil {
		t.Fatal(err)
	}
}

// SendAll sends numbers in the background; the test waits for its end.
func SendAll(t *testing.T, s queue.Sender, from, until int) {
	t.Helper()
	sendAll(t, s, from, until, func(int) {})
}

// sendAll is SendAll that calls before before each of them.
func sendAll(t *testing.T, s queue.Sender, from, until int, before func(int)) {
	t.Helper()
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.Background(), 5*services.Patience)
	go func() {
		defer close(done)
		for i := from; i < until; i++ {
			before(i)
			if err := s.Send(ctx, Numbered(i)); err != nil {
				t.Errorf("send %d: %v", i, err)
				return
			}
		}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			cancel()
		}
		<-done
		cancel()
	})
}

// Share checks that those who share the records get all of them between them, each one
// once and everybody some, and that all gets each of them in order.
func Share(t *testing.T, to queue.Sender, all *queue.Subscriber, members []*queue.Subscriber) {
	t.Helper()
	const count = 200
	SendAll(t, to, 0, count)
	for i := range count {
		if r := Next(t, all); Number(t, r) != i {
			t.Fatalf("got %q, want %d", r.Message(), i)
		}
	}
	type part struct{ member, number int }
	parts := make(chan part)
	ctx, cancel := context.WithCancel(Patience(t))
	var receiving sync.WaitGroup
	defer receiving.Wait()
	defer cancel()
	for i, s := range members {
		receiving.Go(func() {
			for {
				r, err := s.Recv(ctx)
				if err != nil {
					return
				}
				n, err := strconv.Atoi(r.Message())
				if err != nil {
					t.Error(err)
				}
				select {
				case parts <- part{i, n}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	owners, some := map[int]int{}, map[int]bool{}
	for len(owners) < count {
		select {
		case p := <-parts:
			if owner, twice := owners[p.number]; twice {
				t.Errorf("%d came to %d and to %d", p.number, owner, p.member)
			}
			owners[p.number], some[p.member] = p.member, true
		case <-ctx.Done():
			t.Fatalf("%d of %d came", len(owners), count)
		}
	}
	if len(some) != len(members) {
		t.Errorf("some got nothing: %v", some)
	}
}
