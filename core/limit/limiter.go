package limit

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// The defaults of [Options].
const (
	DefaultLimit    = 1
	DefaultDelta    = 60 * time.Second
	DefaultCap      = 5
	DefaultCapDelta = 10 * time.Second
	DefaultSize     = 512
)

// Options are the settings of a [Limiter]. The zero value is useful.
type Options struct {
	// Limit is how many records of one fingerprint are shown in a window of
	// time, Logbook's record_limit; 0 means DefaultLimit, less means that
	// every record is shown as far as Cap allows.
	Limit int
	// Delta is the length of a window, Logbook's record_delta. It begins with
	// the first record that is shown. 0 means DefaultDelta.
	Delta time.Duration
	// Cap is how many records of any fingerprint are shown within CapDelta; what
	// comes beyond goes into one digest. 0 means DefaultCap, less means no cap.
	Cap int
	// CapDelta is the time that Cap is about, and the time between two updates
	// of the digest. 0 means DefaultCapDelta.
	CapDelta time.Duration
	// Size is how many fingerprints are told apart at a time; 0 means
	// DefaultSize. When there are more, the oldest third is rolled up early and
	// forgotten.
	Size int
}

func (o Options) withDefaults() Options {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	if o.Delta <= 0 {
		o.Delta = DefaultDelta
	}
	if o.Cap == 0 {
		o.Cap = DefaultCap
	}
	if o.CapDelta <= 0 {
		o.CapDelta = DefaultCapDelta
	}
	if o.Size <= 0 {
		o.Size = DefaultSize
	}
	return o
}

// Kind says what an [Event] is.
type Kind uint8

// The kinds of an [Event].
const (
	// Show is a record to be shown now.
	Show Kind = iota + 1
	// Rollup is the count of the records of one fingerprint that were held back
	// since the last one shown. It updates what was shown.
	Rollup
	// Digest is the count of the records of several fingerprints that were
	// beyond the cap. The first one of a row is to be shown, the others
	// update it.
	Digest
)

// String returns the name of the kind.
func (k Kind) String() string {
	switch k {
	case Show:
		return "show"
	case Rollup:
		return "roll-up"
	case Digest:
		return "digest"
	}
	return "none"
}

// Event is something for the user to see. The counts of all events and
// [Stats].Held add up to the number of records offered.
type Event struct {
	Kind Kind
	// Key is the fingerprint; "" for a digest.
	Key string
	// Alert is what Offer was given with Record.
	Alert uint64
	// Record is the record to show, or the newest of those that were held back.
	Record *core.Record
	// Count is how many records the event stands for that no event before
	// did. For Show it is 1 and those that were held back and not rolled up
	// yet; for Rollup it can be 0 after [Limiter.Failed].
	Count int
	// Window is how many records there were in the window so far, those
	// shown included; for a digest, those since its first.
	Window int
	// First and Last are the times of arrival of the first and the last
	// record that Window counts.
	First, Last time.Time
	// Kinds is how many fingerprints a digest is about, at most [Options].Size,
	// and Level the highest level among its records.
	Kinds int
	Level core.Level
	// Update is false for a digest that begins a row.
	Update bool
}

// Stats are the counters of a [Limiter], in records. Offered is the sum of
// the others.
type Stats struct {
	Offered  uint64
	Shown    uint64 // let through
	RolledUp uint64 // held back, then counted by an event of their fingerprint
	Digested uint64 // held back by the cap, then counted by a digest
	Held     uint64 // not counted by an event yet
}

// Limiter decides which records are shown. [Limiter.Run] delivers what falls due
// with time. All methods are safe for concurrent use.
type Limiter struct {
	opts Options
	wake chan struct{} // the next deadline has changed

	mu      sync.Mutex
	windows map[string]*list.Element // of *window
	order   *list.List               // by start, oldest first
	shows   []time.Time              // the last Cap times that something was shown, oldest first
	digest  digest
	stats   Stats
}

// window is the state of one fingerprint. It lives as long as its window of time.
type window struct {
	start       time.Time
	shown, held int
	heldAll     int // held in this window, rolled up or not
	first, last time.Time
	newest      offered
	failed      bool // what was shown did not reach the user
}

// digest is the state of what the cap held back.
type digest struct {
	active      bool
	next        time.Time // of the next update, or of the end
	pending     int
	total       int
	kinds       map[string]struct{}
	first, last time.Time
	newest      offered
	level       core.Level
}

// offered is what Offer is given.
type offered struct {
	key    string
	record *core.Record
	alert  uint64
}

// New returns a limiter.
func New(o Options) *Limiter {
	return &Limiter{
		opts:    o.withDefaults(),
		wake:    make(chan struct{}, 1),
		windows: make(map[string]*list.Element),
		order:   list.New(),
	}
}

// Offer decides about a record with the fingerprint key that has arrived now. It
// returns what is to be shown, in this order; nothing if the record is held
// back. r is held then, so it must be one that stays as it is ([core.Record.Keep]).
// alert comes back in the events: the ID of what the record belongs to.
func (l *Limiter) Offer(key string, r *core.Record, alert uint64) []Event {
	l.mu.Lock()
	events, moved := l.offer(offered{key, r, alert}, time.Now())
	l.mu.Unlock()
	if moved {
		l.signal()
	}
	return events
}

// Preview is what [Limiter.Offer] would make of a record.
type Preview struct {
	// Kind is Show for a record that is shown, Rollup for one that an update of its
	// fingerprint is going to count, Digest for one that is beyond the cap.
	Kind Kind
	// Before is how many records of the fingerprint came in the window that is open,
	// those shown included; 0 if none is.
	Before int
	// Until is when that window ends, for Digest when there is room again; zero if there
	// is no such time.
	Until time.Time
}

// Preview says what Offer would make of a record with the fingerprint key that arrives
// now. It changes and counts nothing.
func (l *Limiter) Preview(key string) Preview {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.preview(key, time.Now())
}

// Failed says that the last event of this fingerprint did not reach the user. The
// window then ends with a roll-up even if nothing was held back, as a second
// attempt.
func (l *Limiter) Failed(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.windows[key]; ok {
		e.Value.(*window).failed = true
	}
}

// Options returns what l goes by, defaults filled in.
func (l *Limiter) Options() Options { return l.opts }

// Stats returns the counters.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// Flush returns events for everything that is held back, before its time. The
// windows stay open.
func (l *Limiter) Flush() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

// Run hands what falls due to deliver, one event after the other, until ctx
// ends. It does not return while deliver runs. What is held then is left for
// [Limiter.Flush].
func (l *Limiter) Run(ctx context.Context, deliver func(Event)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		l.mu.Lock()
		events := l.due(time.Now())
		next, ok := l.next()
		l.mu.Unlock()
		for _, e := range events {
			deliver(e)
		}
		timer.Stop()
		if ok {
			timer.Reset(time.Until(next))
		}
	}
}

func (l *Limiter) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
