package mongodb

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

// MaxSize is how large a record may be; the envelope makes a third more of it, and MongoDB
// takes documents of 16 MB.
const MaxSize = 12<<20 - 64<<10

// ErrTooLarge is the error of a record that is larger than [MaxSize].
var ErrTooLarge = errors.New("the record is too large for MongoDB")

// Sender is the sending end. It puts records into the queue, and into all others that are
// bound beside it, in order, and holds each until the server has confirmed it. What was
// not confirmed when the connection was lost is put in again, unless it is still there,
// with the mark that it may be the second time.
//
// Send returns when the record is held, and waits when Window records are without
// confirmation.
type Sender struct{ *outbox.Outbox }

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender returns a sender that connects by itself, as soon as the server is there, and
// again when the connection is lost. The error says what is wrong with the options.
func NewSender(o Options) (*Sender, error) {
	o, at, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	name, stamps := o.name(at), newStamps()
	return &Sender{outbox.New(outbox.Options{
		Name: name, Window: o.Window, Linger: o.Linger, Refused: isRefused,
		Link: link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer),
		Connect: func(ctx context.Context) (outbox.Session, string, error) {
			s, err := open(ctx, &o, at, stamps)
			return s, "puts records into the queue " + o.Queue, err
		},
	})}, nil
}

// Send implements [queue.Sender].
func (s *Sender) Send(ctx context.Context, body []byte) error {
	if len(body) > MaxSize {
		return fmt.Errorf("send to %s: %w: %d bytes of %d", s, ErrTooLarge, len(body), MaxSize)
	}
	return s.Outbox.Send(ctx, body)
}

// session is one connection of a sender.
type session struct {
	conn   *connection
	opts   *Options
	at     place
	stamps *stamps

	published chan published
	confirmed chan uint64
	lost      chan error
	served    sync.WaitGroup
}

// published is a record that is on its way.
type published struct {
	number uint64
	stamp  stamp
	again  bool // it may be there already
	body   []byte
}

func open(ctx context.Context, o *Options, at place, stamps *stamps) (*session, error) {
	conn, err := connect(ctx, ctx, o, at)
	if err != nil {
		return nil, explain(err, at)
	}
	s := &session{
		conn: conn, opts: o, at: at, stamps: stamps, published: make(chan published, o.Window),
		confirmed: make(chan uint64, o.Window), lost: make(chan error, 1),
	}
	if err := s.bind(); err != nil {
		conn.close()
		return nil, explain(err, at)
	}
	_ = conn.index() // a consumer is slow without it, and says so
	s.served.Go(s.serve)
	return s, nil
}

// bind binds kombu's queue, as its producers do.
func (s *session) bind() error {
	route := binding(s.opts.Queue, s.opts.Queue, s.opts.Queue)
	err := s.conn.do(func(ctx context.Context) error {
		_, err := s.conn.routing.UpdateOne(ctx, route, field("$set", field("queue", s.opts.Queue)), options.UpdateOne().SetUpsert(true))
		return err
	})
	if err != nil {
		return fmt.Errorf("bind the queue %s: %w", s.opts.Queue, err)
	}
	return nil
}

// Publish implements [outbox.Session].
func (s *session) Publish(_ context.Context, number uint64, body []byte) error {
	p := published{number: number, body: body}
	p.stamp, p.again = s.stamps.of(number, uint64(s.opts.Window)) //nolint:gosec // it is positive
	s.published <- p                                              // there is room for all
	return nil
}

// Confirmed implements [outbox.Session].
func (s *session) Confirmed() <-chan uint64 { return s.confirmed }

// Lost implements [outbox.Session].
func (s *session) Lost() <-chan error { return s.lost }

// Close implements [outbox.Session].
func (s *session) Close() {
	s.conn.fail(nil)
	s.served.Wait()
	s.conn.close()
}

// How much is inserted at once at most.
const (
	insertCount = 1000
	insertSize  = 4 << 20
)

// serve inserts what was published, and all that is at hand at once.
func (s *session) serve() {
	for {
		var batch []published
		select {
		case p := <-s.published:
			batch = s.atHand(p)
		case <-s.conn.ctx.Done():
			s.lost <- explain(context.Cause(s.conn.ctx), s.at)
			return
		}
		if err := s.insert(batch); err != nil {
			s.lost <- explain(err, s.at)
			return
		}
		for _, p := range batch {
			s.confirmed <- p.number // there is room for all
		}
	}
}

