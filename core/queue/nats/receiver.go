package nats

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

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

	slow    atomic.Uint64
	highest uint64 // the last number in the stream that was seen; of the goroutine

	mu      sync.Mutex
	current *connection // nil if there is none
	unsaid  []answer    // acknowledgements for the next connection
}

// answer settles a message. It may go over another connection than the message came by.
type answer struct {
	subject string
	verb    string
}

// What the server of JetStream understands.
const (
	ack  = "+ACK"
	nak  = "-NAK"
	term = "+TERM"
)

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReceiver returns a receiver that connects by itself, as soon as the server is there,
// and again when the connection is lost. The error says what is wrong with the options.
func NewReceiver(o Options) (*Receiver, error) {
	o, uri, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	name := o.name(uri)
	r := &Receiver{opts: o, uri: uri, inbox: inbox.Sized(o.Prefetch), link: link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer)}
	r.Start(intake.Options{
		Name: name, Inbox: r.inbox, Link: r.link, Session: r.session,
		Explain: func(err error) (error, bool) { return err, isRefused(err) },
	})
	return r, nil
}

// Dropped returns how many messages were lost because they were not received fast enough,
// or before Close. A stream keeps them.
func (r *Receiver) Dropped() uint64 {
	if r.opts.Stream != "" {
		return 0
	}
	return r.inbox.Lost() + r.slow.Load()
}

// session is one connection.
func (r *Receiver) session(life, receiving context.Context) error {
	c, err := connect(receiving, life, r.uri, &r.opts)
	if err != nil {
		return err
	}
	var watch sync.WaitGroup
	defer watch.Wait()
	defer c.close()
	r.connected(c)
	defer r.connected(nil)
	watch.Go(func() { // the loss is told while the one who dispatches is busy, too
		<-c.gone
		if receiving.Err() == nil {
			r.link.Down(fmt.Errorf("the connection was closed: %w", orGone(c.LastError())), false)
		}
	})
	receive := r.subscribe
	if r.opts.Stream != "" {
		receive = r.consume
	}
	if err := receive(receiving, c); receiving.Err() == nil {
		select {
		case lost := <-c.lost:
			return fmt.Errorf("the connection was closed: %w", lost)
		default:
			return err
		}
	}
	r.Finish()
	// Drained: what was received is still being acknowledged.
	select {
	case <-r.Stopped():
		_ = c.FlushTimeout(time.Second) // what is not acknowledged comes again
	case <-c.gone:
	case <-life.Done():
	}
	return nil
}

// connected says over which connection messages are settled.
func (r *Receiver) connected(c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = c
	if c == nil {
		return
	}
	for _, a := range r.unsaid {
		_ = c.Publish(a.subject, []byte(a.verb)) // it comes again if the connection is lost
	}
	r.unsaid = nil
}

// say settles a message, now or when there is a connection again.
func (r *Receiver) say(a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil || r.current.Publish(a.subject, []byte(a.verb)) != nil {
		r.unsaid = append(r.unsaid, a) // as many as the server sends ahead
	}
}

// subscribe receives what is published, until ctx ends or the connection is lost.
func (r *Receiver) subscribe(ctx context.Context, c *connection) error {
	sub, err := c.QueueSubscribe(r.opts.Subject, r.opts.Group, func(m *nats.Msg) { r.inbox.Put([]queue.Message{r.message(m.Data)}) })
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", r.opts.Subject, err)
	}
	closed := make(chan struct{})
	sub.SetClosedHandler(func(string) { close(closed) }) // what came in before was handled
	if err := c.flush(r.opts.Timeout); err != nil {
		return fmt.Errorf("subscribe to %s: %w", r.opts.Subject, err)
	}
	r.link.Up("subscribes to "+r.opts.Subject, nil)
	select {
	case err = <-c.lost:
		err = fmt.Errorf("the connection was closed: %w", err)
		c.Close()
	case <-ctx.Done():
		err = sub.Drain()
	}
	<-closed
	if n, dropErr := sub.Dropped(); dropErr == nil {
		r.slow.Add(uint64(n))
	}
	return err
}

