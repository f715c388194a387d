package zeromq

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// sendAhead is how many records wait between Send and the socket, besides those
// that libzmq holds.
const sendAhead = 256

// sendAhead is how many records wait between Send and the socket.
func (o *Options) sendAhead() int {
	if o.holds() {
		return max(o.Queue, sendAhead)
	}
	return sendAhead
}

// holds reports whether records are held back until somebody takes them: those that libzmq
// has for somebody who then refuses us are lost.
func (o *Options) holds() bool { return o.Pattern == Push && o.Side == Connect && o.Curve != nil }

// askEvery is how often WaitPeer looks.
const askEvery = 10 * time.Millisecond

// Sender is the sending end: [Pub] or [Push].
//
// Send returns when the record is queued. With Push it waits when the queues
// are full because nobody receives, as long as its context allows. With Pub it
// never waits: who does not subscribe, or is too slow, misses records.
type Sender struct {
	*endpoint
	out  chan []byte
	ask  chan chan bool // asks the owner whether there is a subscriber
	stop chan struct{}  // closed by Close
	done chan struct{}  // closed when the owner has ended

	sent, lost, unheard atomic.Uint64

	subscribers int // topics that are subscribed to; used by the owner alone
	stopping    sync.Once
}

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender binds or connects a socket that sends records.
func NewSender(o Options) (*Sender, error) {
	o, err := o.withDefaults(Push, DefaultSendQueue)
	if err != nil {
		return nil, err
	}
	var kind zmq.Type
	switch o.Pattern {
	case Push:
		kind = zmq.PUSH
	case Pub:
		kind = zmq.XPUB // a PUB that tells who subscribes
	default:
		return nil, fmt.Errorf("a sender cannot be %q (pub or push)", o.Pattern)
	}
	e, err := open(o, kind)
	if err != nil {
		return nil, err
	}
	s := &Sender{
		endpoint: e,
		out:      make(chan []byte, o.sendAhead()),
		ask:      make(chan chan bool),
		stop:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	go s.own()
	return s, nil
}

// String returns the addresses, those that are bound with the port that was
// chosen.
func (s *Sender) String() string { return s.name() }

// Addresses returns the endpoints that are bound, with the port that was
// chosen for port 0; none if the sender connects.
func (s *Sender) Addresses() []string { return s.bound }

// Status returns the connections as libzmq reports them.
func (s *Sender) Status() queue.Status {
	st := s.status()
	select {
	case <-s.done:
		st.State = queue.StateClosed
	default:
	}
	return st
}

// Sent returns how many records were given to libzmq for somebody, and Lost how many were
// left when Close ran out of time.
func (s *Sender) Sent() uint64 { return s.sent.Load() }

// Lost returns how many records Close had to leave; see [Sender.Sent].
func (s *Sender) Lost() uint64 { return s.lost.Load() }

// Unheard returns how many records were published while nobody subscribed to anything. They are
// not among those that were sent.
func (s *Sender) Unheard() uint64 { return s.unheard.Load() }

// Send implements [queue.Sender].
func (s *Sender) Send(ctx context.Context, body []byte) error {
	if s.isClosing() {
		return queue.ErrClosed
	}
	own := bytes.Clone(body)
	select {
	case s.out <- own:
		return nil
	default:
	}
	select {
	case s.out <- own:
		return nil
	case <-s.stop:
		return queue.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("nobody receives from %s: %w", s.name(), ctx.Err())
	}
}

// WaitPeer waits until somebody receives what is sent: a subscriber with Pub, a
// connection with Push. What is published before is lost.
func (s *Sender) WaitPeer(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		ready := s.opts.Pattern == Push && s.status().State == queue.StateConnected
		if s.opts.Pattern == Pub {
			reply := make(chan bool, 1)
			select {
			case s.ask <- reply:
				ready = <-reply
			case <-s.done:
				return queue.ErrClosed
			case <-ctx.Done():
			}
		}
		if ready {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.done:
			return queue.ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("nobody receives from %s: %w", s.name(), ctx.Err())
		}
	}
}

