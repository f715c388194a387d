package mongodb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

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
	at    place
	own   string // our queue
	share int64  // how many messages are claimed at once
	link  *link.Link
	inbox *inbox.Inbox
	given *given

	cleans  sync.Mutex // held by the one who removes what was dispatched
	opening sync.Mutex // held while a cursor is opened, and while messages are dropped
	trimmed atomic.Uint64
	emptied atomic.Bool // everything was read that was in our queue a moment before
}

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
	o, at, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	name := o.name(at)
	r := &Receiver{
		opts: o, at: at, own: ownQueue(o.Consume), share: leastClaimed, inbox: inbox.New(), given: newGiven(),
		link: link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer),
	}
	r.Start(intake.Options{
		Name: name, Inbox: r.inbox, Link: r.link, Session: r.session,
		Explain:      func(err error) (error, bool) { return explain(err, at), isRefused(err) },
		CloseTimeout: closeTimeout,
	})
	return r, nil
}

// Dropped returns how many messages were too many for the queue of a tap, or were taken
// from it and not received before Close. One that consumes puts the latter back.
func (r *Receiver) Dropped() uint64 {
	if r.opts.Consume {
		return 0
	}
	return r.trimmed.Load() + r.inbox.Lost()
}

// closeTimeout is how long the server may take to remove our queue. One that is gone, or
// says nothing from the beginning, is not waited for.
const closeTimeout = 10 * time.Second

// session is one connection.
func (r *Receiver) session(life, receiving context.Context) error {
	c, err := connect(receiving, life, &r.opts, r.at)
	if err != nil {
		return err
	}
	defer c.close()
	if err := r.clean(c); err != nil { // dispatched while there was no connection
		return err
	}
	if err := r.bind(c); err != nil {
		return err
	}
	remark := errors.Join(c.index(), c.sweepUnbound())
	c.expire()
	detail := "gets a copy of the queue " + r.opts.Queue
	if r.opts.Consume {
		detail = "consumes the queue " + r.opts.Queue
	}
	r.link.Up(detail, remark)

	var others sync.WaitGroup
	defer others.Wait()
	defer c.fail(nil)
	others.Go(func() { r.cleaning(c) })
	others.Go(func() { r.renew(c) })
	others.Go(func() { // the loss is told while the one who dispatches is busy, too
		<-c.ctx.Done()
		if err := context.Cause(c.ctx); receiving.Err() == nil && !errors.Is(err, context.Canceled) {
			r.link.Down(explain(err, r.at), isRefused(err))
		}
	})
	if err := r.receive(receiving, c); receiving.Err() == nil {
		if c.ctx.Err() != nil {
			return context.Cause(c.ctx)
		}
		return err
	}
	r.Finish()
	// Drained: what was received is still being dispatched.
	select {
	case <-r.Stopped():
		if r.clean(c) == nil {
			r.leave(c)
		}
	case <-c.ctx.Done():
	}
	return nil
}

// clean removes the messages that were dispatched.
func (r *Receiver) clean(c *connection) error {
	r.cleans.Lock()
	defer r.cleans.Unlock()
	for {
		ids := r.given.settled()
		if len(ids) == 0 {
			return nil
		}
		if _, err := c.delete(ids); err != nil {
			return err
		}
		r.given.removed(len(ids))
	}
}

// cleaning is clean, again and again, until the connection ends or the receiver is closed.
func (r *Receiver) cleaning(c *connection) {
	for {
		select {
		case <-r.given.wake:
			if err := r.clean(c); err != nil {
				c.fail(err)
				return
			}
		case <-r.Stopped():
			return
		case <-c.ctx.Done():
			return
		}
	}
}

// renew shows again and again that we live, and keeps the queue of a tap within its
// bounds.
func (r *Receiver) renew(c *connection) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-r.Stopped():
			return
		case <-c.ctx.Done():
			return
		}
		err := r.bind(c)
		if err == nil && !r.opts.Consume && !r.emptied.Swap(false) {
			err = r.trim(c)
		}
		if err == nil && n%unboundEvery == 0 {
			_ = c.sweepUnbound() // if that was no accident, this connection's next request fails, too
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// leastPoll is the time between two looks into a queue into which something has come.
const leastPoll = 10 * time.Millisecond

// receive hands over what comes into our queue, until ctx ends or the connection is lost.
func (r *Receiver) receive(ctx context.Context, c *connection) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait := time.Duration(0); ; {
		select {
		case <-timer.C:
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case <-ctx.Done():
			return nil
		}
		some, asked, err := r.look(ctx, c)
		if err != nil {
			return err
		}
		if wait *= 2; some {
			wait = 0
		}
		// A server to which this is hard, because it has no index, has time for others, too.
		timer.Reset(max(min(max(wait, leastPoll), r.opts.PollInterval), asked))
	}
}

