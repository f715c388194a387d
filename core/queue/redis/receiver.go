package redis

import (
	"context"
	"sync"
	"sync/atomic"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/intake"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

// Receiver is the receiving end.
type Receiver struct {
	intake.Intake

	opts   Options
	client *goredis.Options // the settings of a connection
	own    string           // the list of a tap
	link   *link.Link
	inbox  *inbox.Inbox

	// Of the goroutine that receives, from the first attempt to connect:
	life    context.Context //nolint:containedctx // that of the connections; commands use it
	redis   *goredis.Client
	waiting *goredis.Client // for what may be cut short: its connections end with the drain
	ready   [4]int          // how much is at hand in each list
	batch   []queue.Message // to be handed over

	held     *held         // of a list
	entries  entries       // of a stream
	settled  chan struct{} // capacity 1: there is something to tell Redis
	settling sync.WaitGroup
	trimmed  atomic.Uint64
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
)

// NewReceiver returns a receiver that connects by itself, as soon as Redis is there, and
// again when the connection is lost. The error says what is wrong with the options.
func NewReceiver(o Options) (*Receiver, error) {
	o, client, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	name, id := name(client, &o), newID()
	r := &Receiver{
		opts: o, client: client, own: prefix + id, inbox: inbox.New(), settled: make(chan struct{}, 1),
		entries: entries{open: make(map[string]struct{})},
		link:    link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer),
	}
	r.held = newHeld(heldPrefix+id, o.Mode == Consume)
	if o.Mode == Tap {
		r.held = newHeld(r.own+heldSuffix, true)
	}
	r.Start(intake.Options{
		Name: name, Inbox: r.inbox, Link: r.link, Session: r.session, Last: r.last,
		Explain: func(err error) (error, bool) { return explain(err, client), isRefused(err) },
	})
	return r, nil
}

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

// session receives until there is an error or receiving ends. Commands are not cut short by
// that: what Redis has answered by then would be lost.
func (r *Receiver) session(life, receiving context.Context) error {
	if r.redis == nil {
		r.begin(life, receiving)
	}
	if err := r.redis.Ping(life).Err(); err != nil {
		return connecting(err, r.client)
	}
	switch r.opts.Mode {
	case Tap:
		return r.tap(receiving)
	case Channel:
		return r.listen(receiving)
	case Stream:
		return r.stream(receiving)
	default:
		return r.take(receiving)
	}
}

// begin makes what connects to Redis for all sessions, and for what is settled after them.
func (r *Receiver) begin(life, receiving context.Context) {
	r.life = life
	r.redis, r.waiting = newClient(life, *r.client), newClient(receiving, *r.client)
	r.settling.Go(r.tellAll)
	if r.opts.Mode == Stream && r.opts.ClaimAfter > 0 {
		r.settling.Go(r.keepEntries)
	}
}

// last ends it: what nobody has received goes back to the list; what was not acknowledged
// the next receiver gets. A tap is unbound.
func (r *Receiver) last() {
	if r.redis == nil { // there was no attempt to connect
		return
	}
	r.settling.Wait()
	switch r.opts.Mode {
	case Tap:
		r.unbind()
	case Consume, List:
		r.giveBack(r.life)
	}
	_, _ = r.waiting.Close(), r.redis.Close() // they do not matter any more
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
		case <-r.Stopped():
			open = false
		}
		_ = tell(r.life)
	}
}

// message makes a message of what a program has put into Redis.
func (r *Receiver) message(body []byte) queue.Message {
	m := r.decoded(body)
	if m.Err != nil {
		r.Reject()
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
		m.Record.Extra.Set(queue.Redelivered, true)
	}
	return m
}
