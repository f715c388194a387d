package model

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// DefaultInterval is the shortest time between two changes that a [View]
// reports.
const DefaultInterval = 100 * time.Millisecond

// While nothing comes in, the rate has to be seen going down to zero.
const (
	idleInterval = time.Second
	idleTicks    = 4
)

// ViewOptions are the options of a [View].
type ViewOptions struct {
	// Filter is the filter to start with; one that does not compile shows all.
	Filter Filter
	// Interval is the shortest time between two calls of Changed;
	// [DefaultInterval] if zero. A new filter does not wait for it.
	Interval time.Duration
	// Buckets is the number of bars of the histogram; none if zero.
	Buckets int
	// Changed is called, from a goroutine of the view, when there is
	// something new to read from [View.State]: soon after a change, at most once
	// in Interval, however many records come in. It may be nil.
	Changed func()
}

// State is what a [View] shows at one moment. It is immutable.
type State struct {
	Rows      Rows      // the records that pass the filter; never nil
	Matcher   *Matcher  // the filter that Rows passed
	Stats     Stats     // of the store
	Rate      float64   // records per second that came in lately, shown or not
	Histogram Histogram // of Rows over time; at most a second old
}

// View keeps the records of a [Store] that pass a filter. One goroutine does all
// the work; [View.Close] stops it. A View is safe for concurrent use.
type View struct {
	store   *Store
	options ViewOptions

	state      atomic.Pointer[State]
	wanted     atomic.Pointer[Matcher] // what SetFilter asked for
	generation atomic.Uint64           // counts the calls of SetFilter
	refilter   chan struct{}           // one slot

	closing chan struct{}
	once    sync.Once
	done    chan struct{}
}

// NewView starts a view of the store.
func NewView(s *Store, o ViewOptions) *View {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	v := &View{
		store: s, options: o,
		refilter: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
	}
	matcher, err := o.Filter.Compile()
	if err != nil {
		matcher = nil
	}
	v.wanted.Store(matcher)
	v.state.Store(&State{Rows: List(nil), Matcher: matcher})
	go v.run()
	return v
}

// Close ends the view and waits for its goroutine. Changed is not called any
// more when it has returned; so Close must not be called from there.
func (v *View) Close() error {
	v.once.Do(func() { close(v.closing) })
	<-v.done
	return nil
}

// State returns what is shown now.
func (v *View) State() *State { return v.state.Load() }

// SetFilter asks for another filter and returns at once; what is shown changes
// when the records held have been looked through. A search that is under way
// for an older filter ends early. If f does not compile, the error says why and
// the filter stays.
func (v *View) SetFilter(f Filter) error {
	m, err := f.Compile()
	if err != nil {
		return err
	}
	v.wanted.Store(m)
	v.generation.Add(1)
	wake(v.refilter)
	return nil
}

// viewWork is what the goroutine of a view keeps from round to round.
type viewWork struct {
	generation uint64
	matcher    *Matcher
	positions  []uint64 // of the records that matched; appended to, never changed in place
	next       uint64   // the first position not looked at
	meter      Meter
	histogram  Histogram
	counted    time.Time // when the histogram was made
}

func (v *View) run() {
	defer close(v.done)
	changed, stop := v.store.Watch()
	defer stop()
	work := viewWork{matcher: v.wanted.Load()}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for quiet := 0; ; {
		if v.update(&work) && v.options.Changed != nil {
			v.options.Changed()
		}
		// Changes wait for the interval to pass, a new filter does not.
		resetTimer(timer, v.options.Interval)
		select {
		case <-v.closing:
			return
		case <-v.refilter:
			continue
		case <-timer.C:
		}
		var idle <-chan time.Time
		if quiet < idleTicks {
			resetTimer(timer, idleInterval)
			idle = timer.C
		}
		select {
		case <-v.closing:
			return
		case <-v.refilter:
		case <-changed:
			quiet = 0
		case <-idle:
			quiet++
		}
	}
}

func resetTimer(t *time.Timer, d time.Duration) {
	t.Stop()
	t.Reset(d)
}

