package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// separator is what kombu puts between the parts of names.
const separator = "\x06\x16"

// ours marks the keys that are not kombu's.
const ours = "logbook-tray."

// What marks the lists of taps, and those of messages that are being dispatched.
const (
	prefix     = ours + "tap."
	heldPrefix = ours + "held."
	heldSuffix = ".held" // of a tap
)

// A tap shows that it lives by a key with an end, which it renews.
const (
	leaseTime   = time.Minute
	renewEvery  = 15 * time.Second
	leaseSuffix = ".lease"
)

// priorities returns the lists in which kombu keeps a queue, the most urgent first.
func priorities(name string) []string {
	return []string{name, name + separator + "3", name + separator + "6", name + separator + "9"}
}

// bindings returns the set in which kombu's producers look, each time that they publish, which
// lists to put a message into.
func bindings(exchange string) string { return "_kombu.binding." + exchange }

// binding returns the member of that set for a list: routing key, pattern, list.
func binding(exchange, list string) string { return exchange + separator + separator + list }

// newID returns what the names of our lists end in.
func newID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // it does not fail
	return hex.EncodeToString(b)
}

// tap has producers put everything into a list of our own, too, and takes it from there.
func (r *Receiver) tap(ctx context.Context) error {
	if err := r.bind(ctx); err != nil {
		return err
	}
	renewing, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { r.renew(renewing) })
	defer wg.Wait()
	defer cancel()
	return r.take(ctx)
}

// bind binds our list, after it was made known that we live.
func (r *Receiver) bind(ctx context.Context) error {
	err := transact(ctx, r.redis, func(p goredis.Pipeliner) {
		p.Set(ctx, r.own+leaseSuffix, "", leaseTime)
		p.SAdd(ctx, bindings(r.opts.Queue), binding(r.opts.Queue, r.own))
	})
	if err != nil {
		return fmt.Errorf("bind to %s: %w", r.opts.Queue, err)
	}
	return r.sweep(ctx)
}

// unbind unbinds our list and removes it.
func (r *Receiver) unbind() {
	_ = r.remove(r.life, r.own) // the next tap does it if this fails
}

func (r *Receiver) remove(ctx context.Context, list string) error {
	return transact(ctx, r.redis, func(p goredis.Pipeliner) {
		p.SRem(ctx, bindings(r.opts.Queue), binding(r.opts.Queue, list))
		p.Del(ctx, append(priorities(list), list+leaseSuffix, list+heldSuffix)...)
	})
}

// renew shows again and again that we live, and keeps our list within its bounds. Errors
// show where records are received.
func (r *Receiver) renew(ctx context.Context) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		_ = r.trim(ctx)
		select {
		case <-tick.C:
			_ = r.bind(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// sweep removes taps that do not live any more.
func (r *Receiver) sweep(ctx context.Context) error {
	members, err := r.redis.SMembers(ctx, bindings(r.opts.Queue)).Result()
	if err != nil {
		return fmt.Errorf("read the bindings of %s: %w", r.opts.Queue, err)
	}
	for _, member := range members {
		list, ours := strings.CutPrefix(member, binding(r.opts.Queue, ""))
		if !ours || !strings.HasPrefix(list, prefix) {
			continue
		}
		alive, err := r.redis.Exists(ctx, list+leaseSuffix).Result()
		if err == nil && alive == 0 {
			err = r.remove(ctx, list)
		}
		if err != nil {
			return fmt.Errorf("remove a tap that was left: %w", err)
		}
	}
	return nil
}

// trim drops the oldest messages that are too many, and counts them.
func (r *Receiver) trim(ctx context.Context) error {
	for _, list := range priorities(r.own) {
		var length *goredis.IntCmd
		err := transact(ctx, r.redis, func(p goredis.Pipeliner) {
			length = p.LLen(ctx, list)
			p.LTrim(ctx, list, 0, r.opts.MaxLength-1)
		})
		if err != nil {
			return fmt.Errorf("trim %s: %w", list, err)
		}
		if n := length.Val() - r.opts.MaxLength; n > 0 {
			r.trimmed.Add(uint64(n))
		}
	}
	return nil
}
