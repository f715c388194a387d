package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
)

// block is how long Redis waits for a record before it answers that there is none: as
// long Close may take.
const block = time.Second

// The ends of a list.
const (
	left  = "LEFT"
	right = "RIGHT"
)

// sources returns the lists with the records, the most urgent first, and the end where the
// oldest is.
func (r *Receiver) sources() (lists []string, oldest string) {
	switch {
	case r.opts.Mode == Tap:
		return priorities(r.own), right
	case r.opts.Mode == Consume:
		return priorities(r.opts.Queue), right
	case r.opts.Newest:
		return []string{r.opts.Queue}, right
	default:
		return []string{r.opts.Queue}, left
	}
}

// take takes records out of the lists: each as it comes, and what is there with it.
func (r *Receiver) take(ctx context.Context) error {
	if err := r.resume(); err != nil {
		return err
	}
	if err := r.fits(); err != nil {
		return err
	}
	r.link.Up("takes from the list "+r.opts.Queue, nil)
	r.ready = [4]int{}
	var swept time.Time
	for ctx.Err() == nil {
		if r.opts.Mode != Tap && time.Since(swept) > renewEvery {
			swept = time.Now()
			if err := r.inherit(ctx); err != nil {
				return err
			}
		}
		n, err := r.takeBatch()
		if n == 0 && err == nil {
			err = r.await()
		}
		if goredis.HasErrorPrefix(err, "OOM") { // what takes no room is allowed
			err = r.pop()
		}
		if err != nil {
			return fmt.Errorf("take from %s: %w", r.opts.Queue, err)
		}
	}
	return nil
}

// fits checks that the lists are lists.
func (r *Receiver) fits() error {
	lists, _ := r.sources()
	if err := r.redis.LLen(r.life, lists[0]).Err(); err != nil {
		return fmt.Errorf("take from %s: %w", r.opts.Queue, err)
	}
	return nil
}

// takeBatch takes what was at hand at the end of the last call, and sees what is at hand
// now. It returns how much that is.
func (r *Receiver) takeBatch() (int, error) {
	lists, oldest := r.sources()
	var from []string
	var answers []*goredis.StringCmd
	lengths := make([]*goredis.IntCmd, len(lists))
	commands, err := r.redis.Pipelined(r.life, func(p goredis.Pipeliner) error {
		for i, list := range lists {
			for range r.ready[i] {
				from = append(from, list)
				answers = append(answers, p.LMove(r.life, list, r.held.list, oldest, left))
			}
		}
		for i, list := range lists {
			lengths[i] = p.LLen(r.life, list)
		}
		return nil
	})
	for i, a := range answers {
		if text, err := a.Result(); err == nil {
			r.gather(text, from[i], false)
		}
	}
	r.hand()
	room := inbox.Batch
	for i := range lists {
		r.ready[i] = min(int(lengths[i].Val()), room)
		room -= r.ready[i]
	}
	if errors.Is(err, goredis.Nil) { // somebody else was faster
		err = nil
	}
	return inbox.Batch - room, answer(commands, err)
}

// await waits for a record, not for long.
func (r *Receiver) await() error {
	lists, oldest := r.sources()
	text, err := r.waiting.BLMove(r.life, lists[0], r.held.list, oldest, left, block).Result()
	if errors.Is(err, goredis.Nil) {
		return nil
	}
	if err == nil {
		r.gather(text, lists[0], false)
		r.hand()
	}
	return err
}

// pop takes what is at hand without keeping it in Redis. It waits if there is nothing.
func (r *Receiver) pop() error {
	lists, oldest := r.sources()
	await := r.redis.BRPop
	if oldest == left {
		await = r.redis.BLPop
	}
	got, err := await(r.life, block, lists...).Result() // the list and the record
	if err != nil && !errors.Is(err, goredis.Nil) {
		return err
	}
	if err == nil {
		r.inbox.Put(append(r.inbox.New(), r.message([]byte(got[1]))))
	}
	return nil
}

