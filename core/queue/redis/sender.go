package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

// Sender is the sending end. It sends in order, as many at once as are at hand, and holds
// each record until Redis has it; when the connection is lost it asks Redis which of
// them it has got, and sends the others. A record arrives twice only if Redis has lost
// the answer too; it is marked as redelivered then, in the modes where a record has an
// envelope: all but [List] and [Channel].
//
// Send returns when the record is queued, and waits when Window records are without
// confirmation, as they are while Redis has no room. By default each is sent at once, with
// those that are at hand; with FlushThreshold and FlushTime records are gathered first.
// Close does not wait for more.
type Sender struct{ *outbox.Outbox }

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender returns a sender that connects by itself, as soon as Redis is there, and
// again when the connection is lost. The error says what is wrong with the options.
func NewSender(o Options) (*Sender, error) {
	o, client, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	name := name(client, &o)
	progress := &progress{key: ours + "sender." + rand.Text()}
	return &Sender{outbox.New(outbox.Options{
		Name: name, Window: o.Window, Linger: o.Linger, Refused: isRefused,
		Link: link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer),
		Connect: func(ctx context.Context) (outbox.Session, string, error) {
			s, err := open(ctx, client, &o, progress)
			if err != nil {
				return nil, "", explain(err, client)
			}
			return s, "sends to " + o.Queue, nil
		},
	})}, nil
}

// progress is how far a sender has come, across its connections.
type progress struct {
	key   string // where Redis keeps the number of the first record that it does not have
	known bool   // what it keeps is right; of the goroutine of a session
	fresh uint64 // the number of the first record that was never sent; of the outbox
}

// keptFor is how long Redis keeps it.
const keptFor = 24 * time.Hour

// session is one connection of a sender.
type session struct {
	redis    *goredis.Client
	client   *goredis.Options
	opts     *Options
	ctx      context.Context //nolint:containedctx // the lifetime of the connection
	cancel   context.CancelFunc
	progress *progress
	has      uint64 // Redis has the records below this number
	keeps    bool   // Redis keeps how far we are
	doubt    bool   // Redis may have more than that

	records   chan numbered
	flush     chan struct{} // closed when no more come
	confirmed chan uint64
	lost      chan error // capacity 1
	served    sync.WaitGroup
}

type numbered struct {
	number uint64
	body   []byte
	again  bool // Redis may have it
}

// Interface guards.
var (
	_ outbox.Session  = (*session)(nil)
	_ outbox.Remarker = (*session)(nil)
	_ outbox.Flusher  = (*session)(nil)
)