// consume receives what a stream keeps, until ctx ends or the connection is lost.
func (r *Receiver) consume(ctx context.Context, c *connection) error {
	limited, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	consumer, err := ask(limited, c, func(ctx context.Context) (jetstream.Consumer, error) {
		return c.js.CreateOrUpdateConsumer(ctx, r.opts.Stream, jetstream.ConsumerConfig{
			Durable: r.opts.Durable, FilterSubject: r.opts.Subject, AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: r.opts.AckWait, MaxAckPending: r.opts.Prefetch,
		})
	})
	cancel()
	if err != nil {
		return fmt.Errorf("make the consumer %q of the stream %q: %w", r.opts.Durable, r.opts.Stream, err)
	}
	heartbeat := max(min(heartbeat, r.opts.Timeout/4), leastHeartbeat)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(r.opts.Prefetch), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return fmt.Errorf("consume the stream %q: %w", r.opts.Stream, err)
	}
	r.link.Up("consumes the stream "+r.opts.Stream, nil)
	stop := context.AfterFunc(ctx, messages.Drain)
	defer stop()
	defer messages.Stop()
	for {
		m, err := messages.Next()
		if err != nil {
			if errors.Is(err, jetstream.ErrNoHeartbeat) {
				err = errors.Join(err, r.replace(ctx, c))
			}
			if errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrNoHeartbeat) {
				return fmt.Errorf("consume the stream %q: %w", r.opts.Stream, err)
			}
			return err
		}
		r.inbox.Put([]queue.Message{r.kept(m)})
	}
}

// Decode implements [queue.Decoder].
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	return r.opts.Decoder.Decode(m.Body)
}

// A server that sends nothing says now and then that it is there, at most this often.
const (
	heartbeat      = 5 * time.Second
	leastHeartbeat = 500 * time.Millisecond // of the library
)

// replace removes a consumer that says nothing and that nobody has ever got anything from, so
// that the next session makes another one. When several connections make a stream at the
// same moment, a server tells all but the first that it is there before it is finished, and a
// consumer that is made then stays mute for ever (seen with 2.9.10).
func (r *Receiver) replace(ctx context.Context, c *connection) error {
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	consumer, err := ask(ctx, c, func(ctx context.Context) (jetstream.Consumer, error) {
		return c.js.Consumer(ctx, r.opts.Stream, r.opts.Durable)
	})
	if err != nil {
		return fmt.Errorf("look at the consumer: %w", err)
	}
	if consumer.CachedInfo().AckFloor.Consumer > 0 {
		return nil
	}
	if err := c.js.DeleteConsumer(ctx, r.opts.Stream, r.opts.Durable); err != nil {
		return fmt.Errorf("remove the consumer, which is mute: %w", err)
	}
	return nil
}

// message makes a message of what was published.
func (r *Receiver) message(body []byte) queue.Message {
	m := queue.Message{Body: body}
	if m.Record, m.Err = r.opts.Decoder.Decode(body); m.Err != nil {
		r.Reject()
	}
	return m
}

// kept makes a message of one in a stream: marked if it was sent before, and to be settled.
// One that was dispatched is done with, one that was not received comes again, and any
// other is done with too, because it would come again and again.
func (r *Receiver) kept(from jetstream.Msg) queue.Message {
	m := r.message(from.Data())
	if about, err := from.Metadata(); err == nil {
		number := about.Sequence.Stream
		// A server that has crashed may have forgotten what it has sent to us.
		if m.Record != nil && (about.NumDelivered > 1 || number <= r.highest) {
			m.Record.Extra.Set(queue.Redelivered, true)
		}
		r.highest = max(r.highest, number)
	}
	subject := from.Reply()
	m.Ack = func(err error) {
		switch {
		case err == nil:
			r.say(answer{subject, ack})
		case errors.Is(err, queue.ErrClosed):
			r.say(answer{subject, nak})
		default:
			r.say(answer{subject, term})
		}
	}
	return m
}
