package route

import (
	"cmp"
	"container/list"
	"context"
	"io"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// The defaults of [InhibitOptions].
const (
	DefaultInhibit    = 5 * time.Minute
	DefaultInhibitMax = 1000
)

// InhibitOptions says what [NewInhibit] makes. Handler, Cause and Effect must be set.
type InhibitOptions struct {
	// Handler gets what is not held back.
	Handler core.Handler
	// Cause says that a record explains others, such as "database down"; Effect
	// that it is explained by one, such as "query failed". A record that is both is
	// a cause. They may be called concurrently.
	Cause, Effect func(*core.Record) bool
	// For is how long after a cause its effects are held back; each further
	// cause begins it anew. 0 means DefaultInhibit.
	For time.Duration
	// Same returns a text that is the same for a cause and its effects; nil means
	// the name of the subscriber they came in by.
	Same func(*core.Record) string
	// Max is how many different causes are remembered; 0 means
	// DefaultInhibitMax. Beyond that the one that was seen longest ago is
	// forgotten, and its effects pass.
	Max int
	// OnChange, if not nil, is called after a cause has come or a record was held back. It
	// may be called concurrently, and must not block.
	OnChange func()
}

// Inhibition is a cause that holds its effects back.
type Inhibition struct {
	// Same is what the cause and its effects have in common.
	Same string
	// Cause is the latest record that is a cause, Since when the first was seen, and
	// Until when it ends.
	Cause        *core.Record
	Since, Until time.Time
	// Held is how many records it has held back.
	Held int
}

// InhibitStats are the counters of an [Inhibit]. Records is the sum of Passed and
// Held.
type InhibitStats struct {
	Records uint64 // that came
	Passed  uint64 // to the handler, whatever became of them there
	Held    uint64 // held back for good
	Causes  uint64 // of those that passed
	Active  int    // inhibitions in force
}

// Inhibit hands records on to a handler, but holds back those that are explained by
// another record that it has seen a short while ago from the same source. What is
// held back is counted and not delivered later. Of a batch that is one
// delivery, the record that it is shown by decides: the last of an
// escalation, the first of a group. All methods are safe for concurrent use.
type Inhibit struct {
	o InhibitOptions

	mu     sync.Mutex               // guards what follows; never held while calling out
	active map[string]*list.Element // of *Inhibition
	order  *list.List               // by the time of the latest cause, newest first
	stats  InhibitStats
}

var (
	_ core.BatchHandler = (*Inhibit)(nil)
	_ core.Flusher      = (*Inhibit)(nil)
	_ io.Closer         = (*Inhibit)(nil)
)

// NewInhibit returns a handler that holds effects back. It panics if one of the
// options is missing that must be set.
func NewInhibit(o InhibitOptions) *Inhibit {
	if o.Handler == nil || o.Cause == nil || o.Effect == nil {
		panic("route: an inhibition needs a handler, a cause and an effect")
	}
	if o.Same == nil {
		o.Same = func(r *core.Record) string { return r.Source.Name }
	}
	if o.OnChange == nil {
		o.OnChange = func() {}
	}
	if o.For <= 0 {
		o.For = DefaultInhibit
	}
	o.Max = cmp.Or(max(o.Max, 0), DefaultInhibitMax)
	return &Inhibit{o: o, active: make(map[string]*list.Element), order: list.New()}
}

// role is what a record is for an Inhibit.
type role struct {
	same          string
	cause, effect bool
}

// Handle hands r on or holds it back.
func (h *Inhibit) Handle(ctx context.Context, r *core.Record) error {
	if !h.judge([]*core.Record{r}, h.roles(r)) {
		return nil
	}
	return h.o.Handler.Handle(ctx, r)
}

// HandleBatch hands a batch on or holds it back. The records of a buffer go each
// their own way.
func (h *Inhibit) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	if len(rs) == 0 {
		return nil
	}
	roles := h.roles(rs...)
	if why == core.BatchBuffer {
		var passed []*core.Record
		for i, r := range rs {
			if h.judge(rs[i:i+1], roles[i:i+1]) {
				passed = append(passed, r)
			}
		}
		if len(passed) == 0 {
			return nil
		}
		return core.HandleBatch(ctx, h.o.Handler, passed, why)
	}
	shown := len(rs) - 1
	if why == core.BatchGroup {
		shown = 0
	}
	for i := range roles {
		roles[i].effect = roles[i].effect && i == shown
	}
	if !h.judge(rs, roles) {
		return nil
	}
	return core.HandleBatch(ctx, h.o.Handler, rs, why)
}

// Preview is what an [Inhibit] would do with a record.
type Preview struct {
	// Cause says that the record is a cause, which passes, and holds its effects back.
	// Effect says that it is an effect.
	Cause, Effect bool
	// By is what would hold it back; nil if nothing would.
	By *Inhibition
}