func (s *session) atHand(first published) []published {
	batch, size := []published{first}, len(first.body)
	for len(batch) < insertCount && size < insertSize {
		select {
		case p := <-s.published:
			batch, size = append(batch, p), size+len(p.body)
		default:
			return batch
		}
	}
	return batch
}

// insert puts records into all queues that are bound.
func (s *session) insert(batch []published) error {
	var queues []string
	err := s.conn.do(func(ctx context.Context) (err error) {
		queues, err = s.conn.queues(ctx, bson.D{{Key: "exchange", Value: s.opts.Queue}, {Key: "routing_key", Value: s.opts.Queue}})
		return err
	})
	if err != nil {
		return fmt.Errorf("read the bindings of %s: %w", s.opts.Queue, err)
	}
	if len(queues) == 0 { // somebody has removed the binding
		if err := s.bind(); err != nil {
			return err
		}
		queues = []string{s.opts.Queue}
	}
	documents := make([]any, 0, len(batch)*len(queues))
	for _, p := range batch {
		payload, err := kombu.Append(nil, &kombu.Envelope{
			Body: p.body, DeliveryTag: rand.Text(), Exchange: s.opts.Queue, RoutingKey: s.opts.Queue, Redelivered: p.again,
		})
		if err != nil {
			return err
		}
		for _, name := range queues {
			documents = append(documents, bson.D{
				{Key: "_id", Value: s.stamps.id(p.stamp, name)},
				{Key: "payload", Value: string(payload)},
				{Key: "queue", Value: name},
				{Key: "priority", Value: leastUrgent},
			})
		}
	}
	// Of records that may be there already those are put in that are not.
	again := slices.ContainsFunc(batch, func(p published) bool { return p.again })
	err = s.conn.do(func(ctx context.Context) error {
		_, err := s.conn.messages.InsertMany(ctx, documents, options.InsertMany().SetOrdered(!again))
		return err
	})
	if again && areThere(err) {
		return nil
	}
	return err
}

// leastUrgent is kombu's priority 0, as it is stored.
const leastUrgent = 9

// areThere reports whether err says no more than that some documents are there already.
func areThere(err error) bool {
	e, ok := errors.AsType[mongo.BulkWriteException](err)
	return ok && e.WriteConcernError == nil && len(e.WriteErrors) > 0 && !slices.ContainsFunc(e.WriteErrors, func(w mongo.BulkWriteError) bool {
		return !mongo.IsDuplicateKeyError(w)
	})
}

// stamps number the records of a sender, so that one has the same _id however often it is
// inserted, and those of later ones are greater: that is the order of kombu's consumer. It
// is not locked: an outbox publishes from one goroutine.
type stamps struct {
	origin [5]byte
	last   stamp
	known  map[uint64]stamp // by number, of those that may come again
}

// stamp is what an _id has besides its origin.
type stamp struct {
	seconds, count uint32
}

func newStamps() *stamps {
	s := &stamps{known: make(map[uint64]stamp)}
	_, _ = rand.Read(s.origin[:]) // it does not fail
	return s
}

// of returns the stamp of a record, and whether it had it before. Not more than
// window records may come again.
func (s *stamps) of(number, window uint64) (st stamp, again bool) {
	if st, again = s.known[number]; again {
		return st, true
	}
	st = stamp{max(uint32(time.Now().Unix()), s.last.seconds), s.last.count + 1} //nolint:gosec // good until 2106
	if st.count > 0xffffff {
		st = stamp{st.seconds + 1, 0}
	}
	s.last, s.known[number] = st, st
	delete(s.known, number-window) // which is confirmed
	return st, false
}

// id returns the _id of a record in a queue: an ObjectID as any.
func (s *stamps) id(st stamp, name string) bson.ObjectID {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	sum := h.Sum(nil)
	var id bson.ObjectID
	binary.BigEndian.PutUint32(id[8:], st.count)
	binary.BigEndian.PutUint32(id[:], st.seconds)
	for i, b := range s.origin {
		id[4+i] = b ^ sum[i]
	}
	return id
}
