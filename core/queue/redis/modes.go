package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
)

// block is how long Redis waits for a record before it answers that there is none: as
// long Close may take.
const block = time.Second

// pop takes records out of lists: each as it comes, and what is there with it.
func (r *Receiver) pop(ctx context.Context, lists []string, left bool) error {
	r.link.Up("takes from the list "+r.opts.Queue, nil)
	await, more := r.redis.BRPop, r.redis.RPopCount
	if left {
		await, more = r.redis.BLPop, r.redis.LPopCount
	}
	for ctx.Err() == nil {
		first, err := await(r.ctx, block, lists...).Result() // the list and the record
		if errors.Is(err, goredis.Nil) {
			continue
		}
		if err != nil {
			return fmt.Errorf("take from %s: %w", r.opts.Queue, err)
		}
		rest, err := more(r.ctx, first[0], inbox.Batch-1).Result()
		r.put(append([]string{first[1]}, rest...)...)
		// Redis before 6.2 takes one at a time.
		if err != nil && !errors.Is(err, goredis.Nil) && !goredis.HasErrorPrefix(err, "ERR wrong number") {
			return fmt.Errorf("take from %s: %w", r.opts.Queue, err)
		}
	}
	return nil
}

// listen receives what is published.
func (r *Receiver) listen(ctx context.Context) error {
	sub := r.redis.Subscribe(r.ctx, r.opts.Queue)
	defer func() { _ = sub.Close() }()
	for ctx.Err() == nil {
		got, err := sub.ReceiveTimeout(r.ctx, block)
		if timeout, ok := errors.AsType[interface {
			error
			Timeout() bool
		}](err); ok && timeout.Timeout() {
			continue
		}
		if err != nil {
			return fmt.Errorf("listen to %s: %w", r.opts.Queue, err)
		}
		switch got := got.(type) {
		case *goredis.Subscription:
			r.link.Up("listens to the channel "+r.opts.Queue, nil)
		case *goredis.Message:
			r.put(got.Payload)
		}
	}
	return nil
}

// stream reads as a member of a group: first what it was given before and has not
// acknowledged, then what is new.
func (r *Receiver) stream(ctx context.Context) error {
	err := r.redis.XGroupCreateMkStream(r.ctx, r.opts.Queue, r.opts.Group, "0").Err()
	if err != nil && !goredis.HasErrorPrefix(err, "BUSYGROUP") { // it exists
		return fmt.Errorf("create the group %s: %w", r.opts.Group, err)
	}
	r.link.Up("reads the stream "+r.opts.Queue, nil)
	from := "0"
	for ctx.Err() == nil {
		streams, err := r.redis.XReadGroup(r.ctx, &goredis.XReadGroupArgs{
			Group: r.opts.Group, Consumer: r.opts.Consumer, Streams: []string{r.opts.Queue, from},
			Count: inbox.Batch, Block: block,
		}).Result()
		if err != nil && !errors.Is(err, goredis.Nil) {
			return fmt.Errorf("read %s: %w", r.opts.Queue, err)
		}
		if len(streams) == 0 || len(streams[0].Messages) == 0 {
			from = ">"
			continue
		}
		batch := r.inbox.New()
		for _, entry := range streams[0].Messages {
			batch = append(batch, r.entry(entry, from != ">"))
			if from != ">" {
				from = entry.ID
			}
		}
		r.inbox.Put(batch)
	}
	return nil
}

// entry makes a message of an entry of a stream.
func (r *Receiver) entry(e goredis.XMessage, again bool) queue.Message {
	m := r.message(body(e.Values))
	if m.Record != nil && again {
		m.Record.Extra.Set(Redelivered, true)
	}
	m.Ack = func(err error) {
		if !errors.Is(err, queue.ErrClosed) { // nor is it useful to get one again that is no record
			_ = r.redis.XAck(r.ctx, r.opts.Queue, r.opts.Group, e.ID).Err() // if that fails, it comes again with the next connection
		}
	}
	return m
}

// Field is the name that a [Sender] gives a record in an entry of a stream.
const Field = "record"

// body returns the record in an entry: its field "record", or its only one, or all of
// them as one object.
func body(values map[string]any) []byte {
	text, ok := values[Field].(string)
	if !ok && len(values) == 1 {
		for _, v := range values {
			text, ok = v.(string)
		}
	}
	if ok {
		return []byte(text)
	}
	object, err := json.Marshal(values)
	if err != nil { // they are texts
		return nil
	}
	return object
}
