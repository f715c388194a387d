package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/intake"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

// Receiver is the receiving end.
type Receiver struct {
	intake.Intake

	opts  Options
	uri   *url.URL
	link  *link.Link
	inbox *inbox.Inbox

	ignored atomic.Uint64

	mu   sync.Mutex // held while a message is put in
	seen *senders
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReceiver returns a receiver that connects by itself, as soon as the broker is there,
// and again when the connection is lost. The error says what is wrong with the options.
func NewReceiver(o Options) (*Receiver, error) {
	o, uri, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	name := o.name(uri, strings.Join(o.Topics, ", "))
	r := &Receiver{
		opts: o, uri: uri, inbox: inbox.Sized(o.Prefetch), seen: newSenders(),
		link: link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer),
	}
	r.Start(intake.Options{
		Name: name, Inbox: r.inbox, Link: r.link, Session: r.session,
		Explain: func(err error) (error, bool) { return err, isRefused(err) },
	})
	return r, nil
}

// Status returns the condition of the connection.
func (r *Receiver) Status() queue.Status {
	s := r.Intake.Status()
	if n := r.ignored.Load(); n > 0 {
		s.Detail += fmt.Sprintf("; %d messages with other topics, which this client ID had subscribed to before", n)
	}
	return s
}

// Dropped returns how many messages were lost because nobody received them before Close.
// Those of QoS 1 come again.
func (r *Receiver) Dropped() uint64 { return r.inbox.Lost() }

// session is one connection.
func (r *Receiver) session(life, receiving context.Context) error {
	a := &arrivals{wake: make(chan struct{}, 1), stop: make(chan struct{})}
	c, err := connect(receiving, life, r.uri, &r.opts, r.hello(), func(p *paho.Publish) { r.take(receiving, a, p) })
	if err != nil {
		return err
	}
	var settling sync.WaitGroup
	settling.Go(func() { a.settle(c.socket) })
	defer func() {
		close(a.stop)
		settling.Wait()
		c.close()
	}()
	if err := r.subscribe(receiving, c); err != nil {
		return c.why(err)
	}
	select {
	case err := <-c.lost:
		if errors.Is(err, errGone) { // some brokers do not say why
			err = fmt.Errorf("%w (if that goes on, another client may have the client ID %q)", err, r.opts.ClientID)
		}
		return fmt.Errorf("the connection was closed: %w", err)
	case <-receiving.Done():
	}
	r.mu.Lock() // what is being put in is in
	r.Finish()
	r.mu.Unlock()
	// Drained: what was received is still being acknowledged.
	select {
	case <-r.Stopped():
	case <-c.Done():
	case <-life.Done():
	}
	return nil
}

// hello is what a session begins with.
func (r *Receiver) hello() *paho.Connect {
	prefetch := uint16(r.opts.Prefetch)                                           //nolint:gosec // it was checked
	largest := uint32(min(int64(r.opts.MaxMessageSize)+headroom, math.MaxUint32)) //nolint:gosec // it fits
	return &paho.Connect{
		ClientID: r.opts.ClientID,
		Properties: &paho.ConnectProperties{
			SessionExpiryInterval: seconds(r.opts.SessionExpiry), ReceiveMaximum: &prefetch,
			MaximumPacketSize: &largest,
		},
	}
}

// subscribe asks for the topics. A session that was there before has them already, if they
// are the same.
func (r *Receiver) subscribe(ctx context.Context, c *connection) error {
	const none = 2 // of the retained messages
	var request paho.Subscribe
	for _, filter := range r.opts.Topics {
		if r.opts.Group != "" {
			filter = "$share/" + r.opts.Group + "/" + filter
		}
		request.Subscriptions = append(request.Subscriptions, paho.SubscribeOptions{Topic: filter, QoS: 1, RetainHandling: none})
	}
	// The library does not notice that the connection is lost while it waits.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	answer, err := c.Subscribe(ctx, &request)
	if answer != nil {
		for i, code := range answer.Reasons {
			if code >= failure && i < len(r.opts.Topics) {
				text := (&packets.Suback{Reasons: answer.Reasons}).Reason(i)
				return fmt.Errorf("subscribe to %s: %w", r.opts.Topics[i], &refusal{code, text})
			}
		}
	}
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", strings.Join(r.opts.Topics, ", "), err)
	}
	r.link.Up("subscribes to "+strings.Join(r.opts.Topics, ", "), nil)
	return nil
}

// take is told each message that comes in.
func (r *Receiver) take(receiving context.Context, a *arrivals, p *paho.Publish) {
	settled := func() {}
	if p.QoS > 0 {
		settled = a.add(p.PacketID)
	}
	if !slices.ContainsFunc(r.opts.Topics, func(filter string) bool { return matches(filter, p.Topic) }) {
		r.ignored.Add(1)
		settled()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if receiving.Err() != nil {
		return // it comes again
	}
	m := r.message(p)
	m.Ack = func(err error) {
		// One that was not received comes again. Any other is done with, because it would
		// come again and again.
		if !errors.Is(err, queue.ErrClosed) {
			settled()
		}
	}
	r.inbox.Put([]queue.Message{m})
}

// Decode implements [queue.Decoder].
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	return r.opts.Decoder.Decode(m.Body)
}

// message makes a message of what came in, marked if it may have come before.
func (r *Receiver) message(p *paho.Publish) queue.Message {
	m := queue.Message{Body: p.Payload}
	if m.Record, m.Err = r.opts.Decoder.Decode(p.Payload); m.Err != nil {
		r.Reject()
		return m
	}
	again := p.Duplicate()
	if p.Properties != nil {
		// What a sender of ours publishes again is new to the broker, and a broker that has
		// crashed may have forgotten what it has sent to us.
		again = !r.seen.isNew(p.Properties.User.Get(numberProperty)) || again || p.Properties.User.Get(againProperty) != ""
	}
	if again {
		m.Record.Extra.Set(queue.Redelivered, true)
	}
	return m
}

// arrivals are the messages of a connection that are to be acknowledged, which must happen
// in the order in which they came.
type arrivals struct {
	wake chan struct{} // capacity 1: the first may be done
	stop chan struct{} // closed when the connection is to end

	mu      sync.Mutex
	waiting []*arrival
}

type arrival struct {
	id   uint16
	done bool
}

// add returns a function that says that a message is done with.
func (a *arrivals) add(id uint16) (settled func()) {
	one := &arrival{id: id}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(a.waiting, one)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		one.done = true
		if a.waiting[0].done {
			select {
			case a.wake <- struct{}{}:
			default:
			}
		}
	}
}

// settle acknowledges what is done with, until the connection is to end.
func (a *arrivals) settle(to *socket) {
	for stopped := false; !stopped; {
		select {
		case <-a.wake:
		case <-a.stop:
			stopped = true
		}
		for _, id := range a.next() {
			if _, err := (&packets.Puback{PacketID: id, Properties: &packets.Properties{}}).WriteTo(to); err != nil {
				break // the connection is lost, and they come again
			}
		}
	}
}

// next returns what is to be acknowledged now.
func (a *arrivals) next() (ids []uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.waiting) > 0 && a.waiting[0].done {
		ids = append(ids, a.waiting[0].id)
		a.waiting = a.waiting[1:]
	}
	return ids
}