// open connects and finds out what Redis has got.
func open(ctx context.Context, client *goredis.Options, o *Options, p *progress) (*session, error) {
	s := &session{
		client: client, opts: o, progress: p, lost: make(chan error, 1),
		records: make(chan numbered, o.Window), flush: make(chan struct{}), confirmed: make(chan uint64, o.Window),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.redis = newClient(s.ctx, *client)
	if err := s.ask(); err != nil {
		s.Close()
		return nil, connecting(err, client)
	}
	s.served.Go(s.serve)
	return s, nil
}

// ask asks what Redis has got. That is a command that writes, so that a Redis that takes
// nothing says so here.
func (s *session) ask() error {
	var made *goredis.BoolCmd
	var has *goredis.StringCmd
	err := transact(s.ctx, s.redis, func(p goredis.Pipeliner) {
		made = p.SetNX(s.ctx, s.progress.key, 0, keptFor)
		has = p.Get(s.ctx, s.progress.key)
	})
	if goredis.HasErrorPrefix(err, "NOPERM") {
		s.doubt = true
		return s.redis.Ping(s.ctx).Err()
	}
	if err != nil {
		return err
	}
	s.keeps = true
	if s.doubt = !s.progress.known || made.Val(); !s.doubt {
		s.has, err = has.Uint64()
	}
	return err
}

// Remark implements [outbox.Remarker].
func (s *session) Remark() error {
	if s.keeps {
		return nil
	}
	return fmt.Errorf("records may arrive twice after a loss of the connection: the user %q may not use the keys that begin with %s", s.client.Username, ours)
}

// Publish implements [outbox.Session].
func (s *session) Publish(_ context.Context, number uint64, body []byte) error {
	if number < s.has {
		s.confirmed <- number // there is room for all
		return nil
	}
	again := s.doubt && number < s.progress.fresh
	s.progress.fresh = max(s.progress.fresh, number+1)
	s.records <- numbered{number, body, again} // there is room for all
	return nil
}

// Flush implements [outbox.Flusher].
func (s *session) Flush() { close(s.flush) }

// Confirmed implements [outbox.Session].
func (s *session) Confirmed() <-chan uint64 { return s.confirmed }

// Lost implements [outbox.Session].
func (s *session) Lost() <-chan error { return s.lost }

// Close implements [outbox.Session].
func (s *session) Close() {
	s.cancel()
	s.served.Wait()
	_ = s.redis.Close() // its connections are closed already
}

// What is sent at once at most, unless more is waited for.
const (
	maxRecords = 128
	maxBytes   = 4 << 20
)

// idleCheck is how often a sender with nothing to send looks whether Redis is there.
const idleCheck = 10 * time.Second

// serve sends what is at hand, or what there is when it was waited for, until the session
// ends.
func (s *session) serve() {
	idle := time.NewTicker(idleCheck)
	defer idle.Stop()
	for {
		var err error
		select {
		case first := <-s.records:
			var batch []numbered
			if batch, err = s.gather(first, idle.C); err == nil {
				err = s.send(batch)
			}
		case <-idle.C:
			err = s.redis.Ping(s.ctx).Err()
		case <-s.ctx.Done():
			return
		}
		if err != nil {
			s.lost <- explain(err, s.client) // the first and last
			return
		}
	}
}

// gather returns a record and those that wait behind it. While they are too few it waits
// for more, for as long as a record may wait.
func (s *session) gather(first numbered, idle <-chan time.Time) ([]numbered, error) {
	batch, size := []numbered{first}, len(first.body)
	add := func(next numbered) { batch, size = append(batch, next), size+len(next.body) }
	due := time.NewTimer(s.opts.FlushTime)
	defer due.Stop()
	for over := false; len(batch) < max(maxRecords, s.opts.FlushThreshold) && size < maxBytes; {
		if over || len(batch) >= s.opts.FlushThreshold {
			select {
			case next := <-s.records:
				add(next)
				continue
			default:
				return batch, nil
			}
		}
		select {
		case next := <-s.records:
			add(next)
		case <-due.C:
			over = true
		case <-s.flush:
			over = true
		case <-idle:
			if err := s.redis.Ping(s.ctx).Err(); err != nil {
				return nil, err
			}
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		}
	}
	return batch, nil
}

// send has Redis take records, all or none of them.
func (s *session) send(batch []numbered) error {
	lists, err := s.lists()
	if err != nil {
		return err
	}
	values, err := s.values(batch)
	if err != nil {
		return err
	}
	err = transact(s.ctx, s.redis, func(p goredis.Pipeliner) {
		s.write(p, lists, values, batch)
		if s.keeps {
			p.Set(s.ctx, s.progress.key, batch[len(batch)-1].number+1, keptFor)
		}
	})
	if err != nil {
		// A transaction that was begun goes on behind a command that has failed, to the last one.
		_, aborted := errors.AsType[abortedError](err)
		s.progress.known = s.progress.known && (aborted || !isRefused(err))
		return err
	}
	s.progress.known = s.keeps
	for _, r := range batch {
		s.confirmed <- r.number // there is room for all
	}
	return nil
}

// values returns the records as they are in Redis.
func (s *session) values(batch []numbered) ([]any, error) {
	values := make([]any, 0, len(batch))
	for _, r := range batch {
		if s.opts.Mode != Tap && s.opts.Mode != Consume {
			values = append(values, r.body)
			continue
		}
		text, err := kombu.Append(nil, &kombu.Envelope{
			Body: r.body, DeliveryTag: rand.Text(), Exchange: s.opts.Queue, RoutingKey: s.opts.Queue, Redelivered: r.again,
		})
		if err != nil {
			return nil, err
		}
		values = append(values, text)
	}
	return values, nil
}

// lists returns those that are bound to kombu's queue. If there is none, it binds that of
// the queue, as kombu does.
func (s *session) lists() ([]string, error) {
	if s.opts.Mode != Tap && s.opts.Mode != Consume {
		return nil, nil
	}
	var members *goredis.StringSliceCmd
	err := transact(s.ctx, s.redis, func(p goredis.Pipeliner) {
		p.SAdd(s.ctx, bindings(s.opts.Queue), binding(s.opts.Queue, s.opts.Queue))
		members = p.SMembers(s.ctx, bindings(s.opts.Queue))
	})
	if err != nil {
		return nil, err
	}
	var lists []string
	for _, member := range members.Val() {
		if list, ok := strings.CutPrefix(member, binding(s.opts.Queue, "")); ok {
			lists = append(lists, list)
		}
	}
	if lists == nil {
		return nil, errors.New("nothing is bound to the queue")
	}
	return lists, nil
}

// write adds the commands that write values.
func (s *session) write(p goredis.Pipeliner, lists []string, values []any, batch []numbered) {
	ctx, to := s.ctx, s.opts.Queue
	switch s.opts.Mode {
	case List:
		if s.opts.Newest {
			p.LPush(ctx, to, values...)
		} else {
			p.RPush(ctx, to, values...)
		}
	case Channel:
		for _, v := range values {
			p.Publish(ctx, to, v)
		}
	case Stream:
		for i, v := range values {
			fields := []any{Field, v}
			if batch[i].again {
				fields = append(fields, queue.Redelivered, "1")
			}
			p.XAdd(ctx, &goredis.XAddArgs{Stream: to, MaxLen: s.opts.MaxLength, Approx: true, Values: fields})
		}
	default:
		for _, list := range lists {
			p.LPush(ctx, list, values...)
		}
	}
}
