package alert

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/recent"
	"github.com/logbook-tray/logbook-tray/core/internal/weight"
)

// The defaults of [Options].
const (
	DefaultMax          = 200
	DefaultContextBytes = 64 << 20
)

// Options are the bounds of a [List]. The zero value is useful.
type Options struct {
	// Max is how many alerts are kept; 0 means DefaultMax. Beyond that the one
	// that was quiet for the longest time goes.
	Max int
	// ContextBytes is how much memory the records of all alerts may take, as
	// estimated; 0 means DefaultContextBytes. Beyond that the oldest alerts lose
	// their context and keep their trigger.
	ContextBytes int
	// FirstID is the ID of the first alert, for lists that go on where
	// another ended; 0 means 1.
	FirstID uint64
}

// List holds the alerts of late. All methods are safe for concurrent use. Make
// one with [NewList].
type List struct {
	opts Options

	mu        sync.Mutex
	lastID    uint64
	byID      map[uint64]*list.Element // of *entry
	byPrint   map[string]*list.Element // the newest alert of each fingerprint
	byTrigger map[*core.Record]*list.Element
	order     *list.List // newest first, by last repeat
	bytes     int
	unseen    int
	counted   recent.Map
	readers   map[chan struct{}]struct{}
}

type entry struct {
	alert Alert
	bytes int // of the context
}

// NewList returns an empty list.
func NewList(o Options) *List {
	if o.Max <= 0 {
		o.Max = DefaultMax
	}
	if o.ContextBytes <= 0 {
		o.ContextBytes = DefaultContextBytes
	}
	return &List{
		opts: o, lastID: max(o.FirstID, 1) - 1, order: list.New(),
		byID: make(map[uint64]*list.Element), byPrint: make(map[string]*list.Element), byTrigger: make(map[*core.Record]*list.Element),
		readers: make(map[chan struct{}]struct{}),
	}
}

// NewID returns an ID that no alert has or is going to have.
func (l *List) NewID() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID++
	return l.lastID
}

// LastID returns the highest ID that was ever given out; 0 if none was.
func (l *List) LastID() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastID
}

// Add puts an alert at the top of the list and returns it as it stands there: with
// an ID if it had none, a count of at least 1, times (now, if they were zero), and
// a context of at least the trigger. An alert with an ID replaces the one that has
// it. The trigger must not be nil; records must be such as stay as they are
// ([core.Record.Keep]).
func (l *List) Add(a Alert) Alert {
	complete(&a)
	l.mu.Lock()
	el := l.add(a)
	a = el.Value.(*entry).copy()
	l.mu.Unlock()
	l.changed()
	return a
}

// complete fills in what an alert may leave out.
func complete(a *Alert) {
	if a.First.IsZero() {
		a.First = time.Now()
	}
	if a.Last.IsZero() {
		a.Last = a.First
	}
	if a.Newest == nil {
		a.Newest = a.Trigger
	}
	if len(a.Context) == 0 {
		a.Context = []*core.Record{a.Trigger}
	}
	a.Count = max(a.Count, 1)
	a.Context = slices.Clone(a.Context)
}

// add puts a complete alert at the top. l.mu is held.
func (l *List) add(a Alert) *list.Element {
	if a.ID == 0 {
		l.lastID++
		a.ID = l.lastID
	} else if old, ok := l.byID[a.ID]; ok {
		l.remove(old)
	}
	l.lastID = max(l.lastID, a.ID)
	e := &entry{alert: a, bytes: weight.Of(a.Context...)}
	el := l.order.PushFront(e)
	l.byID[a.ID], l.byPrint[a.Fingerprint], l.byTrigger[a.Trigger] = el, el, el
	l.bytes += e.bytes
	l.countUnseen(a.State, 1)
	l.enforce()
	return el
}

// Get returns an alert and whether the list has it.
func (l *List) Get(id uint64) (Alert, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if el, ok := l.byID[id]; ok {
		return el.Value.(*entry).copy(), true
	}
	return Alert{}, false
}