// gather adds a message that is in the held list to those that are handed over next.
func (r *Receiver) gather(text, source string, again bool) {
	i, known := r.held.add(text, source)
	m := r.message([]byte(text))
	if m.Record != nil && (again || known) {
		m.Record.Extra.Set(queue.Redelivered, true)
	}
	m.Ack = func(err error) { // nor is it useful to get one again that is no record
		r.held.settle(i, !errors.Is(err, queue.ErrClosed))
		r.settle()
	}
	r.batch = append(r.batch, m)
}

// hand hands over what was gathered.
func (r *Receiver) hand() {
	for part := range slices.Chunk(r.batch, inbox.Batch) {
		r.inbox.Put(append(r.inbox.New(), part...))
	}
	clear(r.batch)
	r.batch = r.batch[:0]
}

// resume goes on with a new connection: what is in the held list may be less or more than
// it was when the last one ended.
func (r *Receiver) resume() error {
	r.held.trim.Lock()
	texts, err := r.redis.LRange(r.life, r.held.list, 0, -1).Result()
	if err != nil {
		r.held.trim.Unlock()
		return fmt.Errorf("read %s: %w", r.held.list, err)
	}
	slices.Reverse(texts)
	lists, _ := r.sources()
	for _, text := range r.held.reconcile(texts) {
		r.gather(text, lists[0], false)
	}
	r.held.trim.Unlock()
	r.hand()
	r.settle()
	return nil
}

// holders returns the set of the held lists of a queue.
func holders(queueName string) string { return ours + "holders." + queueName }

// inherit shows that we live, and takes over what receivers hold that do not live any more.
func (r *Receiver) inherit(ctx context.Context) error {
	set := holders(r.opts.Queue)
	var members *goredis.StringSliceCmd
	err := transact(r.life, r.redis, func(p goredis.Pipeliner) {
		p.Set(r.life, r.held.list+leaseSuffix, "", leaseTime)
		p.SAdd(r.life, set, r.held.list)
		members = p.SMembers(r.life, set)
	})
	if goredis.HasErrorPrefix(err, "OOM") { // nor do we put anything there then
		return nil
	}
	if err != nil {
		return fmt.Errorf("register as a reader of %s: %w", r.opts.Queue, err)
	}
	lists, _ := r.sources()
	for _, dead := range members.Val() {
		if dead == r.held.list || !strings.HasPrefix(dead, heldPrefix) {
			continue
		}
		if alive, err := r.redis.Exists(r.life, dead+leaseSuffix).Result(); err != nil || alive > 0 {
			continue
		}
		for ctx.Err() == nil {
			text, err := r.redis.LMove(r.life, dead, r.held.list, right, left).Result()
			if errors.Is(err, goredis.Nil) {
				err = r.redis.SRem(r.life, set, dead).Err()
				if err == nil {
					break
				}
			}
			if err != nil {
				return fmt.Errorf("take over %s: %w", dead, err)
			}
			r.gather(text, lists[0], true)
			r.hand()
		}
	}
	return nil
}

// giveBack puts what nobody has received back to where it was taken from, and leaves the
// rest to whoever comes next.
func (r *Receiver) giveBack(ctx context.Context) {
	lists, oldest := r.sources()
	if texts, err := r.redis.LRange(ctx, r.held.list, 0, -1).Result(); err == nil {
		slices.Reverse(texts)
		for _, text := range r.held.reconcile(texts) { // the drain came before the answer
			i, _ := r.held.add(text, lists[0])
			r.held.settle(i, false)
		}
	}
	items := r.held.unread()
	_ = transact(ctx, r.redis, func(p goredis.Pipeliner) {
		for _, i := range slices.Backward(items) { // the newest first
			p.LRem(ctx, r.held.list, 1, i.text)
			if oldest == left {
				p.LPush(ctx, i.source, i.text)
			} else {
				p.RPush(ctx, i.source, i.text)
			}
		}
		p.Del(ctx, r.held.list+leaseSuffix)
	}) // if that fails, whoever comes next takes them over
	if r.redis.Exists(ctx, r.held.list).Val() == 0 {
		_ = r.redis.SRem(ctx, holders(r.opts.Queue), r.held.list).Err()
	}
}