// Preview says what Handle would do with r if it came now. It changes and counts
// nothing.
func (h *Inhibit) Preview(r *core.Record) Preview {
	role := h.roles(r)[0]
	p := Preview{Cause: role.cause, Effect: role.effect}
	if !role.effect {
		return p
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if el, ok := h.active[role.same]; ok {
		if by := *el.Value.(*Inhibition); time.Now().Before(by.Until) {
			p.By = &by
		}
	}
	return p
}

func (h *Inhibit) roles(rs ...*core.Record) []role {
	roles := make([]role, len(rs))
	for i, r := range rs {
		if roles[i].cause = h.o.Cause(r); !roles[i].cause {
			roles[i].effect = h.o.Effect(r)
		}
		if roles[i].cause || roles[i].effect {
			roles[i].same = h.o.Same(r)
		}
	}
	return roles
}

// judge reports whether records that are one delivery pass, and counts them. Their
// causes count whether they pass or not.
func (h *Inhibit) judge(rs []*core.Record, roles []role) (pass bool) {
	kept := make([]*core.Record, len(rs)) // of the causes; not made with the lock
	for i, r := range rs {
		if roles[i].cause {
			kept[i] = r.Keep()
		}
	}
	pass, changed := h.count(len(rs), roles, kept)
	if changed {
		h.o.OnChange()
	}
	return pass
}

// count is judge for n records, with those that are causes kept.
func (h *Inhibit) count(n int, roles []role, kept []*core.Record) (pass, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.expire(now)
	causes, by := 0, (*Inhibition)(nil)
	for i, role := range roles {
		if role.cause {
			causes++
			h.cause(role.same, kept[i], now)
		}
	}
	for _, role := range roles {
		if el, ok := h.active[role.same]; ok && role.effect {
			by = el.Value.(*Inhibition)
		}
	}
	h.stats.Records += uint64(n)
	if by != nil {
		by.Held += n
		h.stats.Held += uint64(n)
		return false, true
	}
	h.stats.Passed += uint64(n)
	h.stats.Causes += uint64(causes) //nolint:gosec // a count
	return true, causes > 0
}

// Restore brings inhibitions of an earlier run back, in the order of [Inhibit.Active], with what
// they have held back. Those that have ended are left out, and so are those for which
// there is a newer cause already, or no room.
func (h *Inhibit) Restore(list []Inhibition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for _, i := range list {
		if _, newer := h.active[i.Same]; newer || i.Cause == nil || !now.Before(i.Until) || len(h.active) >= h.o.Max {
			continue
		}
		if last := now.Add(h.o.For); i.Until.After(last) { // the time has become shorter
			i.Until = last
		}
		at := h.order.Front()
		for at != nil && at.Value.(*Inhibition).Until.After(i.Until) {
			at = at.Next()
		}
		if at == nil {
			h.active[i.Same] = h.order.PushBack(&i)
		} else {
			h.active[i.Same] = h.order.InsertBefore(&i, at)
		}
	}
}

// cause begins an inhibition or makes it longer. h.mu is held.
func (h *Inhibit) cause(same string, r *core.Record, now time.Time) {
	el, ok := h.active[same]
	if !ok {
		if len(h.active) >= h.o.Max {
			h.forget(h.order.Back())
		}
		el = h.order.PushFront(&Inhibition{Same: same, Since: now})
		h.active[same] = el
	}
	h.order.MoveToFront(el)
	i := el.Value.(*Inhibition)
	i.Cause, i.Until = r, now.Add(h.o.For)
}

// expire forgets what has ended. h.mu is held.
func (h *Inhibit) expire(now time.Time) {
	for el := h.order.Back(); el != nil && !now.Before(el.Value.(*Inhibition).Until); el = h.order.Back() {
		h.forget(el)
	}
}

func (h *Inhibit) forget(el *list.Element) {
	delete(h.active, h.order.Remove(el).(*Inhibition).Same)
}

// Active returns the inhibitions in force, the one with the latest cause first.
func (h *Inhibit) Active() []Inhibition {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire(time.Now())
	out := make([]Inhibition, 0, len(h.active))
	for el := h.order.Front(); el != nil; el = el.Next() {
		out = append(out, *el.Value.(*Inhibition))
	}
	return out
}

// Stats returns the counters.
func (h *Inhibit) Stats() InhibitStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire(time.Now())
	s := h.stats
	s.Active = len(h.active)
	return s
}

// Flush flushes the handler behind.
func (h *Inhibit) Flush(ctx context.Context) error { return core.Flush(ctx, h.o.Handler) }

// Close closes the handler behind, and forgets the causes.
func (h *Inhibit) Close() error {
	err := core.Close(h.o.Handler)
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.active)
	h.order.Init()
	return err
}