// Find returns the newest alert of a fingerprint, without its context, and whether
// the list has one.
func (l *List) Find(fingerprint string) (Alert, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if el, ok := l.byPrint[fingerprint]; ok {
		a := el.Value.(*entry).alert
		a.Context = nil
		return a, true
	}
	return Alert{}, false
}

// List returns the alerts, the latest first.
func (l *List) List() []Alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Alert, 0, l.order.Len())
	for el := l.order.Front(); el != nil; el = el.Next() {
		out = append(out, el.Value.(*entry).copy())
	}
	return out
}

// Unseen returns how many alerts are [New].
func (l *List) Unseen() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unseen
}

// Len returns how many alerts there are.
func (l *List) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.order.Len()
}

// SetState sets the state of an alert and reports whether the list has it.
func (l *List) SetState(id uint64, s State) bool {
	l.mu.Lock()
	el, ok := l.byID[id]
	changed := false
	if ok {
		changed = l.setState(el, s)
	}
	l.mu.Unlock()
	if changed {
		l.changed()
	}
	return ok
}

// Seen says that the user has looked at an alert, and reports whether the list
// has it.
func (l *List) Seen(id uint64) bool { return l.SetState(id, Seen) }

// SeenAll says that the user has looked at every alert that is [New], and returns
// their IDs.
func (l *List) SeenAll() []uint64 {
	l.mu.Lock()
	var ids []uint64
	for el := l.order.Front(); el != nil; el = el.Next() {
		if a := &el.Value.(*entry).alert; a.State == New {
			ids = append(ids, a.ID)
			l.setState(el, Seen)
		}
	}
	l.mu.Unlock()
	if len(ids) > 0 {
		l.changed()
	}
	return ids
}

// Dismiss takes an alert off the list and reports whether it was there.
func (l *List) Dismiss(id uint64) bool {
	l.mu.Lock()
	el, ok := l.byID[id]
	if ok {
		l.remove(el)
	}
	l.mu.Unlock()
	if ok {
		l.changed()
	}
	return ok
}

// Subscribe returns a channel that gets a value after the list has changed; changes
// that come faster than they are received become one. cancel ends that.
func (l *List) Subscribe() (changes <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers[c] = struct{}{}
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.readers, c)
	}
}

func (l *List) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.readers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (l *List) setState(el *list.Element, s State) (changed bool) {
	a := &el.Value.(*entry).alert
	if a.State == s {
		return false
	}
	l.countUnseen(a.State, -1)
	l.countUnseen(s, 1)
	a.State = s
	return true
}

func (l *List) countUnseen(s State, n int) {
	if s == New {
		l.unseen += n
	}
}

func (l *List) remove(el *list.Element) {
	e := l.order.Remove(el).(*entry)
	delete(l.byID, e.alert.ID)
	if l.byPrint[e.alert.Fingerprint] == el {
		delete(l.byPrint, e.alert.Fingerprint)
	}
	if l.byTrigger[e.alert.Trigger] == el {
		delete(l.byTrigger, e.alert.Trigger)
	}
	l.bytes -= e.bytes
	l.countUnseen(e.alert.State, -1)
}

// enforce keeps the list within its bounds, at the cost of the oldest.
func (l *List) enforce() {
	for l.order.Len() > l.opts.Max {
		l.remove(l.order.Back())
	}
	for el := l.order.Back(); el != nil && l.bytes > l.opts.ContextBytes; el = el.Prev() {
		e := el.Value.(*entry)
		l.bytes -= e.shrink(l.bytes - l.opts.ContextBytes)
	}
}

// shrink drops the oldest records of the context, but never the trigger, until n
// bytes are saved, and returns how many it saved.
func (e *entry) shrink(n int) int {
	saved, kept := 0, e.alert.Context[:0:0]
	for _, r := range e.alert.Context {
		if saved < n && r != e.alert.Trigger {
			saved += weight.Of(r)
			e.alert.Omitted++
			continue
		}
		kept = append(kept, r)
	}
	e.alert.Context = kept
	e.bytes -= saved
	return saved
}

// copy returns the alert for somebody else. The context is replaced, never
// changed, so it can be shared.
func (e *entry) copy() Alert {
	a := e.alert
	a.Context = slices.Clip(a.Context)
	return a
}
