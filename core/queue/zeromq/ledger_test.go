package zeromq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// dial connects to a receiver as a PUSH socket that knows its own address, and does its
// part of the handshake (ZMTP 3.0 without security).
func dial(to string) (net.Conn, error) {
	c, err := net.Dial("tcp", strings.TrimPrefix(to, "tcp://"))
	if err != nil {
		return nil, err
	}
	var greeting [64]byte
	greeting[0], greeting[9], greeting[10] = 0xff, 0x7f, 3
	copy(greeting[12:], "NULL")
	ready := "\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH"
	_, werr := io.WriteString(c, string(greeting[:])+string([]byte{4, byte(len(ready))})+ready)
	_, rerr := io.ReadFull(c, greeting[:])
	var head [2]byte
	_, herr := io.ReadFull(c, head[:])
	_, berr := io.CopyN(io.Discard, c, int64(head[1]))
	return c, errors.Join(werr, rerr, herr, berr)
}

// push sends short messages with one write.
func push(c net.Conn, bodies ...string) error {
	var b bytes.Buffer
	for _, body := range bodies {
		b.Write([]byte{0, byte(len(body))})
		b.WriteString(body)
	}
	_, err := c.Write(b.Bytes())
	return err
}

// take receives n messages and gives each to f.
func take(tb testing.TB, r *zeromq.Receiver, n int, f func(queue.Message)) {
	tb.Helper()
	buf := make([]queue.Message, 100)
	for ctx := soon(tb); n > 0; {
		got, err := r.Receive(ctx, buf[:min(n, len(buf))])
		if err != nil {
			tb.Fatalf("%d are missing: %v; %+v", n, err, r.Status())
		}
		for _, m := range buf[:got] {
			f(m)
		}
		n -= got
	}
}

// sums returns the counted messages by address, and all together.
func sums(peers []queue.Peer) (of map[string]uint64, all uint64) {
	of = make(map[string]uint64)
	for _, p := range peers {
		of[p.Address] += p.Messages
		all += p.Messages
	}
	return of, all
}