// update brings the state up to date and reports whether it did; it does not
// if the filter was changed again meanwhile.
func (v *View) update(w *viewWork) bool {
	refiltered := false
	if g := v.generation.Load(); g != w.generation {
		w.generation, w.matcher = g, v.wanted.Load()
		w.positions, w.next = nil, 0
		refiltered = true
	}
	snapshot := v.store.Snapshot()
	rows, ok := v.match(w, snapshot)
	if !ok {
		return false
	}
	stats, now := v.store.Stats(), time.Now()
	w.meter.Observe(now, stats.Total)
	if v.options.Buckets > 0 && (refiltered || now.Sub(w.counted) >= time.Second) {
		w.histogram, w.counted = NewHistogram(rows, v.options.Buckets), now
	}
	v.state.Store(&State{
		Rows: rows, Matcher: w.matcher, Stats: stats,
		Rate: w.meter.Rate(now), Histogram: w.histogram,
	})
	return true
}

// match looks at the records that it has not seen yet. It gives up, and says
// so, when there is another filter to apply or the view is being closed.
func (v *View) match(w *viewWork, s Snapshot) (Rows, bool) {
	if w.matcher.all() {
		return s, true
	}
	for position, r := range s.From(w.next) {
		if position%chunkRecords == 0 && v.interrupted(w.generation) {
			return nil, false
		}
		if w.matcher.Match(r) {
			w.positions = append(w.positions, position)
		}
		w.next = position + 1
	}
	w.positions = dropBefore(w.positions, s.First())
	// Clipped: the next append must not be seen by readers of this state.
	return matched{Snapshot: s, positions: slices.Clip(w.positions)}, true
}

func (v *View) interrupted(generation uint64) bool {
	select {
	case <-v.closing:
		return true
	default:
		return v.generation.Load() != generation
	}
}

// dropBefore removes the positions of records that are gone. The slice is moved
// to a new array when most of the old one is unused.
func dropBefore(positions []uint64, first uint64) []uint64 {
	gone := matched{positions: positions}.Index(first)
	positions = positions[gone:]
	if gone > len(positions) {
		positions = append([]uint64(nil), positions...)
	}
	return positions
}

// Find returns the nearest row that matches, from row start on in steps of
// step, which is 1 or -1; it goes on at the other end once. start itself is
// looked at last.
func Find(rows Rows, m *Matcher, start, step int) (row int, ok bool) {
	n := rows.Len()
	if n == 0 {
		return 0, false
	}
	if start < 0 || start >= n { // nowhere: begin at the end that step leads away from
		start = -1
		if step < 0 {
			start = n
		}
	}
	for i := 1; i <= n+1; i++ {
		row = ((start+i*step)%n + n) % n
		if _, r := rows.At(row); m.Match(r) {
			return row, true
		}
	}
	return 0, false
}

// Neighbours returns the records of a context together with everything else
// that the store holds of the same time, in the order of time, at most limit
// records; the ones of the context are always in it.
//
// The time is that of the context's first to its last record, and at least before
// long.
func Neighbours(s Snapshot, context []*core.Record, before time.Duration, limit int) []*core.Record {
	if len(context) == 0 {
		return nil
	}
	from, to := context[0].Time, context[0].Time
	known := make(map[recordID]bool, len(context))
	for _, r := range context {
		if r.Time.Before(from) {
			from = r.Time
		}
		if r.Time.After(to) {
			to = r.Time
		}
		known[idOf(r)] = true
	}
	if least := to.Add(-before); from.After(least) {
		from = least
	}
	var others []*core.Record
	for _, r := range s.From(0) {
		if !r.Time.Before(from) && !r.Time.After(to) && !known[idOf(r)] {
			others = append(others, r)
		}
	}
	sortByTime(others)
	if room := max(limit-len(context), 0); len(others) > room {
		others = others[len(others)-room:] // the last ones are the nearest to the end
	}
	merged := append(others, context...)
	sortByTime(merged)
	return merged
}
