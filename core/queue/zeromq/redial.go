package zeromq

import (
	"context"
	"errors"

	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

// redials are the addresses that libzmq has given up: it tries for ever to reach
// somebody, but once the other end has refused our key, or was something else than we had
// expected, it does not come back. That is repaired at the other end, by somebody who
// should not have to do anything here. It is guarded by monitor.mu, due apart.
type redials struct {
	given []*peer // to be disconnected
	wait  []*peer // to be connected again
	// due gets a value when there is something in given or wait, or a peer has connected.
	due   chan struct{}
	later func(*peer) // puts a peer into wait after a while
}

// A refusal is tried again after refusedMin times ReconnectMin, and up to refusedMax times
// ReconnectMax: each time the other end notes it.
const (
	refusedMin = 10
	refusedMax = 6
)

// paces prepares p to be connected again.
func (o *Options) paces(p *peer) {
	p.pace = link.New(p.Address, refusedMin*o.ReconnectMin, refusedMax*o.ReconnectMax, nil)
}

// redialed returns what puts peers into wait until ctx ends.
func (m *monitor) redialed(ctx context.Context) func(*peer) {
	return func(p *peer) {
		m.wg.Go(func() {
			if !p.pace.Pause(ctx) {
				return
			}
			m.mu.Lock()
			m.redials.wait = append(m.redials.wait, p)
			m.mu.Unlock()
			m.attend()
		})
	}
}

// attend has the owner look after due.
func (m *monitor) attend() {
	select {
	case m.redials.due <- struct{}{}:
	default:
	}
	m.wake()
}

// givenUp notes that libzmq does not try p any more. m.mu is held.
func (m *monitor) givenUp(p *peer) {
	if p.pace == nil || p.refused {
		return
	}
	p.refused = true
	p.pace.Down(errors.New(p.Err), true)
	m.redials.given = append(m.redials.given, p)
	m.redials.later(p)
	m.attend()
}

// redial connects again where that is due. Only the owner calls it.
func (e *endpoint) redial() {
	m := e.monitor
	m.catchUp()
	m.mu.Lock()
	given, wait := m.redials.given, m.redials.wait
	m.redials.given, m.redials.wait = nil, nil
	for _, p := range wait {
		p.refused = false
	}
	m.mu.Unlock()
	for _, p := range given { // at once: libzmq knows what it has given up by where that was in memory
		_ = e.socket.Disconnect(p.to.endpoint())
	}
	if e.detached {
		return
	}
	for _, p := range wait {
		if err := errors.Join(p.to.family(e.socket), e.socket.Connect(p.to.endpoint())); err != nil {
			m.mu.Lock()
			p.Err = err.Error()
			m.givenUp(p)
			m.mu.Unlock()
		}
	}
}
