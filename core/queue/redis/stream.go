package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
)

// entries are the entries of a stream that were received.
type entries struct {
	mu      sync.Mutex
	open    map[string]struct{} // not acknowledged
	settled []string            // those of them that are to be
	highest entryID             // the last one that was received; of the goroutine that receives
}

// settle says that an entry is done with, or that nobody got it.
func (e *entries) settle(id string, done bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if done {
		e.settled = append(e.settled, id)
	} else {
		delete(e.open, id)
	}
}

// take remembers an entry. It reports false if it was received and is not acknowledged.
func (e *entries) take(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, open := e.open[id]; open {
		return false
	}
	e.open[id] = struct{}{}
	return true
}

// stream reads as a member of a group: first what it was given before and has not
// acknowledged, then what is new.
func (r *Receiver) stream(ctx context.Context) error {
	err := r.redis.XGroupCreateMkStream(r.life, r.opts.Queue, r.opts.Group, "0").Err()
	if err != nil && !goredis.HasErrorPrefix(err, "BUSYGROUP") { // it exists
		return fmt.Errorf("create the group %s: %w", r.opts.Group, err)
	}
	// What could not be acknowledged while there was no connection must not come again.
	if err := r.acknowledge(r.life); err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	r.link.Up(r.reading(), nil)
	from, looked := "0", time.Time{}
	for ctx.Err() == nil {
		if from == ">" && r.opts.ClaimAfter > 0 && time.Since(looked) > r.opts.ClaimAfter/claimsPer {
			looked = time.Now()
			some, err := r.inheritEntries(ctx)
			if err != nil {
				return err
			}
			if some {
				from = "0"
			}
		}
		last, err := r.readGroup(from)
		switch {
		case err != nil:
			return err
		case last == "":
			from = ">"
		case from != ">":
			from = last
		}
	}
	return nil
}

// reading says what we do.
func (r *Receiver) reading() string { return "reads the stream " + r.opts.Queue }

// readGroup hands over what this consumer was given after an entry and has not
// acknowledged, or what is new, and returns the last of them; "" if there is nothing.
func (r *Receiver) readGroup(from string) (last string, err error) {
	streams, err := r.redis.XReadGroup(r.life, &goredis.XReadGroupArgs{
		Group: r.opts.Group, Consumer: r.opts.Consumer, Streams: []string{r.opts.Queue, from},
		Count: inbox.Batch, Block: block,
	}).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return "", fmt.Errorf("read %s: %w", r.opts.Queue, err)
	}
	if len(streams) == 0 {
		return "", nil
	}
	batch := r.inbox.New()
	for _, entry := range streams[0].Messages {
		if r.entries.take(entry.ID) {
			batch = append(batch, r.entry(entry, from != ">"))
		}
		last = entry.ID
	}
	r.inbox.Put(batch)
	return last, nil
}

// entry makes a message of an entry of a stream.
func (r *Receiver) entry(e goredis.XMessage, again bool) queue.Message {
	id := parseID(e.ID)
	// A Redis that has lost its last moments may have forgotten what it has given us.
	again = again || !r.entries.highest.before(id) || e.Values[queue.Redelivered] == "1"
	if r.entries.highest.before(id) {
		r.entries.highest = id
	}
	m := r.message(body(e.Values))
	if m.Record != nil && again {
		m.Record.Extra.Set(queue.Redelivered, true)
	}
	m.Ack = func(err error) { // nor is it useful to get one again that is no record
		r.entries.settle(e.ID, !errors.Is(err, queue.ErrClosed))
		r.settle()
	}
	return m
}

// acknowledge tells Redis what is done with. What it was not told it is told the next time.
func (r *Receiver) acknowledge(ctx context.Context) error {
	r.entries.mu.Lock()
	ids := r.entries.settled
	r.entries.settled = nil
	r.entries.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	err := r.redis.XAck(ctx, r.opts.Queue, r.opts.Group, ids...).Err()
	r.entries.mu.Lock()
	defer r.entries.mu.Unlock()
	if err != nil {
		r.entries.settled = append(ids, r.entries.settled...)
		return err
	}
	for _, id := range ids {
		delete(r.entries.open, id)
	}
	return nil
}

// entryID orders the entries of a stream.
type entryID struct{ time, number uint64 }

// String returns "1700000000000-3".
func (id entryID) String() string { return fmt.Sprintf("%d-%d", id.time, id.number) }

// parseID reads "1700000000000-3".
func parseID(text string) entryID {
	ms, number, _ := strings.Cut(text, "-")
	var id entryID
	id.time, _ = strconv.ParseUint(ms, 10, 64) // Redis made it
	id.number, _ = strconv.ParseUint(number, 10, 64)
	return id
}

// before reports whether id is older than other.
func (id entryID) before(other entryID) bool {
	return id.time < other.time || id.time == other.time && id.number < other.number
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