// look hands over what is in our queue, waits until it is dispatched and removed, and
// reports whether there was something, and how long the server took to look for it.
func (r *Receiver) look(ctx context.Context, c *connection) (some bool, asked time.Duration, err error) {
	more := false
	if r.opts.Consume {
		if more, err = r.claim(c); err != nil {
			return false, 0, fmt.Errorf("claim messages of %s: %w", r.opts.Queue, err)
		}
	}
	began := time.Now()
	cursor, err := r.open(c)
	if err != nil {
		return false, 0, fmt.Errorf("read %s: %w", r.opts.Queue, err)
	}
	opened := time.Now()
	if some, err = r.fetch(ctx, c, cursor); err != nil {
		return false, 0, fmt.Errorf("read %s: %w", r.opts.Queue, err)
	}
	for !r.given.idle() {
		select {
		case <-r.given.empty:
		case <-c.ctx.Done():
			return some, 0, context.Cause(c.ctx)
		case <-ctx.Done():
			return some, 0, nil
		}
	}
	switch took := time.Since(opened); {
	case more && took < claimTime/2:
		r.share = min(2*r.share, mostClaimed)
	case took > claimTime:
		r.share = max(r.share/2, leastClaimed)
	}
	return some, opened.Sub(began), nil
}

// batchSize is how much is handed over at once at most, so that little waits when
// records are large.
const batchSize = 1 << 20

// fetched is how many messages the server sends at once; it sends no more than 16 MB.
const fetched = 1000

// fetch hands over what a cursor finds, and closes it.
func (r *Receiver) fetch(ctx context.Context, c *connection, cursor *mongo.Cursor) (some bool, err error) {
	defer func() { _ = c.do(cursor.Close) }()
	var batch []queue.Message
	size := 0
	put := func() {
		if len(batch) > 0 {
			r.inbox.Put(batch)
		}
		batch, size = r.inbox.New(), 0
	}
	put()
	for began := time.Now(); ctx.Err() == nil; {
		more := false
		if cursor.RemainingBatchLength() > 0 {
			more = cursor.Next(c.ctx)
		} else {
			err = c.do(func(ctx context.Context) error {
				more = cursor.Next(ctx)
				return cursor.Err()
			})
		}
		if err != nil || !more {
			r.emptied.Store(err == nil && time.Since(began) < renewEvery)
			break
		}
		m, ok := r.message(cursor.Current)
		if !ok {
			continue
		}
		batch, size, some = append(batch, m), size+len(m.Body), true
		if len(batch) == inbox.Batch || size >= batchSize || cursor.RemainingBatchLength() == 0 {
			put()
		}
	}
	put()
	if code(err) == codeCursorNotFound { // whoever dispatches was busy for longer than it is kept
		err = nil
	}
	return some, err
}

// open looks what is in our queue, the most urgent and then the oldest first.
func (r *Receiver) open(c *connection) (cursor *mongo.Cursor, err error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	r.given.begin()
	err = c.do(func(ctx context.Context) error {
		cursor, err = c.messages.Find(ctx, field("queue", r.own), options.Find().SetSort(first()).SetBatchSize(fetched))
		return err
	})
	return cursor, err
}

// Decode implements [queue.Decoder].
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	rec, _, err := r.opts.Decoder.DecodeEnvelope(m.Body)
	return rec, err
}

// message makes a message of a document. It reports false for one that was handed over
// already.
func (r *Receiver) message(document bson.Raw) (queue.Message, bool) {
	id := document.Lookup("_id")
	id.Value = append([]byte(nil), id.Value...) // the cursor uses it again
	first, again := r.given.give(id)
	if !first {
		return queue.Message{}, false
	}
	payload, ok := document.Lookup("payload").StringValueOK()
	if !ok { // it is going to be rejected
		payload = document.String()
	}
	m := queue.Message{Body: []byte(payload), Ack: func(err error) {
		// One that is no record, or that the handlers refuse, is done with, too; one that
		// nobody took stays.
		if !errors.Is(err, queue.ErrClosed) {
			r.given.settle(id)
		}
	}}
	ours, _ := document.Lookup("redelivered").BooleanOK()
	var kombus bool
	m.Record, kombus, m.Err = r.opts.Decoder.DecodeEnvelope(m.Body)
	switch {
	case m.Err != nil:
		r.Reject()
	case again || ours || kombus:
		m.Record.Extra.Set(queue.Redelivered, true)
	}
	return m, true
}
