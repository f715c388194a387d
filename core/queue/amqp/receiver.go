package amqp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	amqp091 "github.com/rabbitmq/amqp091-go"

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
	uri   amqp091.URI
	link  *link.Link
	inbox *inbox.Inbox
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
)

// NewReceiver returns a receiver that connects by itself, as soon as the broker is there,
// and again when the connection is lost. The error says what is wrong with the options.
func NewReceiver(o Options) (*Receiver, error) {
	o, uri, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	called := name(uri, o.Queue)
	r := &Receiver{opts: o, uri: uri, inbox: inbox.New(), link: link.New(called, o.ReconnectMin, o.ReconnectMax, o.OnPeer)}
	r.Start(intake.Options{
		Name: called, Inbox: r.inbox, Link: r.link, Session: r.session,
		Explain: func(err error) (error, bool) { return err, isRefused(err) },
	})
	return r, nil
}

// Dropped returns how many messages of a tap were read and not received before Close. A
// queue that is consumed keeps them.
func (r *Receiver) Dropped() uint64 {
	if r.opts.Consume {
		return 0
	}
	return r.inbox.Lost()
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
	sub, err := r.subscribe(receiving, c)
	if err != nil {
		return explainUse(err, r.uri)
	}
	how := "taps the exchange " + r.opts.Queue
	if r.opts.Consume {
		how = "consumes the queue " + r.opts.Queue
	}
	r.link.Up(how, c.remark)
	lost := make(chan error, 1)
	watch.Go(func() { // the loss is told while the one who dispatches is busy, too
		if err := sub.end(); receiving.Err() == nil {
			err = explainUse(fmt.Errorf("the connection was closed: %w", err), r.uri)
			r.link.Down(err, isRefused(err))
			lost <- err
		}
	})
	if !r.receive(receiving, sub.deliveries) {
		c.close()
		watch.Wait()
		select {
		case err := <-lost:
			return err
		default: // we are stopping
			return errors.New("the connection has ended")
		}
	}
	// Drained: what was received is still being acknowledged.
	r.Finish()
	select {
	case <-r.Stopped():
	case <-life.Done():
	}
	return nil
}

// subscription is what the broker sends.
type subscription struct {
	deliveries <-chan amqp091.Delivery
	closed     <-chan *amqp091.Error
	cancelled  <-chan string
}

// end waits for the end of the channel, or of the queue, and returns the reason.
func (s *subscription) end() error {
	select {
	case _, ok := <-s.cancelled:
		if ok {
			return errDeleted
		}
		return orGone(<-s.closed)
	case err := <-s.closed:
		return orGone(err)
	}
}

// errDeleted says that somebody has deleted the queue. It is made again.
var errDeleted = errors.New("the queue was deleted")

// subscribe makes the broker send messages.
func (r *Receiver) subscribe(ctx context.Context, c *connection) (*subscription, error) {
	from := r.opts.Queue
	if err := c.declare(r.opts.Queue, r.opts.Consume); err != nil {
		return nil, fmt.Errorf("declare %s: %w", r.opts.Queue, err)
	}
	if err := c.channel.Qos(r.opts.Prefetch, 0, false); err != nil {
		return nil, fmt.Errorf("set the prefetch: %w", err)
	}
	if !r.opts.Consume {
		own, err := c.channel.QueueDeclare("", false, true, true, false, amqp091.Table{"x-max-length": int64(r.opts.TapLength)})
		if err != nil {
			return nil, fmt.Errorf("declare a queue of our own: %w", err)
		}
		if err := c.channel.QueueBind(own.Name, r.opts.Queue, r.opts.Queue, false, nil); err != nil {
			return nil, fmt.Errorf("bind to the exchange %s: %w", r.opts.Queue, err)
		}
		from = own.Name
	}
	s := &subscription{
		closed:    c.channel.NotifyClose(make(chan *amqp091.Error, 1)),
		cancelled: c.channel.NotifyCancel(make(chan string, 1)),
	}
	var err error
	if s.deliveries, err = c.channel.ConsumeWithContext(ctx, from, "", false, !r.opts.Consume, false, false, nil); err != nil {
		return nil, fmt.Errorf("consume %s: %w", from, err)
	}
	return s, nil
}

// receive moves messages to the inbox until ctx ends, or it returns false because there
// will be no more.
func (r *Receiver) receive(ctx context.Context, deliveries <-chan amqp091.Delivery) bool {
	for {
		select {
		case <-ctx.Done():
			return true
		case d, ok := <-deliveries:
			if !ok {
				return ctx.Err() != nil
			}
			batch := append(r.inbox.New(), r.message(&d))
			for more := true; more && len(batch) < inbox.Batch; {
				select {
				case d, ok := <-deliveries:
					if more = ok; ok {
						batch = append(batch, r.message(&d))
					}
				default:
					more = false
				}
			}
			r.inbox.Put(batch)
		}
	}
}

// message makes a message of a delivery.
func (r *Receiver) message(d *amqp091.Delivery) queue.Message {
	m := queue.Message{Body: d.Body, Ack: r.acknowledge(d)}
	compression, _ := d.Headers["compression"].(string)
	m.Record, m.Err = r.opts.Decoder.DecodeCompressed(d.Body, compression, d.ContentType)
	again, _ := d.Headers[queue.Redelivered].(bool)
	if m.Record != nil && (d.Redelivered || again) {
		m.Record.Extra.Set(queue.Redelivered, true)
	}
	if m.Err != nil {
		m.Format = d.ContentType + formatSeparator + compression
		r.Reject()
	}
	return m
}

// formatSeparator stands between the content type and the compression in a
// [queue.Message].Format.
const formatSeparator = "; "

// Decode implements [queue.Decoder].
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	contentType, compression := m.Format, ""
	if at := strings.LastIndex(m.Format, formatSeparator); at >= 0 {
		contentType, compression = m.Format[:at], m.Format[at+len(formatSeparator):]
	}
	return r.opts.Decoder.DecodeCompressed(m.Body, compression, contentType)
}

// acknowledge returns what settles a delivery: a message that was dispatched is done with,
// one that was not received stays with the broker, and any other is rejected for good,
// because it would come again and again.
func (r *Receiver) acknowledge(d *amqp091.Delivery) func(error) {
	ack, tag := d.Acknowledger, d.DeliveryTag
	return func(err error) {
		switch {
		case err == nil:
			// It fails when the connection is lost: then the message comes again, marked.
			_ = ack.Ack(tag, false)
		case !errors.Is(err, queue.ErrClosed):
			_ = ack.Reject(tag, false)
		}
	}
}
