package zeromq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

// maxGone bounds how many peers that are gone are remembered.
const maxGone = 16

// monitor follows the connections of a socket through the events that libzmq
// sends about it.
type monitor struct {
	side   Side
	onPeer func(queue.Peer)
	wake   func() // wakes the owner of the socket
	public string // the key of this end, if it is a client
	cancel context.CancelFunc
	wg     sync.WaitGroup
	// unbound gets a value for each address that is not listened on any more.
	unbound chan struct{}
	// fresh gets a value when there is news, and is closed by run.
	fresh chan struct{}

	events sync.Mutex  // held while events are read and noted
	socket *zmq.Socket // used by the holder of events alone
	over   bool        // there are no more events; guarded by events

	mu      sync.Mutex
	bound   []string
	peers   []*peer
	ledger  ledger
	redials redials
	guesses []*peer // whose name is right if they are still connected
	heard   []news  // to be told when all is noted
	news    []news
	closed  bool // nobody tells news any more
	err     error
	failed  uint64 // handshakes that were refused
	// refusals are handshakes that were refused of peers that are not disconnected yet, and
	// cause says why the last of them was.
	refusals int
	cause    string
	told     []time.Time // when refusals were told lately
}

// peer is one connection: to an address that we connect to, or from somebody
// who connected to us.
type peer struct {
	queue.Peer
	fd      int  // of the connection; -1 if there is none
	wanted  bool // we connect to it: it is never forgotten
	to      address
	pace    *link.Link // of wanted peers: when to try again what libzmq does not
	refused bool       // libzmq does not try any more, and neither do we yet
	fresh   bool       // it is connected, and has not said yet who it is
	began   time.Time  // when we connected to it
	gone    bool       // it was forgotten
}

// watched are the events that say something about a peer.
const watched = zmq.EVENT_ACCEPTED | zmq.EVENT_CONNECTED | zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_DISCONNECTED |
	zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL |
	zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH |
	zmq.EVENT_ACCEPT_FAILED | zmq.EVENT_CLOSED | zmq.EVENT_MONITOR_STOPPED

