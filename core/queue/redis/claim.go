package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// claimsPer is how often within ClaimAfter a receiver looks what others have left, and
// shows that it has not left its own.
const claimsPer = 3

// claimed is how many entries are claimed at once.
const claimed = 512

// inheritEntries makes ours what consumers of the group have left that do not live any more,
// and reports whether that is something.
func (r *Receiver) inheritEntries(ctx context.Context) (some bool, err error) {
	claim, old := r.autoClaim, false
	for from := "0-0"; ctx.Err() == nil; {
		ids, next, err := claim(from)
		switch {
		case !old && goredis.HasErrorPrefix(err, "unknown command"): // older than 6.2
			claim, old = r.claimPending, true
			continue
		case goredis.HasErrorPrefix(err, "NOPERM"):
			r.link.Up(r.reading(), fmt.Errorf("what other consumers leave is not taken over: %w", explain(err, r.client)))
			return some, nil
		case err != nil:
			return some, fmt.Errorf("take over what other consumers of %s have left: %w", r.opts.Queue, err)
		}
		some = some || len(ids) > 0
		if from = next; from == "0-0" {
			r.link.Up(r.reading(), nil)
			break
		}
	}
	return some, nil
}

// autoClaim claims entries from one on, and returns where to go on; "0-0" is the end. It
// does not have them given out, as that would fail at one that is in the stream no more.
func (r *Receiver) autoClaim(from string) (ids []string, next string, err error) {
	return r.redis.XAutoClaimJustID(r.life, &goredis.XAutoClaimArgs{
		Stream: r.opts.Queue, Group: r.opts.Group, Consumer: r.opts.Consumer,
		MinIdle: r.opts.ClaimAfter, Start: from, Count: claimed,
	}).Result()
}

// claimPending is autoClaim for a Redis that does not have it.
func (r *Receiver) claimPending(from string) (ids []string, next string, err error) {
	pending, err := r.redis.XPendingExt(r.life, &goredis.XPendingExtArgs{
		Stream: r.opts.Queue, Group: r.opts.Group, Start: from, End: "+", Count: claimed,
	}).Result()
	if err != nil || len(pending) == 0 {
		return nil, "0-0", err
	}
	for _, p := range pending {
		if p.Idle >= r.opts.ClaimAfter {
			ids = append(ids, p.ID)
		}
	}
	if len(ids) > 0 {
		ids, err = r.claim(r.opts.ClaimAfter, ids)
	}
	last := parseID(pending[len(pending)-1].ID)
	last.number++
	return ids, last.String(), err
}

// claim makes entries ours that nobody has touched for some time, and returns which.
func (r *Receiver) claim(idle time.Duration, ids []string) ([]string, error) {
	return r.redis.XClaimJustID(r.life, &goredis.XClaimArgs{
		Stream: r.opts.Queue, Group: r.opts.Group, Consumer: r.opts.Consumer, MinIdle: idle, Messages: ids,
	}).Result()
}

// keepEntries shows again and again that we have not left what we were given, until the
// receiver is closed: it may wait for handlers that take their time.
func (r *Receiver) keepEntries() {
	tick := time.NewTicker(r.opts.ClaimAfter / claimsPer)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-r.Stopped():
			return
		}
		if ids := r.entries.all(); len(ids) > 0 {
			_, _ = r.claim(0, ids) // one that fails is made up for by the next
		}
	}
}

// all returns what is not acknowledged.
func (e *entries) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Keys(e.open))
}
