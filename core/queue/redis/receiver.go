package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
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

	redis *goredis.Client

	trimmed atomic.Uint64
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
	r := &Receiver{
		name: name(client, &o), opts: o, client: client, own: ownList(),
		inbox: inbox.New(), done: make(chan struct{}),
	}
	r.link = link.New(r.name, o.ReconnectMin, o.ReconnectMax, o.OnPeer)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	receiving, drain := context.WithCancel(r.ctx)
	r.drain = drain
	dialing(r.ctx, client)
	r.redis = goredis.NewClient(client)
	go r.run(receiving)
	return r, nil
}

// String returns the address, the mode and the queue, without user and password.
func (r *Receiver) String() string { return r.name }

// Status returns the condition of the connection.
func (r *Receiver) Status() queue.Status { return r.link.Status() }

// Dropped returns how many messages did not fit into the list of a tap, or were taken
// from Redis and not received before Close. A stream keeps the latter.
func (r *Receiver) Dropped() uint64 {
	if r.opts.Mode == Stream {
		return 0
	}
	return r.trimmed.Load() + r.inbox.Lost()
}

// Receive implements [queue.Receiver].
func (r *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return r.inbox.Receive(ctx, buf)
}

// Drain implements [queue.Drainer].
func (r *Receiver) Drain() { r.drain() }

// closeTimeout is how long Redis may take to answer the last command.
const closeTimeout = 3 * time.Second

// Close implements [queue.Receiver]. It waits until the connection is closed and a tap is
// unbound.
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		r.drain()
		r.inbox.Discard()
		t := time.AfterFunc(closeTimeout, r.cancel)
		<-r.done
		if r.opts.Mode == Tap {
			r.unbind()
		}
		t.Stop()
		r.cancel()
		_ = r.redis.Close() // its connections are closed already
		r.inbox.Close()
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
		return fmt.Errorf("connect: %w", err)
	}
	switch r.opts.Mode {
	case Tap:
		return r.tap(ctx)
	case Channel:
		return r.listen(ctx)
	case Stream:
		return r.stream(ctx)
	case Consume:
		return r.pop(ctx, priorities(r.opts.Queue), false)
	default:
		return r.pop(ctx, []string{r.opts.Queue}, !r.opts.Newest)
	}
}

// message makes a message of what a program has put into Redis.
func (r *Receiver) message(body []byte) queue.Message {
	m := queue.Message{Body: body}
	if r.opts.Mode != Tap && r.opts.Mode != Consume {
		m.Record, m.Err = r.opts.Decoder.Decode(body)
		return m
	}
	e, err := kombu.Decode(body, wire.DefaultMaxSize)
	switch {
	case errors.Is(err, kombu.ErrTooLarge):
		m.Err = &wire.RejectError{Reason: wire.ReasonTooLarge, Detail: err.Error()}
	case err != nil:
		m.Err = &wire.RejectError{Reason: wire.ReasonMalformed, Detail: err.Error()}
	default:
		m.Record, m.Err = r.opts.Decoder.DecodeMessage(e.Body, e.ContentType)
	}
	if m.Err == nil && e.Redelivered {
		m.Record.Extra.Set(Redelivered, true)
	}
	return m
}

// put hands texts over.
func (r *Receiver) put(texts ...string) {
	for len(texts) > 0 {
		n := min(len(texts), inbox.Batch)
		batch := r.inbox.New()
		for _, text := range texts[:n] {
			batch = append(batch, r.message([]byte(text)))
		}
		r.inbox.Put(batch)
		texts = texts[n:]
	}
}
