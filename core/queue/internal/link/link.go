// Package link keeps the condition of a connection to a broker, and paces the attempts to
// get it back.
package link

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// The defaults of [New].
const (
	DefaultMin = 100 * time.Millisecond
	DefaultMax = 10 * time.Second
)

// Link is one connection. Its methods may be called from several goroutines.
//
// A connection that breaks again and again, as one over which the broker refuses whatever
// is said, is no reason to talk again and again: attempts get rarer all the same, and
// that it is up is told when it has lasted.
type Link struct {
	min, max time.Duration
	onPeer   func(queue.Peer)

	mu     sync.Mutex
	peer   queue.Peer
	told   queue.Peer // what onPeer knows
	err    error
	detail string
	delay  time.Duration
	brief  bool        // the last connection did not last
	settle *time.Timer // until this one has; nil if it is not the question
}

// New returns a link to an address, which is shown to people. Attempts to connect are
// between least and most apart; 0 means the defaults. onPeer, if not nil, is told
// when the state changes.
func New(address string, least, most time.Duration, onPeer func(queue.Peer)) *Link {
	if least <= 0 {
		least = DefaultMin
	}
	if most <= 0 {
		most = DefaultMax
	}
	peer := queue.Peer{Address: address, State: queue.StateConnecting, Since: time.Now()}
	return &Link{min: least, max: max(least, most), onPeer: onPeer, peer: peer, told: peer}
}

// Up says that the connection works. detail is a remark for people, and remark, if not
// nil, something that is wrong nevertheless. It may be said again when that changes.
func (l *Link) Up(detail string, remark error) {
	l.mu.Lock()
	l.detail = detail
	if l.brief && l.peer.State != queue.StateConnected {
		l.settle = time.AfterFunc(l.max, l.settled)
	}
	l.set(queue.StateConnected, remark)
}

// settled says that the connection has lasted.
func (l *Link) settled() {
	l.mu.Lock()
	if l.settle == nil { // it has broken just now
		l.mu.Unlock()
		return
	}
	l.settle, l.brief, l.delay = nil, false, 0
	l.tell()
}

// Down says that there is no connection, and why. refused says that the broker is there
// and does not want us: that is tried again as well, because somebody may repair it.
func (l *Link) Down(err error, refused bool) {
	l.mu.Lock()
	if l.peer.State == queue.StateConnected {
		if l.brief = time.Since(l.peer.Since) < l.max; !l.brief {
			l.delay = 0
		}
		l.unsettle()
	}
	state := queue.StateLost
	switch {
	case refused:
		state = queue.StateFailed
	case l.peer.State == queue.StateConnecting || l.peer.State == queue.StateFailed:
		state = queue.StateConnecting
	}
	l.set(state, err)
}

// Closed says that it is over.
func (l *Link) Closed() {
	l.mu.Lock()
	l.unsettle()
	l.set(queue.StateClosed, nil)
}

// unsettle says that it does not matter any more whether the connection lasts. l.mu is held.
func (l *Link) unsettle() {
	if l.settle != nil {
		l.settle.Stop()
		l.settle = nil
	}
}

// set enters a state. It unlocks l.mu.
func (l *Link) set(state queue.State, err error) {
	if l.peer.State != state {
		l.peer.State, l.peer.Since = state, time.Now()
	}
	l.err, l.peer.Err = err, ""
	if err != nil {
		l.peer.Err = err.Error()
	}
	l.tell()
}

// tell tells what is new: not each error of each attempt, nor what is not settled. It
// unlocks l.mu.
func (l *Link) tell() {
	p := l.peer
	news := p.State != l.told.State || p.State == queue.StateConnected && p.Err != l.told.Err ||
		p.State == queue.StateConnecting && l.told.Err == "" && p.Err != ""
	if !news || l.settle != nil {
		l.mu.Unlock()
		return
	}
	l.told = p
	l.mu.Unlock()
	if l.onPeer != nil {
		l.onPeer(p)
	}
}

// Status returns the condition.
func (l *Link) Status() queue.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := queue.Status{State: l.peer.State, Peers: []queue.Peer{l.peer}, Err: l.err}
	if s.State == queue.StateConnected {
		s.Detail = l.detail
	}
	return s
}

// Pause waits before the next attempt: twice as long as the time before, and up to half
// less, so that those who lost the same broker do not all come back at once. It
// reports false when ctx ended.
func (l *Link) Pause(ctx context.Context) bool {
	l.mu.Lock()
	l.delay = min(max(2*l.delay, l.min), l.max)
	wait := l.delay - rand.N(l.delay/2+1)
	l.mu.Unlock()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
