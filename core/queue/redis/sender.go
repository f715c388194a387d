package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

// Sender is the sending end. Send returns when Redis has the record; it tries again, as
// long as its context allows, when the connection is lost, so that a record may
// arrive twice.
type Sender struct {
	name   string
	opts   Options
	client *goredis.Options
	redis  *goredis.Client
	link   *link.Link
	ctx    context.Context //nolint:containedctx // the lifetime of the connections
	cancel context.CancelFunc
}

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender returns a sender that connects when there is something to send. The error
// says what is wrong with the options.
func NewSender(o Options) (*Sender, error) {
	o, client, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Sender{name: name(client, &o), opts: o, client: client}
	s.link = link.New(s.name, o.ReconnectMin, o.ReconnectMax, o.OnPeer)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	dialing(s.ctx, client)
	s.redis = goredis.NewClient(client)
	return s, nil
}

// String returns the address, the mode and the queue, without user and password.
func (s *Sender) String() string { return s.name }

// Status returns the condition of the connection.
func (s *Sender) Status() queue.Status { return s.link.Status() }

// Send implements [queue.Sender].
func (s *Sender) Send(ctx context.Context, body []byte) error {
	for {
		if s.ctx.Err() != nil {
			return queue.ErrClosed
		}
		err := s.try(ctx, body)
		if err == nil {
			s.link.Up("", nil)
			return nil
		}
		if s.ctx.Err() != nil {
			return queue.ErrClosed
		}
		refused := isRefused(err)
		err = explain(err, s.client)
		s.link.Down(err, refused)
		if refused || !s.pause(ctx) {
			return fmt.Errorf("send to %s: %w", s.name, err)
		}
	}
}

// pause waits before the next attempt.
func (s *Sender) pause(ctx context.Context) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	return s.link.Pause(ctx)
}

// Close implements [queue.Sender]. What is being sent is given up.
func (s *Sender) Close() error {
	s.cancel()
	s.link.Closed()
	_ = s.redis.Close() // its connections are closed already
	return nil
}

// try sends a record once.
func (s *Sender) try(ctx context.Context, body []byte) error {
	switch s.opts.Mode {
	case List:
		if s.opts.Newest {
			return s.redis.LPush(ctx, s.opts.Queue, body).Err()
		}
		return s.redis.RPush(ctx, s.opts.Queue, body).Err()
	case Channel:
		return s.redis.Publish(ctx, s.opts.Queue, body).Err()
	case Stream:
		return s.redis.XAdd(ctx, &goredis.XAddArgs{
			Stream: s.opts.Queue, MaxLen: s.opts.MaxLength, Approx: true, Values: []any{Field, body},
		}).Err()
	default:
		return s.publish(ctx, body)
	}
}

// publish puts an envelope into all lists that are bound, as kombu does. If there is
// none, it binds that of the queue.
func (s *Sender) publish(ctx context.Context, body []byte) error {
	text, err := kombu.Append(nil, &kombu.Envelope{
		Body: body, DeliveryTag: rand.Text(), Exchange: s.opts.Queue, RoutingKey: s.opts.Queue,
	})
	if err != nil {
		return err
	}
	var members *goredis.StringSliceCmd
	_, err = s.redis.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		p.SAdd(ctx, bindings(s.opts.Queue), binding(s.opts.Queue, s.opts.Queue))
		members = p.SMembers(ctx, bindings(s.opts.Queue))
		return nil
	})
	if err != nil {
		return err
	}
	_, err = s.redis.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		for _, member := range members.Val() {
			if list, ok := strings.CutPrefix(member, binding(s.opts.Queue, "")); ok {
				p.LPush(ctx, list, text)
			}
		}
		return nil
	})
	return err
}
