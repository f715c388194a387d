package redis

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

// Redelivered is the name in the extra data of a record that Redis, or kombu, has given out
// before, and for which there was no acknowledgement.
const Redelivered = "redelivered"

// Receiver is the receiving end.
type Receiver struct {
	name   string
	opts   Options
	client *goredis.Options // the settings of a connection
	own    string           // the list of a tap
	link   *link.Link
	inbox  *inbox.Inbox

	ctx     context.Context //nolint:containedctx // the lifetime of the connection; acknowledgements use it
	cancel  context.CancelFunc
	drain   context.CancelFunc
	done    chan struct{} // closed when the goroutine has ended
	closing sync.Once

	redis   *goredis.Client
	waiting *goredis.Client // for what may be cut short: its connections end with the drain
	held    *held           // of a list
	ready   [4]int          // how much is at hand in each; of the goroutine that receives
	entries entries         // of a stream
	batch   []queue.Message // to be handed over; of the goroutine that receives

	settled  chan struct{} // capacity 1: there is something to tell Redis
	stop     chan struct{} // closed by Close when that is all
	settling sync.WaitGroup
	rejected atomic.Uint64
	trimmed  atomic.Uint64
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReceiver returns a receiver that connects by itself, as soon as Redis is there, and
// again when the connection is lost. The error says what is wrong with the options.
func NewReceiver(o Options) (*Receiver, error) {
	o, client, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	id := newID()
	r := &Receiver{
		name: name(client, &o), opts: o, client: client, own: prefix + id,
		inbox: inbox.New(), done: make(chan struct{}), settled: make(chan struct{}, 1), stop: make(chan struct{}),
		entries: entries{open: make(map[string]struct{})},
	}
	r.held = newHeld(heldPrefix+id, o.Mode == Consume)
	if o.Mode == Tap {
		r.held = newHeld(r.own+heldSuffix, true)
	}
	r.link = link.New(r.name, o.ReconnectMin, o.ReconnectMax, o.OnPeer)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	receiving, drain := context.WithCancel(r.ctx)
	r.drain = drain
	settings := *client
	dialing(receiving, &settings)
	r.waiting = goredis.NewClient(&settings)
	settings = *client
	dialing(r.ctx, &settings)
	r.redis = goredis.NewClient(&settings)
	go r.run(receiving)
	r.settling.Go(r.tellAll)
	return r, nil
}

// String returns the address, the mode and the queue, without user and password.
func (r *Receiver) String() string { return r.name }

// Status returns the condition of the connection.
func (r *Receiver) Status() queue.Status {
	s := r.link.Status()
	if n := r.rejected.Load(); n > 0 {
		s.Detail += fmt.Sprintf("; %d messages rejected", n)
	}
	return s
}

// Rejected returns how many messages were no records. They do not come again.
func (r *Receiver) Rejected() uint64 { return r.rejected.Load() }

// Dropped returns how many messages did not fit into the list of a tap, or were taken
// from Redis and not received before Close. The queue, a list and a stream keep the latter.
func (r *Receiver) Dropped() uint64 {
	switch r.opts.Mode {
	case Tap, Channel:
		return r.trimmed.Load() + r.inbox.Lost()
	default:
		return 0
	}
}

// Receive implements [queue.Receiver].
func (r *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return r.inbox.Receive(ctx, buf)
}

// Drain implements [queue.Drainer].
func (r *Receiver) Drain() { r.drain() }

// closeTimeout is how long Redis may take to answer the last command.
const closeTimeout = 3 * time.Second

// Close implements [queue.Receiver]. It waits until the connection is closed. What nobody
// has received goes back to the list; what was not acknowledged the next receiver gets. A
// tap is unbound.
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		r.drain()
		r.inbox.Discard()
		t := time.AfterFunc(closeTimeout, r.cancel)
		<-r.done
		r.inbox.Close()
		close(r.stop)
		r.settling.Wait()
		switch r.opts.Mode {
		case Tap:
			r.unbind()
		case Consume, List:
			r.giveBack(r.ctx)
		}
		t.Stop()
		r.cancel()
		_, _ = r.waiting.Close(), r.redis.Close() // their connections are closed already
		r.link.Closed()
	})
	return nil
}

// run connects and receives until ctx ends.
func (r *Receiver) run(ctx context.Context) {
	defer close(r.done)
	defer r.inbox.Finish()
	for {
		err := r.session(ctx)
		if ctx.Err() != nil {
			return
		}
		r.link.Down(explain(err, r.client), isRefused(err))
		if !r.link.Pause(ctx) {
			return
		}
	}
}

// session receives until there is an error or ctx ends. Commands are not cut short by
// ctx: what Redis has answered by then would be lost.
func (r *Receiver) session(ctx context.Context) error {
	if err := r.redis.Ping(r.ctx).Err(); err != nil {
		return connecting(err, r.client)
	}
	switch r.opts.Mode {
	case Tap:
		return r.tap(ctx)
	case Channel:
		return r.listen(ctx)
	case Stream:
		return r.stream(ctx)
	default:
		return r.take(ctx)
	}
}

// settle has Redis told what is done with.
func (r *Receiver) settle() {
	select {
	case r.settled <- struct{}{}:
	default: // it is going to be
	}
}

// tellAll tells Redis what is done with, until the receiver is closed. What fails is
// told again after the next connection is made.
func (r *Receiver) tellAll() {
	tell := r.release
	if r.opts.Mode == Stream {
		tell = r.acknowledge
	}
	for open := true; open; {
		select {
		case <-r.settled:
		case <-r.stop:
			open = false
		}
		_ = tell(r.ctx)
	}
}

// Decode implements [queue.Decoder].
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	m = r.decoded(m.Body)
	return m.Record, m.Err
}

// message makes a message of what a program has put into Redis.
func (r *Receiver) message(body []byte) queue.Message {
	m := r.decoded(body)
	if m.Err != nil {
		r.rejected.Add(1)
	}
	return m
}

func (r *Receiver) decoded(body []byte) queue.Message {
	m := queue.Message{Body: body}
	if r.opts.Mode != Tap && r.opts.Mode != Consume {
		m.Record, m.Err = r.opts.Decoder.Decode(body)
		return m
	}
	var again bool
	if m.Record, again, m.Err = r.opts.Decoder.DecodeEnvelope(body); again && m.Err == nil {
		m.Record.Extra.Set(Redelivered, true)
	}
	return m
}
