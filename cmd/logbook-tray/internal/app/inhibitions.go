package app

import (
	"context"
	"slices"
	"time"

	"github.com/logbook-tray/logbook-tray/core/alert/sqlitestore"
	"github.com/logbook-tray/logbook-tray/core/route"
)

// maxKept is how many inhibitions are kept across a restart: those that end last.
const maxKept = 200

// keepDelay is the least time between two writes.
const keepDelay = time.Second

// saveTime bounds a write.
const saveTime = 10 * time.Second

// take takes in the inhibitions of an earlier run, for the handlers that are made from here
// on.
func (r *Routes) take(list []sqlitestore.Inhibition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = map[string][]route.Inhibition{}
	for _, i := range list {
		r.kept[i.Rule] = append(r.kept[i.Rule], route.Inhibition{Same: i.Same, Cause: i.Cause, Since: i.Since, Until: i.Until, Held: i.Held})
	}
}

// watched makes changes known to keep. It must be called before there are handlers.
func (r *Routes) watched() { r.changed = make(chan struct{}, 1) }

// Change says that there is something new to keep.
func (r *Routes) Change() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// inForce returns the inhibitions to keep: those of the handlers, and those of handlers that
// may come back.
func (r *Routes) inForce() []sqlitestore.Inhibition {
	r.mu.Lock()
	handlers := slices.Clone(r.inhibits)
	var list []sqlitestore.Inhibition
	add := func(rule string, active []route.Inhibition) {
		for _, i := range active {
			if time.Now().Before(i.Until) {
				list = append(list, sqlitestore.Inhibition{Rule: rule, Same: i.Same, Cause: i.Cause, Since: i.Since, Until: i.Until, Held: i.Held})
			}
		}
	}
	for rule, active := range r.kept {
		add(rule, active)
	}
	r.mu.Unlock()
	for _, n := range handlers {
		add(n.rule, n.handler.Active())
	}
	slices.SortStableFunc(list, func(a, b sqlitestore.Inhibition) int { return b.Until.Compare(a.Until) })
	return list[:min(len(list), maxKept)]
}

// keep saves the inhibitions whenever they or their counts change, until ctx ends, and the last
// of them then.
func (r *Routes) keep(ctx context.Context, save func(context.Context, []sqlitestore.Inhibition) error, onError func(error)) {
	write := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
		defer cancel()
		if err := save(ctx, r.inForce()); err != nil {
			onError(err)
		}
	}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			write()
			return
		case <-r.changed:
		}
		write()
		pause.Reset(keepDelay)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}
