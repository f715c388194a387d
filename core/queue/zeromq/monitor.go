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
)

// maxGone bounds how many peers that are gone are remembered.
const maxGone = 16

// monitor follows the connections of a socket through the events that libzmq
// sends about it.
type monitor struct {
	side   Side
	onPeer func(queue.Peer)
	socket *zmq.Socket // used by run alone
	cancel context.CancelFunc
	wg     sync.WaitGroup
	// unbound gets a value for each address that is not listened on any more.
	unbound chan struct{}

	mu     sync.Mutex
	bound  []string
	peers  []*peer
	err    error
	failed uint64 // handshakes that were refused
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
	fd     int  // of the connection; -1 if there is none
	wanted bool // we connect to it: it is never forgotten
	fresh  bool // it has connected to us, and not said yet who it is
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
	m := &monitor{side: e.opts.Side, onPeer: e.opts.OnPeer, unbound: make(chan struct{}, len(e.addresses))}
	if m.socket, err = e.context.zmq.NewSocket(zmq.PAIR); err != nil {
		return nil, err
	}
	if err := errors.Join(m.socket.SetLinger(0), m.socket.Connect(name)); err != nil {
		return nil, errors.Join(err, m.socket.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.wg.Go(m.run)
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

// run reads events until libzmq says that there will be no more.
func (m *monitor) run() {
	defer func() { _ = m.socket.Close() }()
	for {
		event, addr, value, err := m.socket.RecvEvent(0)
		if err != nil || event == zmq.EVENT_MONITOR_STOPPED {
			return
		}
		if p, changed := m.see(event, addr, value); changed && m.onPeer != nil {
			m.onPeer(p)
		}
	}
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
func (m *monitor) expects(a address) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.at(a.endpoint())
	p.wanted = true
	if a.transport == "inproc" { // there are no events for those
		p.State = queue.StateConnected
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

// see notes an event and reports whether a peer changed.
func (m *monitor) see(event zmq.Event, addr string, value int) (queue.Peer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p *peer
	if m.side == Bind {
		p = m.seeBound(event, value)
	} else {
		p = m.seeConnected(event, addr, value)
	}
	m.forget()
	if p == nil {
		return queue.Peer{}, false
	}
	p.Since = time.Now()
	return p.Peer, true
}

// seeBound handles the events of a socket that others connect to. A peer is known by its
// file descriptor. The events of a handshake do not say whose it was: where several go on at
// once, the one that began first is taken, and taken back when it proves to be wrong.
func (m *monitor) seeBound(event zmq.Event, value int) *peer {
	switch event {
	case zmq.EVENT_ACCEPTED:
		m.add(peerName(value), value).fresh = true
	case zmq.EVENT_HANDSHAKE_SUCCEEDED:
		return m.welcome()
	case zmq.EVENT_DISCONNECTED:
		for _, p := range m.peers {
			if p.fd == value {
				return m.left(p)
			}
		}
	case zmq.EVENT_CLOSED:
		select {
		case m.unbound <- struct{}{}:
		default:
		}
	case zmq.EVENT_ACCEPT_FAILED:
		m.err = fmt.Errorf("accept a connection: %w", syscall.Errno(value))
	case zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_AUTH:
		m.failed++
		m.refusals++
		m.cause = handshakeError(event, value)
		m.err = fmt.Errorf("a peer was refused: %s", m.cause)
	}
	return nil
}

// welcome is called when the handshake of a peer that has connected to us is done.
func (m *monitor) welcome() *peer {
	for _, p := range m.peers {
		if p.fresh {
			p.fresh, p.State = false, queue.StateConnected
			return p
		}
	}
	return nil
}

// left is called when a peer that had connected to us is gone.
func (m *monitor) left(p *peer) *peer {
	p.fd = -1
	if m.refusals > 0 && !p.fresh && m.welcome() != nil { // the handshake that was done was that one's
		p.fresh = true
	}
	if !p.fresh {
		p.State = queue.StateLost
		return p
	}
	p.fresh, p.State = false, queue.StateFailed
	if m.refusals == 0 {
		p.Err = "it went away before it had said who it is"
		return m.tell(p)
	}
	m.refusals--
	p.Err = m.cause
	if m.cause == errAuth { // refused tells more
		return nil
	}
	return m.tell(p)
}

// refused is called by the authenticator for a client whose key is not on the list. address
// is without a port.
func (m *monitor) refused(address, key string) {
	m.mu.Lock()
	name := address + " key " + key
	text := "its key is not among those that may connect: " + key
	if key == "" {
		name, text = address, "it has no key"
	}
	p := m.at(name)
	known := p.State == queue.StateFailed
	p.State, p.Err, p.Since = queue.StateFailed, text, time.Now()
	if !known {
		known = m.tell(p) == nil
	}
	told := p.Peer
	m.forget()
	m.mu.Unlock()
	if !known && m.onPeer != nil {
		m.onPeer(told)
	}
}

// Refusals are told this often at most, in this time: a client that is refused tries again
// and again, and so may many.
const (
	maxTold  = 10
	toldTime = time.Minute
)

// tell returns p, or nil if enough has been told lately.
func (m *monitor) tell(p *peer) *peer {
	now := time.Now()
	m.told = slices.DeleteFunc(m.told, func(at time.Time) bool { return now.Sub(at) > toldTime })
	if len(m.told) >= maxTold {
		return nil
	}
	m.told = append(m.told, now)
	return p
}

// seeConnected handles the events of a socket that connects.
func (m *monitor) seeConnected(event zmq.Event, addr string, value int) *peer {
	p := m.at(addr)
	before := p.State
	switch event {
	case zmq.EVENT_CONNECTED: // not yet: the handshake follows
		p.fd = value
		return nil
	case zmq.EVENT_HANDSHAKE_SUCCEEDED:
		p.State, p.Err, m.err = queue.StateConnected, "", nil
	case zmq.EVENT_DISCONNECTED:
		if before == queue.StateConnected {
			p.State = queue.StateLost
		}
		p.fd = -1
	case zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_AUTH:
		p.State, p.Err = queue.StateFailed, handshakeError(event, value)
		m.err = fmt.Errorf("connect to %s: %s", addr, p.Err)
		m.failed++
	default:
		return nil
	}
	if p.State == before {
		return nil
	}
	return p
}

// errAuth is what is said where a key was refused.
const errAuth = "the keys were not accepted"

// cryptographic is ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: a message could not be opened.
const cryptographic = 0x11000001

func handshakeError(event zmq.Event, value int) string {
	switch {
	case event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL && value == cryptographic:
		return "the keys are wrong: it has another public key of the server"
	case event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
		return "it does not speak ZeroMQ, or uses other security settings (curve keys on one side only)"
	case event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
		return errAuth
	default:
		return "the handshake failed: it does not speak ZeroMQ, or the keys are wrong"
	}
}

// forget drops the peers that have been gone for longest. m.mu is held.
func (m *monitor) forget() {
	gone := 0
	for i, p := range slices.Backward(m.peers) {
		if p.wanted || p.fd >= 0 {
			continue
		}
		if gone++; gone > maxGone {
			m.peers = slices.Delete(m.peers, i, i+1)
		}
	}
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
		if p.fresh && time.Since(p.Since) > DefaultHandshake { // of the time before handshakes: libzmq has not dropped it
			shown.State = queue.StateConnected
		}
		s.Peers = append(s.Peers, shown)
		count[shown.State]++
	}
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