func TestEachPeersMessagesAreCounted(t *testing.T) {
	r := receiver(t, zeromq.Options{})
	const rounds = 2000
	sent := make(map[string]int)
	var wg sync.WaitGroup
	for i := range 5 {
		c, err := dial(r.Addresses()[0])
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		name := c.LocalAddr().String()
		sent[name] = (i + 1) * rounds
		wg.Go(func() {
			for range rounds {
				if err := push(c, strings.Split(strings.Repeat(name+",", i)+name, ",")...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	take(t, r, 15*rounds, func(m queue.Message) {
		if m.Peer != string(m.Body) {
			t.Errorf("of %q, not %q", m.Body, m.Peer)
		}
	})
	wg.Wait()
	for _, p := range r.Status().Peers {
		if p.Messages != uint64(sent[p.Address]) || p.Bytes != p.Messages*uint64(len(p.Address)) {
			t.Errorf("%+v, want %d messages", p, sent[p.Address])
		}
	}
}

func TestNoMessageIsCountedAsAnotherPeers(t *testing.T) {
	// They come and go faster than they are read, over the same few file descriptors.
	r := receiver(t, zeromq.Options{})
	const programs, times, most = 8, 100, 20
	var mu sync.Mutex
	sent := make(map[string]uint64)
	total := 0
	var wg sync.WaitGroup
	for range programs {
		wg.Go(func() {
			for range times {
				c, err := dial(r.Addresses()[0])
				if err != nil {
					t.Error(err)
					return
				}
				name := c.LocalAddr().String()
				n := rand.IntN(most)
				mu.Lock()
				sent[name] += uint64(n)
				total += n
				mu.Unlock()
				bodies := make([]string, n)
				for i := range bodies {
					bodies[i] = name
				}
				if err := errors.Join(push(c, bodies...), c.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	known := 0
	check := func(m queue.Message) {
		switch m.Peer {
		case string(m.Body):
			known++
		case "", "127.0.0.1": // not known which
		default:
			t.Errorf("of %q, not %q", m.Body, m.Peer)
		}
	}
	take(t, r, 1, check)
	wg.Wait()
	take(t, r, total-1, check)
	t.Logf("of %d messages, %d were known", total, known)
	var of map[string]uint64
	var all uint64
	of, all = sums(r.Status().Peers)
	if all != uint64(total) {
		t.Errorf("%d are counted, %d were sent", all, total)
	}
	for name, n := range sent {
		if of[name] > n {
			t.Errorf("%s sent %d, not %d", name, n, of[name])
		}
	}
}

// shows reports whether the status has a peer with this address in this state.
func shows(r *zeromq.Receiver, address string, state queue.State) bool {
	return slices.ContainsFunc(r.Status().Peers, func(p queue.Peer) bool { return p.Address == address && p.State == state })
}

func TestPeersThatAreGoneAreSummedUp(t *testing.T) {
	r := receiver(t, zeromq.Options{})
	const programs, shown, body = 30, 16, "0123456789"
	for i := range programs {
		c, err := dial(r.Addresses()[0])
		if err != nil {
			t.Fatal(err)
		}
		name := c.LocalAddr().String()
		known(t, r, c, name, body)
		for range i {
			if err := push(c, body); err != nil {
				t.Fatal(err)
			}
		}
		take(t, r, i, func(m queue.Message) {
			if m.Peer != name {
				t.Errorf("%q is not %s", m.Peer, name)
			}
		})
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "it is gone", func() bool { return r.Status().State == queue.StateListening })
	}
	// What came before it was known who had sent it stands apart.
	peers := slices.DeleteFunc(r.Status().Peers, func(p queue.Peer) bool { return p.State == "" })
	if len(peers) != shown+1 {
		t.Fatalf("%d peers: %+v", len(peers), peers)
	}
	for i, p := range peers[:shown] {
		if want := uint64(programs - shown + i + 1); p.Messages != want || p.State != queue.StateLost {
			t.Errorf("%+v, want %d", p, want)
		}
	}
	const n = programs - shown
	if p := peers[shown]; p.Address != fmt.Sprint(n, " earlier ones") || p.Messages != n*(n+1)/2 || p.Bytes != uint64(len(body))*p.Messages {
		t.Errorf("%+v", p)
	}
}

// known sends until one message, the last, is that of the peer with this name: from there on
// the receiver is sure that nothing is left of the one before.
func known(t *testing.T, r *zeromq.Receiver, c net.Conn, name, body string) {
	t.Helper()
	await(t, "it is shown", func() bool { return shows(r, name, queue.StateConnected) })
	await(t, "it is known", func() bool {
		if err := push(c, body); err != nil {
			t.Fatal(err)
		}
		var from string
		take(t, r, 1, func(m queue.Message) { from = m.Peer })
		if from != name && from != "127.0.0.1" {
			t.Errorf("%q is not %s", from, name)
		}
		return from == name
	})
}

func TestAPeerThatComesBackOverTheSameDescriptorIsToldApart(t *testing.T) {
	r := receiver(t, zeromq.Options{})
	for range 20 {
		c, err := dial(r.Addresses()[0])
		if err != nil {
			t.Fatal(err)
		}
		name := c.LocalAddr().String()
		known(t, r, c, name, "x")
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "it is gone", func() bool { return r.Status().State == queue.StateListening })
	}
}

func TestMessagesOfSeveralServersAreCounted(t *testing.T) {
	servers := make(map[string]*zeromq.Sender)
	var addresses []string
	for range 3 {
		s := sender(t, zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Side: zeromq.Bind})
		servers[s.Addresses()[0]] = s
		addresses = append(addresses, s.Addresses()...)
	}
	r := receiver(t, zeromq.Options{Addresses: addresses, Side: zeromq.Connect})
	want := make(map[string]uint64)
	total := 0
	for i, a := range addresses {
		for range (i + 1) * 100 {
			send(t, servers[a], a)
		}
		want[a] = uint64(i+1) * 100
		total += (i + 1) * 100
	}
	take(t, r, total, func(m queue.Message) {
		if m.Peer != string(m.Body) {
			t.Errorf("of %q, not %q", m.Body, m.Peer)
		}
	})
	if of, all := sums(r.Status().Peers); all != uint64(total) || of[addresses[0]] != want[addresses[0]] || of[addresses[2]] != want[addresses[2]] {
		t.Errorf("%v, want %v", of, want)
	}
}

func TestWhoConnectsOverAUnixSocketIsShownAsItsProcess(t *testing.T) {
	uri := "ipc://" + filepath.Join(t.TempDir(), "s")
	r := receiver(t, zeromq.Options{Addresses: []string{uri}})
	p := run(t, "import sys, zmq\ns = zmq.Context().socket(zmq.PUSH)\ns.connect(sys.argv[1])\ns.send(b'x')\ns.send(b'y')\nsys.stdin.read()\ns.close()\n", uri)
	want := fmt.Sprintf("process %d", p.cmd.Process.Pid)
	take(t, r, 2, func(m queue.Message) {
		if m.Peer != want {
			t.Errorf("%q is not %s", m.Peer, want)
		}
	})
	if st := r.Status(); len(st.Peers) != 1 || st.Peers[0].Address != want || st.Peers[0].Messages != 2 || st.Peers[0].Bytes != 2 {
		t.Errorf("%+v", st)
	}
	if err := p.in.Close(); err != nil {
		t.Error(err)
	}
	p.wait()
}

func TestMessagesInsideOfTheProgramAreCounted(t *testing.T) {
	shared, err := zeromq.NewContext()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shared.Close() })
	s := sender(t, zeromq.Options{Addresses: []string{"inproc://records"}, Side: zeromq.Bind, Context: shared})
	r := receiver(t, zeromq.Options{Addresses: []string{"inproc://records"}, Side: zeromq.Connect, Context: shared})
	send(t, s, "x")
	if got := receiveBody(t, r); got != "x" {
		t.Errorf("%q", got)
	}
	if st := r.Status(); len(st.Peers) != 1 || st.Peers[0].Messages != 1 {
		t.Errorf("%+v", st)
	}
}

func TestThatAPeerLeftIsToldWithAllThatItHasSent(t *testing.T) {
	var told peers
	r := receiver(t, zeromq.Options{OnPeer: told.add})
	var taking sync.WaitGroup
	defer taking.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taking.Go(func() {
		for buf := make([]queue.Message, 100); ; {
			if _, err := r.Receive(ctx, buf); err != nil {
				return
			}
		}
	})
	for i := range 10 {
		c, err := dial(r.Addresses()[0])
		if err != nil {
			t.Fatal(err)
		}
		name := c.LocalAddr().String()
		await(t, "its name is known", func() bool { return len(told.in(queue.StateConnected)) == i+1 })
		if err := errors.Join(push(c, strings.Split(strings.Repeat("x,", 99)+"x", ",")...), c.Close()); err != nil {
			t.Fatal(err)
		}
		await(t, "that it left", func() bool { return len(told.in(queue.StateLost)) == i+1 })
		if p := told.in(queue.StateLost)[i]; p.Address != name || p.Messages != 100 || p.Bytes != 100 {
			t.Errorf("%+v, want 100 messages of %s", p, name)
		}
	}
	if n := len(r.Status().Peers); n != 10 {
		t.Errorf("%d peers", n)
	}
}