// watch starts to follow the socket of e, which does not bind or connect yet.
func watch(e *endpoint) (_ *monitor, err error) {
	name := fmt.Sprintf("inproc://logbook-monitor-%p", e)
	if err := e.socket.Monitor(name, watched); err != nil {
		return nil, err
	}
	m := &monitor{
		side: e.opts.Side, onPeer: e.opts.OnPeer, wake: e.wake,
		unbound: make(chan struct{}, len(e.addresses)), fresh: make(chan struct{}, 1),
	}
	if c := e.opts.Curve; c != nil && c.ServerKey != "" {
		if m.public, err = c.public(); err != nil {
			return nil, err
		}
	}
	m.ledger.read = make(chan struct{})
	m.ledger.claims, m.ledger.routes = make(map[int][]*claim), make(map[int]*route)
	m.ledger.silent = !slices.ContainsFunc(e.addresses, func(a address) bool { return a.transport != "inproc" })
	m.ledger.used = e.opts.Pattern == Pull || e.opts.Pattern == Sub
	if m.socket, err = e.context.zmq.NewSocket(zmq.PAIR); err != nil {
		return nil, err
	}
	if err := errors.Join(m.socket.SetLinger(0), m.socket.Connect(name)); err != nil {
		return nil, errors.Join(err, m.socket.Close())
	}
	signal, err := newSignal(m.socket)
	if err != nil {
		return nil, errors.Join(err, m.socket.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.redials.due = make(chan struct{}, 1)
	m.redials.later = m.redialed(ctx)
	m.wg.Go(func() { m.run(signal) })
	m.wg.Go(m.tellNews)
	if e.opts.Side == Connect {
		m.wg.Go(func() { m.lookup(ctx, e.addresses) })
	}
	return m, nil
}

// wait waits for the goroutines; libzmq must have been told to stop
// monitoring.
func (m *monitor) wait() {
	m.cancel()
	m.wg.Wait()
}

// unbindTimeout bounds how long libzmq may take to close a listening socket.
const unbindTimeout = time.Second

// awaitUnbound waits until libzmq has closed n listening sockets.
func (m *monitor) awaitUnbound(n int) {
	t := time.NewTimer(unbindTimeout)
	defer t.Stop()
	for range n {
		select {
		case <-m.unbound:
		case <-t.C:
			return
		}
	}
}

// run notes events until libzmq says that there will be no more.
func (m *monitor) run(signal signal) {
	for m.catchUp() {
		signal.wait()
	}
	m.events.Lock()
	_ = m.socket.Close()
	m.events.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	close(m.fresh)
	close(m.ledger.read)
}

// catchUp notes the events that have been sent until now, and reports whether more may
// follow. Besides run, the owner of the socket calls it: what it has received was
// sent after the event that says from whom.
func (m *monitor) catchUp() bool {
	m.events.Lock()
	defer m.events.Unlock()
	for n := 0; !m.over; n++ {
		event, addr, value, err := m.socket.RecvEvent(zmq.DONTWAIT)
		if is(err, zmq.Errno(syscall.EAGAIN)) {
			if n > 0 {
				m.caughtUp()
			}
			return true
		}
		if m.over = err != nil || event == zmq.EVENT_MONITOR_STOPPED; !m.over {
			m.see(event, addr, value)
		}
	}
	m.caughtUp()
	return false
}

// caughtUp is called when all that has happened until now is noted: who has not been said
// to be gone was connected when we asked for its name.
func (m *monitor) caughtUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.guesses = nil
	for _, n := range m.heard {
		n.is.Address = n.peer.Address
		m.announce(n)
	}
	clear(m.heard)
	m.heard = m.heard[:0]
}

// news is what onPeer is to be told.
type news struct {
	peer *peer
	is   queue.Peer
	mark uint64 // of the ledger, when all that the peer has sent is counted
	at   time.Time
}

// maxNews bounds how much waits for onPeer; what comes when it is full is not told.
const maxNews = 1000

// maxUncounted bounds how long it may take until what a peer has sent is counted that is gone.
const maxUncounted = time.Second

// announce has onPeer told. m.mu is held.
func (m *monitor) announce(n news) {
	if m.onPeer == nil || m.closed || len(m.news) >= maxNews {
		return
	}
	m.news = append(m.news, n)
	select {
	case m.fresh <- struct{}{}:
	default:
	}
}

// tellNews calls onPeer, which may take its time without delaying libzmq.
func (m *monitor) tellNews() {
	for open := true; open; {
		_, open = <-m.fresh
		m.mu.Lock()
		list := m.news
		m.news = nil
		m.mu.Unlock()
		for _, n := range list {
			m.counted(&n)
			m.onPeer(n.is)
		}
	}
}

// counted waits until all that a peer has sent is counted, or for as long as that may take.
func (m *monitor) counted(n *news) {
	late := time.NewTimer(maxUncounted - time.Since(n.at))
	defer late.Stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	for waiting := true; waiting && n.mark > m.ledger.settled && !m.closed; {
		read := m.ledger.read
		m.mu.Unlock()
		select {
		case <-read:
		case <-late.C:
			waiting = false
		}
		m.mu.Lock()
	}
	n.is.Messages, n.is.Bytes = n.peer.Messages, n.peer.Bytes
}

// lookup tells early that a host name does not exist: libzmq tries for ever,
// and says nothing.
func (m *monitor) lookup(ctx context.Context, addresses []address) {
	for _, a := range addresses {
		if a.transport != "tcp" || isIP(a.host) {
			continue
		}
		if _, err := net.DefaultResolver.LookupNetIP(ctx, "ip", a.host); err != nil && ctx.Err() == nil {
			m.unresolved(a, err)
		}
	}
}

func (m *monitor) unresolved(a address, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.at(a.endpoint())
	if p.State == queue.StateConnecting {
		p.Err = fmt.Sprintf("host %q cannot be resolved: %v; trying again", a.host, shortDNS(err))
		m.err = fmt.Errorf("connect to %s: %s", a.uri, p.Err)
	}
}

func (m *monitor) listens(endpoint string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bound = append(m.bound, endpoint)
}

// expects adds an address that is going to be connected to.
func (m *monitor) expects(a address, o *Options) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.at(a.endpoint())
	p.wanted, p.to = true, a
	if a.transport != "inproc" {
		o.paces(p)
		return
	}
	p.State = queue.StateConnected // there are no events for those
	if len(o.Addresses) == 1 {
		m.ledger.sole = p
	}
}

// at returns the peer with an address, adding it if need be. m.mu is held.
func (m *monitor) at(addr string) *peer {
	for _, p := range m.peers {
		if p.Address == addr {
			return p
		}
	}
	return m.add(addr, -1)
}

func (m *monitor) add(addr string, fd int) *peer {
	p := &peer{Peer: queue.Peer{Address: addr, State: queue.StateConnecting, Since: time.Now()}, fd: fd}
	m.peers = append(m.peers, p)
	return p
}

// status sums up.
func (m *monitor) status() queue.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := queue.Status{State: queue.StateListening, Err: m.err}
	if m.side == Connect {
		s.State = queue.StateConnecting
	}
	count := make(map[queue.State]int)
	for _, p := range m.peers {
		shown := p.Peer
		if m.side == Bind && p.fresh && time.Since(p.Since) > DefaultHandshake { // of the time before handshakes: libzmq has not dropped it
			shown.State = queue.StateConnected
		}
		s.Peers = append(s.Peers, shown)
		count[shown.State]++
	}
	s.Peers = append(s.Peers, m.ledger.rest()...)
	order := []queue.State{queue.StateConnected}
	if m.side == Connect {
		order = append(order, queue.StateFailed, queue.StateLost)
	}
	for _, state := range order {
		if count[state] > 0 {
			s.State = state
			break
		}
	}
	var detail []string
	if len(m.bound) > 0 {
		detail = append(detail, "listening on "+strings.Join(m.bound, " "))
	}
	if m.failed > 0 {
		detail = append(detail, fmt.Sprintf("%d handshakes refused", m.failed))
	}
	s.Detail = strings.Join(detail, "; ")
	return s
}

// anyConnected reports whether a peer is connected.
func (m *monitor) anyConnected() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.peers, func(p *peer) bool { return p.State == queue.StateConnected })
}