// Close implements [queue.Sender]. It waits for the linger time at most until
// everything is sent.
func (s *Sender) Close() error {
	s.stopping.Do(func() {
		close(s.stop)
		s.wake()
		<-s.done
		s.release()
	})
	if n := s.Lost(); n > 0 {
		return fmt.Errorf("close %s: %d records were not sent within %v", s.name(), n, s.opts.Linger)
	}
	return nil
}

// own is the goroutine that owns the socket.
func (s *Sender) own() {
	defer close(s.done)
	poller := zmq.NewPoller()
	poller.Add(s.socket, zmq.POLLOUT)
	poller.Add(s.woken, zmq.POLLIN)
	for {
		out := s.out
		if s.held() {
			out = nil
		}
		select {
		case body := <-out:
			s.send(poller, body)
		case <-s.monitor.redials.due:
			s.redial()
		case reply := <-s.ask:
			s.readSubscriptions()
			reply <- s.subscribers > 0
		case <-s.stop:
			s.finish(poller)
			return
		}
	}
}

// held reports whether what is queued has to wait.
func (s *Sender) held() bool { return s.opts.holds() && !s.monitor.anyConnected() }

// finish sends what is queued, within the linger time.
func (s *Sender) finish(poller *zmq.Poller) {
	deadline := time.Now().Add(s.opts.Linger)
	late := time.NewTimer(s.opts.Linger)
	defer late.Stop()
	for waiting := true; waiting && s.held() && len(s.out) > 0; {
		select {
		case <-s.monitor.redials.due:
			s.redial()
		case <-late.C:
			waiting = false
		}
	}
	held := s.held()
	for {
		select {
		case body := <-s.out:
			if held || !s.sendUntil(poller, body, deadline) {
				s.lost.Add(1)
			}
		default:
			return
		}
	}
}

// send sends body, waiting as long as nobody takes it and the sender is not
// closed; the linger time starts then.
func (s *Sender) send(poller *zmq.Poller, body []byte) {
	if !s.sendUntil(poller, body, time.Time{}) && !s.sendUntil(poller, body, time.Now().Add(s.opts.Linger)) {
		s.lost.Add(1)
	}
}

// sendUntil sends body and reports whether it did: until the deadline, or if
// that is zero until the sender is closed.
func (s *Sender) sendUntil(poller *zmq.Poller, body []byte, deadline time.Time) bool {
	for {
		err := s.try(body)
		if err == nil {
			if s.opts.Pattern == Pub && s.subscribers == 0 {
				s.unheard.Add(1)
			} else {
				s.sent.Add(1)
			}
			return true
		}
		if !is(err, zmq.Errno(syscall.EAGAIN)) {
			return false
		}
		wait := time.Duration(-1)
		if !deadline.IsZero() {
			if wait = time.Until(deadline); wait < time.Millisecond {
				return false
			}
		} else if s.isClosing() {
			return false
		}
		if _, err := poller.Poll(wait); err != nil {
			return false
		}
		s.clearWake()
		select {
		case <-s.monitor.redials.due:
			s.redial()
		default:
		}
	}
}

func (s *Sender) isClosing() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// try sends body if that is possible at once.
func (s *Sender) try(body []byte) error {
	if s.opts.Pattern == Pub {
		s.readSubscriptions()
	}
	if s.opts.Topic != "" {
		if _, err := s.socket.Send(s.opts.Topic, zmq.SNDMORE|zmq.DONTWAIT); err != nil {
			return err
		}
	}
	_, err := s.socket.SendBytes(body, zmq.DONTWAIT)
	return err
}

// readSubscriptions reads who has subscribed: 1 and the topic, or 0 and the topic.
func (s *Sender) readSubscriptions() {
	for {
		m, err := s.socket.RecvBytes(zmq.DONTWAIT)
		if err != nil {
			return
		}
		switch {
		case len(m) == 0:
		case m[0] == 1:
			s.subscribers++
		default:
			s.subscribers--
		}
	}
}
