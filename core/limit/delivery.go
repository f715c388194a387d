package limit

import (
	"container/list"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Delivery is Logbook's LimitingHandlerMixin: at most so many records of one
// fingerprint within so much time, and the next one that is delivered tells how many
// were not. It is for handlers that can only send, such as mail; where something
// can be updated, use a [Limiter]. Make one with [NewDelivery]. It is safe for
// concurrent use.
//
//	suppressed, allow := d.Check(r)
//	if !allow {
//		return nil
//	}
//	err := send(r, suppressed)
//	if err != nil {
//		d.Undo(r, suppressed)
//	}
//	return err
type Delivery struct {
	limit       int
	delta       time.Duration
	fingerprint Fingerprint

	mu        sync.Mutex
	entries   map[string]*list.Element // of *entry
	order     *list.List               // by start, oldest first
	forgotten uint64
}

type entry struct {
	key        string
	start      time.Time
	delivered  int // since start
	suppressed int // since the last one delivered
}

// NewDelivery returns the check for Logbook's arguments. A limit of 0 is
// Logbook's None: everything is delivered. A delta of 0 means DefaultDelta, no
// fingerprint means [Location].
func NewDelivery(limit int, delta time.Duration, f Fingerprint) *Delivery {
	if delta <= 0 {
		delta = DefaultDelta
	}
	if f == nil {
		f = Location
	}
	return &Delivery{limit: limit, delta: delta, fingerprint: f, entries: make(map[string]*list.Element), order: list.New()}
}

// Check is Logbook's check_delivery: whether r is to be delivered now, and how
// many records like it were not since the last that was.
//
// Logbook: its count includes the records that were delivered.
func (d *Delivery) Check(r *core.Record) (suppressed int, allow bool) {
	if d.limit <= 0 {
		return 0, true
	}
	key, now := d.fingerprint(r), time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.entry(key, now)
	if e.delivered >= d.limit {
		e.suppressed++
		return e.suppressed, false
	}
	suppressed = e.suppressed
	e.delivered++
	e.suppressed = 0
	return suppressed, true
}

// Preview says what Check would: whether r is to be delivered now, and if not, until when
// records like it are held back. It changes and counts nothing.
func (d *Delivery) Preview(r *core.Record) (allow bool, until time.Time) {
	if d.limit <= 0 {
		return true, time.Time{}
	}
	key, now := d.fingerprint(r), time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	el, ok := d.entries[key]
	if !ok {
		return true, time.Time{}
	}
	e := el.Value.(*entry)
	if end := e.start.Add(d.delta); e.delivered >= d.limit && now.Before(end) {
		return false, end
	}
	return true, time.Time{}
}

// Undo takes back a Check that allowed r: it could not be delivered, and the next
// attempt is neither held back nor loses what suppressed was. Without it a record
// that failed would keep those like it back for the rest of the time.
func (d *Delivery) Undo(r *core.Record, suppressed int) {
	if d.limit <= 0 {
		return
	}
	key := d.fingerprint(r)
	d.mu.Lock()
	defer d.mu.Unlock()
	el, ok := d.entries[key]
	if !ok {
		d.forgotten += uint64(max(suppressed, 0))
		return
	}
	e := el.Value.(*entry)
	e.delivered = max(e.delivered-1, 0)
	e.suppressed += suppressed
}

// Forgotten returns how many records were not delivered without any later one
// telling so, because there were more than DefaultSize fingerprints.
func (d *Delivery) Forgotten() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.forgotten
}

// entry returns the state of a fingerprint, in a window of time that now is in.
func (d *Delivery) entry(key string, now time.Time) *entry {
	if el, ok := d.entries[key]; ok {
		e := el.Value.(*entry)
		if now.Sub(e.start) >= d.delta {
			e.start, e.delivered = now, 0
			d.order.MoveToBack(el)
		}
		return e
	}
	if d.order.Len() >= DefaultSize {
		for range DefaultSize / 3 {
			old := d.order.Remove(d.order.Front()).(*entry)
			delete(d.entries, old.key)
			d.forgotten += uint64(old.suppressed)
		}
	}
	e := &entry{key: key, start: now}
	d.entries[key] = d.order.PushBack(e)
	return e
}
