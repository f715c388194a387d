package amqp

import (
	"context"
	"errors"
	"fmt"
	"sync"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

// Sender is the sending end. It publishes persistent messages, in order, and holds each
// until the broker has confirmed it. What was not confirmed when the connection was
// lost is published again, with the header "redelivered" because it may be there already:
// it may arrive twice, and never not at all.
//
// Send returns when the message is queued, and waits when Window messages are
// without confirmation, as they are while the broker has no room on its disk.
type Sender struct{ *outbox.Outbox }

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender returns a sender that connects by itself, as soon as the broker is there, and
// again when the connection is lost. The error says what is wrong with the options.
func NewSender(o Options) (*Sender, error) {
	o, uri, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	name := name(uri, o.Queue)
	state := link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer)
	var fresh uint64 // the number of the first record that was never published
	return &Sender{outbox.New(outbox.Options{
		Name: name, Window: o.Window, Linger: o.Linger, Refused: isRefused, Link: state,
		Connect: func(ctx context.Context) (outbox.Session, string, error) {
			s, err := open(ctx, uri, &o)
			if err != nil {
				return nil, "", err
			}
			s.link, s.fresh = state, &fresh
			s.served.Go(s.serve)
			s.served.Go(func() { s.publishAll(ctx) })
			return s, s.detail(), nil
		},
	})}, nil
}

// session is one connection of a sender.
type session struct {
	conn  *connection
	opts  *Options
	uri   amqp091.URI
	link  *link.Link
	fresh *uint64 // of the goroutine of the outbox

	records   chan record // to be published
	numbers   chan uint64 // of what is published and not confirmed, in order
	confirmed chan uint64
	lost      chan error // capacity 1

	confirms <-chan amqp091.Confirmation
	blocked  <-chan amqp091.Blocking
	closed   <-chan *amqp091.Error
	ended    chan struct{} // closed when serve has ended
	served   sync.WaitGroup

	mu   sync.Mutex
	gate chan struct{} // closed when the broker takes messages
}

// record is a record that is to be published.
type record struct {
	number uint64
	body   []byte
	again  bool // it was published before
}

// Interface guards.
var (
	_ outbox.Session  = (*session)(nil)
	_ outbox.Remarker = (*session)(nil)
)

// open connects and declares what kombu does.
func open(ctx context.Context, uri amqp091.URI, o *Options) (*session, error) {
	c, err := connect(ctx, ctx, uri, o)
	if err != nil {
		return nil, err
	}
	if err := c.declare(o.Queue, true); err != nil {
		c.close()
		return nil, fmt.Errorf("declare %s: %w", o.Queue, explainUse(err, uri))
	}
	if err := c.channel.Confirm(false); err != nil {
		c.close()
		return nil, fmt.Errorf("ask for confirmations: %w", err)
	}
	gate := make(chan struct{})
	close(gate)
	return &session{
		conn: c, opts: o, uri: uri, gate: gate, ended: make(chan struct{}), lost: make(chan error, 1),
		records: make(chan record, o.Window), numbers: make(chan uint64, o.Window), confirmed: make(chan uint64, o.Window),
		// Room for all of them: the library stops reading while nobody takes one.
		confirms: c.channel.NotifyPublish(make(chan amqp091.Confirmation, o.Window)),
		blocked:  c.conn.NotifyBlocked(make(chan amqp091.Blocking, 1)),
		closed:   c.channel.NotifyClose(make(chan *amqp091.Error, 1)),
	}, nil
}

// detail says what the session does.
func (s *session) detail() string { return "publishes to the exchange " + s.opts.Queue }

// Remark implements [outbox.Remarker].
func (s *session) Remark() error { return s.conn.remark }

// Publish implements [outbox.Session].
func (s *session) Publish(_ context.Context, number uint64, body []byte) error {
	s.records <- record{number, body, number < *s.fresh} // there is room for all
	*s.fresh = max(*s.fresh, number+1)
	return nil
}

// publishAll publishes what is to be published, whenever the broker takes it, until the
// connection has ended.
func (s *session) publishAll(ctx context.Context) {
	for {
		select {
		case r := <-s.records:
			if !s.await() {
				return
			}
			if err := s.publish(ctx, r); err != nil { // what follows must not come before it
				s.fail(explainUse(err, s.uri))
				return
			}
		case <-s.ended:
			return
		}
	}
}

// await waits until the broker takes messages. It reports false when it will not any more.
func (s *session) await() bool {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	select {
	case <-gate:
		return true
	case <-s.ended:
		return false
	}
}

// publish publishes a record as kombu does.
func (s *session) publish(ctx context.Context, r record) error {
	headers := amqp091.Table{}
	if r.again {
		headers[queue.Redelivered] = true
	}
	s.numbers <- r.number // there is room for all
	return s.conn.channel.PublishWithContext(ctx, s.opts.Queue, s.opts.Queue, false, false, amqp091.Publishing{
		ContentType: kombu.TypeJSON, ContentEncoding: "utf-8", Headers: headers,
		DeliveryMode: amqp091.Persistent, Body: r.body,
	})
}

// Confirmed implements [outbox.Session].
func (s *session) Confirmed() <-chan uint64 { return s.confirmed }

// Lost implements [outbox.Session].
func (s *session) Lost() <-chan error { return s.lost }

// Close implements [outbox.Session].
func (s *session) Close() {
	s.conn.close()
	s.served.Wait()
}

// serve hears what the broker says, until the connection has ended.
func (s *session) serve() {
	defer close(s.ended)
	for {
		select {
		case c, ok := <-s.confirms:
			if !ok {
				s.confirms = nil
				continue
			}
			s.confirm(c)
		case b, ok := <-s.blocked:
			if !ok {
				s.blocked = nil
				continue
			}
			s.block(b)
		case err := <-s.closed:
			if s.confirms != nil { // the library closes it next
				for c := range s.confirms {
					s.confirm(c)
				}
			}
			s.fail(explainUse(orGone(err), s.uri))
			return
		}
	}
}

// confirm passes on what the broker says about the oldest message, which comes in the order
// of publishing.
func (s *session) confirm(c amqp091.Confirmation) {
	number := <-s.numbers
	if !c.Ack {
		s.fail(errors.New("the broker could not store a message"))
		return
	}
	s.confirmed <- number // there is room for all
}

// block holds back what is to be published while the broker has no room.
func (s *session) block(b amqp091.Blocking) {
	s.mu.Lock()
	select {
	case <-s.gate:
		if b.Active {
			s.gate = make(chan struct{})
		}
	default:
		if !b.Active {
			close(s.gate)
		}
	}
	s.mu.Unlock()
	if b.Active {
		s.link.Up(s.detail(), fmt.Errorf("the broker takes no records until it has room: free its disk or memory (it says: %s)", b.Reason))
	} else {
		s.link.Up(s.detail(), s.conn.remark)
	}
}

// fail tells why there is no connection any more.
func (s *session) fail(err error) {
	select {
	case s.lost <- err:
	default: // it was told before
	}
}
