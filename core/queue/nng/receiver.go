package nng

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
)

// drainTime is how long nothing may have come in after Drain, for everything to be in.
const drainTime = 100 * time.Millisecond

// subAhead is how many messages of publishers wait for the subscriber.
const subAhead = 100_000

// maxTopic is how long a topic in front of a record may be.
const maxTopic = 256

// Receiver is the receiving end.
type Receiver struct {
	*endpoint
	inbox    *inbox.Inbox
	topics   [][]byte
	received atomic.Uint64
	busy     atomic.Int64 // goroutines that wait for the subscriber
	ignored  atomic.Uint64

	drain   sync.Once
	closing sync.Once
	drained chan struct{} // closed when the goroutine of Drain has ended
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
)

// NewReceiver listens or dials. Who is not there yet is waited for.
func NewReceiver(o Options) (*Receiver, error) {
	o, err := o.withDefaults(Sub, Listen)
	if err != nil {
		return nil, err
	}
	if o.Pattern != Sub && o.Pattern != Pull {
		return nil, fmt.Errorf("a receiver cannot be %q (sub or pull)", o.Pattern)
	}
	r := &Receiver{inbox: inbox.New(), drained: make(chan struct{})}
	if o.Pattern == Sub {
		r.inbox = inbox.Sized(subAhead)
		for _, topic := range o.Topics {
			r.topics = append(r.topics, []byte(topic))
		}
	}
	r.endpoint = newEndpoint(o, r.receive)
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

// String returns the addresses, those that are listened on with the port that was
// chosen.
func (r *Receiver) String() string { return r.name() }

// Addresses returns what is listened on, with the port that was chosen for port 0;
// none if the receiver dials.
func (r *Receiver) Addresses() []string { return slices.Clone(r.bound) }

// Status lists the peers that are connected, and those that left last.
func (r *Receiver) Status() queue.Status {
	st := r.status()
	if n := r.ignored.Load(); n > 0 {
		st.Detail += fmt.Sprintf("; %d messages with other topics", n)
	}
	return st
}

// Dropped returns how many messages came in that there was no room for, and how many
// nobody received before Close. What a publisher drops is not known.
func (r *Receiver) Dropped() uint64 { return r.inbox.Lost() }

// Receive implements [queue.Receiver].
func (r *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return r.inbox.Receive(ctx, buf)
}

// receive is the goroutine of one connection.
func (r *Receiver) receive(p *peer) {
	for {
		m := p.pipe.RecvMsg()
		if m == nil {
			return
		}
		r.received.Add(1)
		if !r.wanted(m.Body) {
			r.ignored.Add(1)
			m.Free()
			continue
		}
		one := []queue.Message{{Body: bytes.Clone(withoutTopic(m.Body)), Peer: p.shown.Address}}
		m.Free()
		if r.opts.Pattern == Sub {
			r.inbox.TryPut(one) // a publisher does not wait either
			continue
		}
		r.busy.Add(1)
		taken := r.inbox.Put(one)
		r.busy.Add(-1)
		if !taken {
			return
		}
	}
}

func (r *Receiver) wanted(body []byte) bool {
	if len(r.topics) == 0 {
		return true
	}
	return slices.ContainsFunc(r.topics, func(topic []byte) bool { return bytes.HasPrefix(body, topic) })
}

// withoutTopic returns a message without what is in front of its JSON. A topic is
// nothing but the beginning of the message in these protocols.
func withoutTopic(body []byte) []byte {
	i := bytes.IndexByte(body[:min(len(body), maxTopic+1)], '{')
	if i <= 0 || body[0] == '[' || bytes.IndexByte(body[:i], 0) >= 0 {
		return body // no topic, an array, or something binary
	}
	return body[i:]
}

// Drain implements [queue.Drainer]: nobody can connect any more, and what the peers have
// sent is received.
func (r *Receiver) Drain() {
	r.drain.Do(func() {
		r.stopAccepting()
		go r.finish()
	})
}

// finish closes the connections when nothing comes in any more.
func (r *Receiver) finish() {
	defer close(r.drained)
	tick := time.NewTicker(drainTime)
	defer tick.Stop()
	for last := r.received.Load(); len(r.connected()) > 0; {
		<-tick.C
		now := r.received.Load()
		if now == last && r.busy.Load() == 0 {
			break
		}
		last = now
	}
	r.close()
	r.inbox.Finish()
}

// Close implements [queue.Receiver].
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		r.inbox.Discard()
		r.close()
		r.Drain()
		<-r.drained
		r.inbox.Close()
	})
	return nil
}
