package nng

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.nanomsg.org/mangos/v3"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// Sender is the sending end.
type Sender struct {
	*endpoint
	out     chan []byte // of Push
	stop    chan struct{}
	waiting atomic.Int64 // records that were handed over and are not written
	sent    atomic.Uint64
	lost    atomic.Uint64
	unheard atomic.Uint64
	closing sync.Once
	closeEr error

	mu          sync.Mutex
	again       [][]byte              // of Push: what a connection failed to write
	subscribers map[*peer]chan []byte // of Pub
	retry       chan struct{}         // capacity 1: something is in again
}

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender listens or dials. A [Push] sender holds records until somebody is there.
func NewSender(o Options) (*Sender, error) {
	o, err := o.withDefaults(Push, Dial)
	if err != nil {
		return nil, err
	}
	s := &Sender{
		out: make(chan []byte, o.Queue), stop: make(chan struct{}), retry: make(chan struct{}, 1),
		subscribers: make(map[*peer]chan []byte),
	}
	serve := s.push
	switch o.Pattern {
	case Push:
	case Pub:
		serve = s.publish
	default:
		return nil, fmt.Errorf("a sender cannot be %q (pub or push)", o.Pattern)
	}
	s.endpoint = newEndpoint(o, serve)
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// String returns the addresses, those that are listened on with the port that was
// chosen.
func (s *Sender) String() string { return s.name() }

// Addresses returns what is listened on, with the port that was chosen for port 0;
// none if the sender dials.
func (s *Sender) Addresses() []string { return slices.Clone(s.bound) }

// Status lists the peers that are connected, and those that left last.
func (s *Sender) Status() queue.Status { return s.status() }

// Sent returns how many records were written to a connection, by a [Pub] sender to any of
// them.
func (s *Sender) Sent() uint64 { return s.sent.Load() }

// Lost returns how many records a slow subscriber did not take, or Close had to leave.
func (s *Sender) Lost() uint64 { return s.lost.Load() }

// Unheard returns how many records were published while nobody was connected.
func (s *Sender) Unheard() uint64 { return s.unheard.Load() }

// Send implements [queue.Sender]. With [Pub] it does not wait; what is published while
// nobody subscribes is gone.
func (s *Sender) Send(ctx context.Context, body []byte) error {
	select {
	case <-s.stop:
		return queue.ErrClosed
	default:
	}
	if s.opts.Pattern == Pub {
		s.fanOut(append([]byte(s.opts.Topic), body...))
		return nil
	}
	s.waiting.Add(1)
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
		s.waiting.Add(-1)
		return queue.ErrClosed
	case <-ctx.Done():
		s.waiting.Add(-1)
		return fmt.Errorf("nobody receives from %s: %w", s.name(), ctx.Err())
	}
}

// fanOut gives a record to all subscribers that have room for it.
func (s *Sender) fanOut(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subscribers) == 0 {
		s.unheard.Add(1)
	}
	for _, to := range s.subscribers {
		select {
		case to <- body:
			s.waiting.Add(1)
		default:
			s.lost.Add(1)
		}
	}
}

// WaitPeer waits until somebody is connected. What is published before is lost.
func (s *Sender) WaitPeer(ctx context.Context) error {
	return s.await(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.subscribers) > 0 || s.opts.Pattern == Push && len(s.connected()) > 0
	})
}

// askEvery is how often a condition is looked at that somebody waits for.
const askEvery = 5 * time.Millisecond

func (s *Sender) await(ctx context.Context, condition func() bool) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("nobody receives from %s: %w", s.name(), ctx.Err())
		}
	}
	return nil
}

// push serves one connection of a Push sender.
func (s *Sender) push(p *peer) {
	defer s.watch(p)()
	for {
		body, ok := s.next(p)
		if !ok {
			return
		}
		if !s.write(p, body) {
			s.mu.Lock()
			s.again = append(s.again, body)
			s.mu.Unlock()
			s.signal()
			return
		}
		s.waiting.Add(-1)
	}
}

// next returns the next record for a connection: first what another one failed to write.
func (s *Sender) next(p *peer) ([]byte, bool) {
	for {
		select {
		case <-p.gone:
			s.signal() // somebody else may look
			return nil, false
		default:
		}
		if body, ok := s.failed(); ok {
			return body, true
		}
		select {
		case body := <-s.out:
			return body, true
		case <-s.retry:
		case <-p.gone:
		}
	}
}

func (s *Sender) failed() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.again) == 0 {
		return nil, false
	}
	body := s.again[0]
	s.again = s.again[1:]
	return body, true
}

func (s *Sender) signal() {
	select {
	case s.retry <- struct{}{}:
	default:
	}
}

// publish serves one connection of a Pub sender.
func (s *Sender) publish(p *peer) {
	defer s.watch(p)()
	to := make(chan []byte, s.opts.Queue)
	s.mu.Lock()
	s.subscribers[p] = to
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.subscribers, p)
		s.mu.Unlock()
		s.lost.Add(uint64(len(to)))
		s.waiting.Add(-int64(len(to)))
	}()
	for {
		select {
		case body := <-to:
			written := s.write(p, body)
			s.waiting.Add(-1)
			if !written {
				s.lost.Add(1)
				return
			}
		case <-p.gone:
			return
		}
	}
}

// watch notices the end of a connection on which nobody answers, until the function that
// it returns is called.
func (s *Sender) watch(p *peer) func() {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for m := p.pipe.RecvMsg(); m != nil; m = p.pipe.RecvMsg() {
			m.Free()
		}
	}()
	return func() {
		_ = p.pipe.Close()
		<-ended
	}
}

func (s *Sender) write(p *peer, body []byte) bool {
	m := mangos.NewMessage(len(body))
	m.Body = append(m.Body, body...)
	if err := p.pipe.SendMsg(m); err != nil {
		m.Free()
		return false
	}
	s.sent.Add(1)
	return true
}

// Close implements [queue.Sender]. It waits for the linger time at most until everything
// is written.
func (s *Sender) Close() error {
	s.closing.Do(func() {
		close(s.stop)
		ctx, cancel := context.WithTimeout(context.Background(), s.opts.Linger)
		defer cancel()
		_ = s.await(ctx, func() bool { return s.waiting.Load() == 0 }) // what is left is counted
		s.close()
		if left := s.waiting.Load(); left > 0 {
			s.lost.Add(uint64(left))
			s.closeEr = fmt.Errorf("close %s: %d records were not sent within %v", s.name(), left, s.opts.Linger)
		}
	})
	return s.closeEr
}
