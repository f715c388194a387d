package amqp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

// Sender is the sending end. It publishes persistent messages, in order, and holds each
// until the broker has confirmed it; what was not confirmed when the connection was
// lost is published again, so that it may arrive twice, and never not at all.
//
// Send returns when the message is queued, and waits when Window messages are
// without confirmation.
type Sender struct {
	name string
	opts Options
	uri  amqp091.URI
	link *link.Link
	out  chan []byte

	stop    chan struct{} // closed by Close
	cancel  context.CancelFunc
	done    chan struct{} // closed when the goroutine has ended
	closing sync.Once

	sent, lost atomic.Uint64
	waiting    [][]byte // published or to be published, not confirmed; of the goroutine
}

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
	s := &Sender{
		name: name(uri, o.Queue), opts: o, uri: uri, out: make(chan []byte),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	s.link = link.New(s.name, o.ReconnectMin, o.ReconnectMax, o.OnPeer)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.run(ctx)
	return s, nil
}

// String returns the address and the queue, without user and password.
func (s *Sender) String() string { return s.name }

// Status returns the condition of the connection.
func (s *Sender) Status() queue.Status { return s.link.Status() }

// Sent returns how many messages the broker has confirmed.
func (s *Sender) Sent() uint64 { return s.sent.Load() }

// Lost returns how many messages Close had to leave without confirmation.
func (s *Sender) Lost() uint64 { return s.lost.Load() }

// Send implements [queue.Sender].
func (s *Sender) Send(ctx context.Context, body []byte) error {
	select {
	case <-s.stop:
		return queue.ErrClosed
	default:
	}
	select {
	case s.out <- bytes.Clone(body):
		return nil
	case <-s.stop:
		return queue.ErrClosed
	case <-ctx.Done():
		if st := s.Status(); st.Err != nil {
			return fmt.Errorf("send to %s: %w: %w", s.name, ctx.Err(), st.Err)
		}
		return fmt.Errorf("send to %s: %w", s.name, ctx.Err())
	}
}

// Close implements [queue.Sender]. It waits for the linger time at most until everything
// is confirmed.
func (s *Sender) Close() error {
	s.closing.Do(func() {
		close(s.stop)
		t := time.NewTimer(max(s.opts.Linger, 0))
		defer t.Stop()
		select {
		case <-s.done:
		case <-t.C:
		}
		s.cancel()
		<-s.done
	})
	if n := s.Lost(); n > 0 {
		return fmt.Errorf("close %s: %d records were not confirmed within %v", s.name, n, s.opts.Linger)
	}
	return nil
}

// errStopped ends the goroutine: everything is confirmed.
var errStopped = errors.New("stopped")

// run connects and publishes until ctx ends, or the sender is closed and everything is
// confirmed.
func (s *Sender) run(ctx context.Context) {
	defer close(s.done)
	defer s.link.Closed()
	for {
		err := s.session(ctx)
		if errors.Is(err, errStopped) || ctx.Err() != nil {
			break
		}
		s.link.Down(err, isRefused(err))
		if !s.collect(ctx) {
			break
		}
	}
	s.lost.Add(uint64(len(s.waiting)))
}

// collect takes messages while there is no connection, until it is time for another
// attempt. It reports false when there is nothing to attempt any more.
func (s *Sender) collect(ctx context.Context) bool {
	pause, cancel := context.WithCancel(ctx)
	defer cancel()
	paused := make(chan struct{})
	go func() {
		defer close(paused)
		s.link.Pause(pause)
	}()
	for {
		idle := s.stop
		if len(s.waiting) > 0 {
			idle = nil
		}
		select {
		case <-paused:
			return ctx.Err() == nil
		case body := <-s.room():
			s.waiting = append(s.waiting, body)
		case <-idle:
			cancel()
			<-paused
			return false
		}
	}
}

// room returns where messages come from, or nil if there is no room for more.
func (s *Sender) room() <-chan []byte {
	if len(s.waiting) >= s.opts.Window {
		return nil
	}
	return s.out
}

// session is one connection.
func (s *Sender) session(ctx context.Context) error {
	c, err := connect(ctx, ctx, s.uri, &s.opts)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.declare(s.opts.Queue, true); err != nil {
		return fmt.Errorf("declare %s: %w", s.opts.Queue, err)
	}
	if err := c.channel.Confirm(false); err != nil {
		return fmt.Errorf("ask for confirmations: %w", err)
	}
	// Room for all of them: the library stops reading while nobody takes one.
	confirms := c.channel.NotifyPublish(make(chan amqp091.Confirmation, s.opts.Window))
	closed := c.channel.NotifyClose(make(chan *amqp091.Error, 1))
	s.link.Up("publishes to the exchange "+s.opts.Queue, c.remark)
	for _, body := range s.waiting {
		if err := s.publish(ctx, c, body); err != nil {
			return err
		}
	}
	return s.pump(ctx, c, confirms, closed)
}

// pump publishes what comes and forgets what is confirmed.
func (s *Sender) pump(ctx context.Context, c *connection, confirms <-chan amqp091.Confirmation, closed <-chan *amqp091.Error) error {
	stop := s.stop
	for {
		if stop == nil && len(s.waiting) == 0 {
			return errStopped
		}
		select {
		case body := <-s.room():
			s.waiting = append(s.waiting, body)
			if err := s.publish(ctx, c, body); err != nil {
				return err
			}
		case confirm, ok := <-confirms: // in the order of publishing
			if !ok {
				confirms = nil
				continue
			}
			if !confirm.Ack {
				return errors.New("the broker could not store a message")
			}
			s.waiting[0] = nil
			s.waiting = s.waiting[1:]
			s.sent.Add(1)
		case err := <-closed:
			return fmt.Errorf("the connection was closed: %w", orGone(err))
		case <-stop:
			stop = nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func orGone(err *amqp091.Error) error {
	if err == nil {
		return errors.New("the broker is gone")
	}
	return err
}

// publish publishes a message as kombu does.
func (s *Sender) publish(ctx context.Context, c *connection, body []byte) error {
	err := c.channel.PublishWithContext(ctx, s.opts.Queue, s.opts.Queue, false, false, amqp091.Publishing{
		ContentType: kombu.TypeJSON, ContentEncoding: "utf-8", Headers: amqp091.Table{},
		DeliveryMode: amqp091.Persistent, Body: body,
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}
