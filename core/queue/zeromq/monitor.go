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
}

// peer is one connection: to an address that we connect to, or from somebody
// who connected to us.
type peer struct {
	queue.Peer
	fd     int  // of the connection; -1 if there is none
	wanted bool // we connect to it: it is never forgotten
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
	p := &peer{queue.Peer{Address: addr, State: queue.StateConnecting, Since: time.Now()}, fd, false}
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
	if p == nil {
		return queue.Peer{}, false
	}
	p.Since = time.Now()
	m.forget()
	return p.Peer, true
}

// seeBound handles the events of a socket that others connect to. A peer is
// known by its file descriptor; events of the handshake do not say whose.
func (m *monitor) seeBound(event zmq.Event, value int) *peer {
	switch event {
	case zmq.EVENT_ACCEPTED:
		p := m.add(peerName(value), value)
		p.State = queue.StateConnected
		return p
	case zmq.EVENT_DISCONNECTED:
		for _, p := range m.peers {
			if p.fd == value {
				p.fd, p.State = -1, queue.StateLost
				return p
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
		m.err = fmt.Errorf("a peer was refused: %s", handshakeError(event))
	}
	return nil
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
		p.State, p.Err = queue.StateFailed, handshakeError(event)
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

func handshakeError(event zmq.Event) string {
	switch event {
	case zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
		return "it does not speak ZeroMQ, or uses other security settings (curve keys on one side only)"
	case zmq.EVENT_HANDSHAKE_FAILED_AUTH:
		return "the keys were not accepted"
	default:
		return "the handshake failed: it does not speak ZeroMQ, or the keys are wrong"
	}
}

// forget drops the peers that have been gone for longest. m.mu is held.
func (m *monitor) forget() {
	gone := 0
	for i, p := range slices.Backward(m.peers) {
		if p.wanted || p.State != queue.StateLost {
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
		s.Peers = append(s.Peers, p.Peer)
		count[p.State]++
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
