package limit

import (
	"container/list"
	"time"
)

// What is here knows no clock and no lock: the state of a Limiter as a function
// of records and times. l.mu is held.

// offer is Offer at the time now. moved reports whether the next deadline may
// have become an earlier one.
func (l *Limiter) offer(o offered, now time.Time) (events []Event, moved bool) {
	l.stats.Offered++
	var carried *window // a window that ended and was not rolled up yet
	if e, ok := l.windows[o.key]; ok {
		w := e.Value.(*window)
		if now.Before(w.start.Add(l.opts.Delta)) {
			return l.repeat(w, o, now), false
		}
		l.forget(e)
		carried = w
	}
	if !l.room(now) {
		events = append(l.rollup(nil, carried), l.excess(o, now)...)
		return events, len(events) > 0
	}
	l.show(now)
	events = l.prune()
	w := &window{start: now, first: now, last: now, newest: o, shown: 1}
	l.windows[o.key] = l.order.PushBack(w)
	moved = l.order.Len() == 1
	e := l.event(Show, w)
	e.Count = 1
	if carried != nil {
		e.Count += carried.held
		l.moveHeld(carried.held, &l.stats.RolledUp)
	}
	return append(events, e), moved
}

// preview is Preview at the time now. It says what offer does.
func (l *Limiter) preview(key string, now time.Time) Preview {
	if el, ok := l.windows[key]; ok {
		w := el.Value.(*window)
		if end := w.start.Add(l.opts.Delta); now.Before(end) {
			p := Preview{Kind: Rollup, Before: w.shown + w.heldAll, Until: end}
			if l.showsAgain(w, now) {
				p.Kind = Show
			}
			return p
		}
	}
	if !l.room(now) {
		return Preview{Kind: Digest, Until: l.shows[0].Add(l.opts.CapDelta)}
	}
	return Preview{Kind: Show}
}

// showsAgain reports whether one more record of an open window is shown.
func (l *Limiter) showsAgain(w *window, now time.Time) bool {
	return (w.shown < l.opts.Limit || l.opts.Limit < 0) && l.room(now)
}

// repeat is offer for a fingerprint whose window is open.
func (l *Limiter) repeat(w *window, o offered, now time.Time) []Event {
	w.last, w.newest = now, o
	if l.showsAgain(w, now) {
		l.show(now)
		w.shown++
		e := l.event(Show, w)
		e.Count = 1 + w.held
		l.moveHeld(w.held, &l.stats.RolledUp)
		w.held, w.failed = 0, false
		return []Event{e}
	}
	w.held++
	w.heldAll++
	l.stats.Held++
	return nil
}

func (l *Limiter) event(k Kind, w *window) Event {
	return Event{
		Kind: k, Key: w.newest.key, Alert: w.newest.alert, Record: w.newest.record,
		Count: w.held, Window: w.shown + w.heldAll, First: w.first, Last: w.last,
		Kinds: 1, Level: w.newest.record.Level, Update: k == Rollup,
	}
}

// moveHeld counts n records that were held as accounted for.
func (l *Limiter) moveHeld(n int, to *uint64) {
	l.stats.Held -= uint64(n)
	*to += uint64(n)
}

// room reports whether the cap allows to show something.
func (l *Limiter) room(now time.Time) bool {
	return l.opts.Cap < 0 || len(l.shows) < l.opts.Cap || now.Sub(l.shows[0]) >= l.opts.CapDelta
}

// show counts that something is shown.
func (l *Limiter) show(now time.Time) {
	l.stats.Shown++
	if l.opts.Cap < 0 {
		return
	}
	if len(l.shows) == l.opts.Cap {
		copy(l.shows, l.shows[1:])
		l.shows = l.shows[:len(l.shows)-1]
	}
	l.shows = append(l.shows, now)
}

// excess puts a record that is beyond the cap into the digest.
func (l *Limiter) excess(o offered, now time.Time) []Event {
	d := &l.digest
	l.stats.Held++
	begins := !d.active
	if begins {
		*d = digest{active: true, first: now, next: now.Add(l.opts.CapDelta), kinds: make(map[string]struct{})}
	}
	d.pending++
	d.total++
	d.last, d.newest, d.level = now, o, max(d.level, o.record.Level)
	if len(d.kinds) < l.opts.Size {
		d.kinds[o.key] = struct{}{}
	}
	if begins {
		return []Event{l.takeDigest()}
	}
	return nil
}

// takeDigest makes an event of what the digest holds.
func (l *Limiter) takeDigest() Event {
	d := &l.digest
	e := Event{
		Kind: Digest, Alert: d.newest.alert, Record: d.newest.record, Count: d.pending, Window: d.total, First: d.first, Last: d.last,
		Kinds: len(d.kinds), Level: d.level, Update: d.pending < d.total,
	}
	l.moveHeld(d.pending, &l.stats.Digested)
	d.pending = 0
	return e
}

// prune makes room for one more window: it rolls up the oldest third.
func (l *Limiter) prune() []Event {
	if l.order.Len() < l.opts.Size {
		return nil
	}
	var events []Event
	for range max(1, l.opts.Size/3) {
		e := l.order.Front()
		l.forget(e)
		events = l.rollup(events, e.Value.(*window))
	}
	return events
}

func (l *Limiter) forget(e *list.Element) {
	l.order.Remove(e)
	delete(l.windows, e.Value.(*window).newest.key)
}

// rollup appends an event for what w holds, if anything.
func (l *Limiter) rollup(events []Event, w *window) []Event {
	if w == nil || w.held == 0 && !w.failed {
		return events
	}
	events = append(events, l.event(Rollup, w))
	l.moveHeld(w.held, &l.stats.RolledUp)
	w.held, w.failed = 0, false
	return events
}

// due returns what has fallen due by now.
func (l *Limiter) due(now time.Time) []Event {
	var events []Event
	for e := l.order.Front(); e != nil; e = l.order.Front() {
		w := e.Value.(*window)
		if now.Before(w.start.Add(l.opts.Delta)) {
			break
		}
		l.forget(e)
		events = l.rollup(events, w)
	}
	if d := &l.digest; d.active && !now.Before(d.next) {
		if d.pending > 0 {
			events = append(events, l.takeDigest())
			d.next = now.Add(l.opts.CapDelta)
		} else {
			*d = digest{}
		}
	}
	return events
}

// next returns the time at which due has something to do.
func (l *Limiter) next() (time.Time, bool) {
	var at time.Time
	if e := l.order.Front(); e != nil {
		at = e.Value.(*window).start.Add(l.opts.Delta)
	}
	if l.digest.active && (at.IsZero() || l.digest.next.Before(at)) {
		at = l.digest.next
	}
	return at, !at.IsZero()
}

func (l *Limiter) flush() []Event {
	var events []Event
	for e := l.order.Front(); e != nil; e = e.Next() {
		events = l.rollup(events, e.Value.(*window))
	}
	if l.digest.pending > 0 {
		events = append(events, l.takeDigest())
	}
	return events
}
