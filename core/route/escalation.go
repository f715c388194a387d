package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
)

// The defaults of [EscalationOptions].
const (
	DefaultEscalation = 10 * time.Minute
	DefaultGrace      = time.Hour
)

// EscalationOptions says what [NewEscalation] makes. Alerts and Handler must be set.
type EscalationOptions struct {
	// Alerts are watched.
	Alerts *alert.List
	// Handler gets the records of an alert that nobody has looked at. It is not
	// closed.
	Handler core.Handler
	// Name marks the alerts that were handed on, so that each is only once, also after
	// a restart. Two escalations of the same alerts need different ones.
	Name string
	// After is how long an alert waits for somebody to look at it; 0 means
	// DefaultEscalation.
	After time.Duration
	// Grace is how late an alert is still handed on: its time may have come while the
	// program was off or the computer asleep. 0 means DefaultGrace.
	Grace time.Duration
	// Level is the lowest level of the record that caused an alert.
	Level core.Level
	// Filter, if not nil, is asked whether an alert is to be escalated, with the
	// record that caused it. It may be called concurrently and more than once.
	Filter func(*core.Record) bool
	// Timeout bounds each delivery; 0 means DefaultTimeout.
	Timeout time.Duration
	// OnError, if not nil, is told about deliveries that failed, by the goroutine of
	// Run. They are not tried again; that is for a queue in front of the handler.
	OnError func(error)
}

// EscalationStats are the counters of an [Escalation].
type EscalationStats struct {
	Escalated uint64 // alerts that the handler has taken
	Failed    uint64 // alerts that it has not
}

// Escalation hands alerts that are still new after a while to another handler, each
// once: as a batch with the reason [core.BatchEscalation], the record that
// caused the alert last, or as that record alone if nothing led up to it. Alerts that
// were held back by a mute are not escalated.
type Escalation struct {
	o EscalationOptions

	escalated, failed atomic.Uint64
}

// NewEscalation returns an escalation, which [Escalation.Run] runs. It panics without
// alerts or a handler.
func NewEscalation(o EscalationOptions) *Escalation {
	if o.Alerts == nil || o.Handler == nil {
		panic("route: an escalation needs alerts and a handler")
	}
	o.After = cmp.Or(max(o.After, 0), DefaultEscalation)
	o.Grace = cmp.Or(max(o.Grace, 0), DefaultGrace)
	o.Timeout = cmp.Or(max(o.Timeout, 0), DefaultTimeout)
	return &Escalation{o: o}
}

// pace is the least time between two looks at the list.
const pace = time.Second

// Run escalates until ctx ends; a delivery that has begun is finished. What fell due while
// nobody ran it is escalated a moment after its beginning, unless that is longer ago than
// Grace. It must not run twice at the same time.
func (e *Escalation) Run(ctx context.Context) {
	changes, cancel := e.o.Alerts.Subscribe()
	defer cancel()
	next := time.NewTimer(0)
	defer next.Stop()
	pause := time.NewTimer(pace)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-changes:
		case <-next.C:
		}
		if at := e.look(ctx); !at.IsZero() {
			next.Reset(min(time.Until(at), recheck))
		}
		pause.Reset(pace)
	}
}

// recheck is the longest sleep until an alert is due: timers stand still while the
// computer sleeps.
const recheck = time.Minute

func (e *Escalation) due(a *alert.Alert) time.Time { return a.First.Round(0).Add(e.o.After) }

// Waiting is an alert that is going to be escalated if nobody looks at it.
type Waiting struct {
	Alert uint64 // its ID
	Due   time.Time
}

// Waiting returns the alerts that nobody has looked at and whose time has not come, the
// next first.
func (e *Escalation) Waiting() []Waiting {
	var list []Waiting
	now := time.Now()
	for _, a := range e.o.Alerts.List() {
		if due := e.due(&a); e.concerns(&a) && due.After(now) {
			list = append(list, Waiting{a.ID, due})
		}
	}
	slices.SortStableFunc(list, func(a, b Waiting) int { return a.Due.Compare(b.Due) })
	return list
}

// concerns reports whether an alert is still to be escalated.
func (e *Escalation) concerns(a *alert.Alert) bool {
	return a.State == alert.New && a.Trigger.Level >= e.o.Level && !slices.Contains(a.Escalated, e.o.Name) &&
		(e.o.Filter == nil || e.o.Filter(a.Trigger))
}

// look escalates what is due, and returns when the next alert is; zero for none.
func (e *Escalation) look(ctx context.Context) (next time.Time) {
	list := e.o.Alerts.List()
	for i := len(list) - 1; i >= 0 && ctx.Err() == nil; i-- {
		a := &list[i]
		if !e.concerns(a) {
			continue
		}
		late := time.Since(e.due(a))
		switch {
		case late < 0:
			if at := e.due(a); next.IsZero() || at.Before(next) {
				next = at
			}
		case late <= e.o.Grace:
			e.escalate(a.ID)
		}
	}
	return next
}

// escalate hands an alert on, if it is still new: somebody may have looked at it while
// another was handed on.
func (e *Escalation) escalate(id uint64) {
	a, ok := e.o.Alerts.Get(id)
	if !ok || !e.o.Alerts.Escalate(id, e.o.Name) {
		return
	}
	err := guarded(context.Background(), e.o.Timeout, func(ctx context.Context) error {
		if rs := ledUp(&a); len(rs) > 1 {
			return core.HandleBatch(ctx, e.o.Handler, rs, core.BatchEscalation)
		}
		return e.o.Handler.Handle(ctx, a.Trigger)
	})
	if err == nil {
		e.escalated.Add(1)
		return
	}
	e.failed.Add(1)
	if e.o.OnError != nil && !errors.Is(err, core.ErrPass) {
		e.o.OnError(fmt.Errorf("escalate alert %d: %w", id, err))
	}
}

// ledUp returns the context of an alert with its trigger last.
func ledUp(a *alert.Alert) []*core.Record {
	rs := make([]*core.Record, 0, len(a.Context)+1)
	for _, r := range a.Context {
		if r != a.Trigger {
			rs = append(rs, r)
		}
	}
	return append(rs, a.Trigger)
}

// Stats returns the counters.
func (e *Escalation) Stats() EscalationStats {
	return EscalationStats{Escalated: e.escalated.Load(), Failed: e.failed.Load()}
}
