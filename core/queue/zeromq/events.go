package zeromq

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// see notes an event.
func (m *monitor) see(event zmq.Event, addr string, value int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p *peer
	if m.side == Bind {
		p = m.seeBound(event, value)
	} else {
		p = m.seeConnected(event, addr, value)
	}
	m.forget()
	if p != nil {
		p.Since = time.Now()
		n := news{peer: p, is: p.Peer, at: p.Since}
		if p.State == queue.StateLost && m.ledger.used {
			n.mark = m.ledger.changes.Add(1)
			m.wake()
		}
		m.heard = append(m.heard, n)
	}
}

// seeBound handles the events of a socket that others connect to. A peer is known by its
// file descriptor. The events of a handshake do not say whose it was: where several go on at
// once, the one that began first is taken, and taken back when it proves to be wrong.
func (m *monitor) seeBound(event zmq.Event, value int) *peer {
	switch event {
	case zmq.EVENT_ACCEPTED:
		p := m.add(peerName(value), value)
		p.fresh = true
		m.guesses = append(m.guesses, p)
		m.connected(p)
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
	if slices.Contains(m.guesses, p) { // it may have been gone when we asked for its name
		p.Address = nobody
	}
	if m.refusals > 0 && !p.fresh && m.welcome() != nil { // the handshake that was done was that one's
		p.fresh = true
	}
	if !p.fresh {
		p.State = queue.StateLost
		return p
	}
	p.fresh, p.State = false, queue.StateFailed
	if m.refusals == 0 {
		p.Err = "it went away before it had said who it is, or is another kind of socket"
		return m.tell(p)
	}
	m.refusals--
	p.Err = m.cause
	if m.cause == errAuth { // refused tells more, and is shown
		p.gone = true
		m.peers = slices.DeleteFunc(m.peers, func(q *peer) bool { return q == p })
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
	defer m.mu.Unlock()
	p := m.at(name)
	known := p.State == queue.StateFailed
	p.State, p.Err, p.Since = queue.StateFailed, text, time.Now()
	if !known && m.tell(p) != nil {
		m.announce(news{peer: p, is: p.Peer, at: p.Since})
	}
	m.forget()
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
		p.fd, p.fresh, p.began = value, true, time.Now()
		m.connected(p)
		return nil
	case zmq.EVENT_HANDSHAKE_SUCCEEDED:
		p.fresh = false
		p.State, p.Err, m.err = queue.StateConnected, "", nil
		if p.pace != nil {
			p.pace.Up("", nil)
		}
		m.attend()
	case zmq.EVENT_DISCONNECTED:
		p.fd = -1
		switch {
		case before == queue.StateConnected:
			p.State = queue.StateLost
		case p.fresh && p.Messages == 0 && time.Since(p.began) < DefaultHandshake: // libzmq has no event for this, and gives up
			m.failedAt(p, "it is another kind of socket (sub receives from pub, pull from push)")
			m.givenUp(p)
		}
		p.fresh = false
	case zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_AUTH:
		text := handshakeError(event, value)
		if text == errAuth {
			text += ": the other end has to add the public key of this one, " + m.public
		}
		p.fresh = false
		m.failedAt(p, text)
		if event != zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL { // then libzmq tries again
			m.givenUp(p)
		}
	default:
		return nil
	}
	if p.State == before {
		return nil
	}
	return p
}

// failedAt notes that a peer that we connect to does not talk to us.
func (m *monitor) failedAt(p *peer, why string) {
	p.State, p.Err = queue.StateFailed, why
	m.err = fmt.Errorf("connect to %s: %s", p.Address, why)
	m.failed++
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
		return "the handshake failed: it does not speak ZeroMQ, the keys are wrong, or it is another kind of socket"
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
			m.ledger.sumUp(p)
		}
	}
}
