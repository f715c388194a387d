package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// DefaultGroupSize is how many records a [SubscriberGroup] holds. Logbook's
// queue_limit is 10.
const DefaultGroupSize = 1000

// groupBatch is how many messages a member receives at once. It is small, so
// that members take turns.
const groupBatch = 16

// ErrMember is returned by [SubscriberGroup.Add] for a subscriber that is a
// member already.
var ErrMember = errors.New("subscriber is in the group already")

// SubscriberGroup receives from several subscribers into one bounded queue. It is
// itself a [Subscriber]: Recv, DispatchOnce, DispatchForever and
// DispatchInBackground take from that queue. Members that have more to say than is
// taken get their turns alike.
//
// The members' own Recv and dispatch methods should not be used meanwhile.
type SubscriberGroup struct {
	*Subscriber
	group *group
}

// GroupOptions are the settings of a [SubscriberGroup]. The zero value is useful.
type GroupOptions struct {
	Options
	// Size is how many records the queue holds; 0 means DefaultGroupSize.
	Size int
}

// NewSubscriberGroup returns a group of the given subscribers; they start
// to receive at once. The group owns its members: closing it closes them. A
// subscriber that is listed twice counts once.
func NewSubscriberGroup(o GroupOptions, members ...*Subscriber) *SubscriberGroup {
	if o.Size <= 0 {
		o.Size = DefaultGroupSize
	}
	if o.Name == "" {
		o.Name = "group"
	}
	g := &group{
		records: make(chan Message, o.Size),
		gone:    make(chan struct{}),
		members: make(map[*Subscriber]*member),
	}
	sg := &SubscriberGroup{NewSubscriber(g, o.Options), g}
	for _, s := range members {
		_ = sg.Add(s) // it can only be there already
	}
	return sg
}

// Add lets s receive into the queue. The error is [ErrMember], or [ErrClosed] after
// Stop or Close.
func (g *SubscriberGroup) Add(s *Subscriber) error { return g.group.add(s) }

// Remove ends the receiving from s, waits until what s has received is in the
// queue, and reports whether s was in the group. s is not closed.
func (g *SubscriberGroup) Remove(s *Subscriber) bool { return g.group.remove(s) }

// Members returns the subscribers of the group in the order in which they were added.
func (g *SubscriberGroup) Members() []*Subscriber { return g.group.list() }

// Stop ends the receiving from all members; those that can, drain their
// transport. Records that were accepted are still given out; after the last,
// Recv returns [ErrClosed] and DispatchForever ends. Stop does not wait.
func (g *SubscriberGroup) Stop() { g.group.Drain() }

// group is the receiver of a SubscriberGroup.
type group struct {
	records chan Message  // closed when no member can write to it any more
	gone    chan struct{} // closed by Close: nobody is going to read
	running sync.WaitGroup

	mu      sync.Mutex
	members map[*Subscriber]*member
	order   []*Subscriber
	stopped bool
	closed  bool
	lost    uint64
}

// member is the goroutine that receives from one subscriber.
type member struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func (g *group) add(s *Subscriber) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return ErrClosed
	}
	if g.members[s] != nil {
		return ErrMember
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{cancel, make(chan struct{})}
	g.members[s] = m
	g.order = append(g.order, s)
	g.running.Go(func() {
		defer close(m.done)
		g.feed(ctx, s)
	})
	return nil
}

func (g *group) remove(s *Subscriber) bool {
	g.mu.Lock()
	m := g.members[s]
	delete(g.members, s)
	g.order = slices.DeleteFunc(g.order, func(e *Subscriber) bool { return e == s })
	g.mu.Unlock()
	if m == nil {
		return false
	}
	m.cancel()
	<-m.done
	return true
}

func (g *group) list() []*Subscriber {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.order)
}

// feed puts what s receives into the queue, until ctx is done or s ends; s
// then says why in its status.
func (g *group) feed(ctx context.Context, s *Subscriber) {
	buf := make([]Message, groupBatch)
	for ctx.Err() == nil {
		n, err := s.receive(ctx, buf)
		if err != nil {
			break
		}
		g.putAll(s, buf[:n])
	}
	for n := s.left(buf); n > 0; n = s.left(buf) {
		g.putAll(s, buf[:n])
	}
}

func (g *group) putAll(s *Subscriber, messages []Message) {
	at := time.Now().UTC()
	for i := range messages {
		m := &messages[i]
		if r := s.decode(m, at); r != nil {
			g.put(Message{Record: r, Peer: m.Peer, Ack: m.Ack})
		}
		*m = Message{}
	}
}

func (g *group) put(m Message) {
	select {
	case g.records <- m:
	case <-g.gone:
		m.done(ErrClosed)
		g.mu.Lock()
		g.lost++
		g.mu.Unlock()
	}
}

// Receive takes from the queue.
func (g *group) Receive(ctx context.Context, buf []Message) (int, error) {
	select {
	case m, ok := <-g.records:
		return g.fill(buf, m, ok)
	default:
	}
	select {
	case m, ok := <-g.records:
		return g.fill(buf, m, ok)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// fill stores m, if ok, and what else is at hand.
func (g *group) fill(buf []Message, m Message, ok bool) (int, error) {
	n := 0
	for ok {
		buf[n] = m
		n++
		if n == len(buf) {
			return n, nil
		}
		select {
		case m, ok = <-g.records:
		default:
			return n, nil
		}
	}
	if n == 0 {
		return 0, ErrClosed
	}
	return n, nil
}

// Dropped returns how many records Close has thrown away.
func (g *group) Dropped() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lost
}

// Drain stops the members; the last of them closes the queue.
func (g *group) Drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return
	}
	g.stopped = true
	for s, m := range g.members {
		if d, ok := s.receiver.(Drainer); ok {
			d.Drain() // ends the member when it has given out everything
		} else {
			m.cancel()
		}
	}
	go func() {
		g.running.Wait()
		close(g.records)
	}()
}

// Close stops and closes the members.
func (g *group) Close() error {
	g.Drain()
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil
	}
	g.closed = true
	for _, m := range g.members {
		m.cancel()
	}
	g.mu.Unlock()
	close(g.gone)
	g.running.Wait()
	for m := range g.records { // ends, as Drain closes it
		m.done(ErrClosed)
		g.mu.Lock()
		g.lost++
		g.mu.Unlock()
	}
	var errs []error
	for _, s := range g.list() {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Status counts the members as peers.
func (g *group) Status() Status {
	st := Status{State: StateConnecting}
	for _, s := range g.list() {
		member := s.Status()
		if st.State == StateConnecting || member.State == StateConnected {
			st.State = member.State
		}
		p := Peer{Address: s.Name(), State: member.State}
		if member.Err != nil {
			p.Err = member.Err.Error()
		}
		st.Peers = append(st.Peers, p)
	}
	return st
}

var (
	_ Receiver = (*group)(nil)
	_ Drainer  = (*group)(nil)
	_ Dropper  = (*group)(nil)
	_ Statuser = (*group)(nil)
)
