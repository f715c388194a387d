package alert

import (
	"container/list"
	"slices"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/weight"
)

// Occurrence is a record that is worth an alert.
type Occurrence struct {
	Fingerprint string
	// Record must be one that stays as it is ([core.Record.Keep]).
	Record *core.Record
	// Context holds the records that led up to it; nil for none but the
	// record itself.
	Context []*core.Record
	// At is when it arrived; zero for now.
	At time.Time
	// Muted says that it is not to be shown.
	Muted bool
	// Renew is how long after its latest repeat an alert that nobody has looked
	// at takes up further ones; RenewSeen the same for other alerts. What comes
	// later is a new alert.
	Renew, RenewSeen time.Duration
	// Title and Body are the text of the notification.
	Title, Body string
}

// Occur counts an occurrence: as a repeat of the latest alert of the same
// fingerprint, which moves to the top of the list, or as a new alert. It
// returns the alert, without its context, and whether it is new.
//
// Several handlers may report the same record, as told by its sequence number: it is
// counted once, and all get the same alert. If several report the record that made the
// alert, it has the longest context of theirs, whoever comes first.
func (l *List) Occur(o Occurrence) (a Alert, isNew bool) {
	if o.At.IsZero() {
		o.At = time.Now()
	}
	l.mu.Lock()
	el, counted := l.known(&o)
	enriched := false
	switch {
	case el == nil:
		el, isNew = l.create(&o), true
	case !counted:
		l.repeat(el, &o)
	default:
		enriched = l.enrich(el, &o)
	}
	a = el.Value.(*entry).alert
	a.Context = nil
	l.mu.Unlock()
	if !counted || enriched {
		l.changed()
	}
	return a, isNew
}

// known returns the alert that an occurrence belongs to, nil if there is none yet, and
// whether the alert has counted it already.
func (l *List) known(o *Occurrence) (el *list.Element, counted bool) {
	if id, ok := l.counted.Get(o.Record.Seq); ok {
		if el, ok := l.byID[id]; ok {
			return el, true
		}
	}
	// The record of an alert comes again when that is escalated, long after and perhaps
	// to a handler with another fingerprint.
	if el, ok := l.byTrigger[o.Record]; ok {
		return el, true
	}
	el, ok := l.byPrint[o.Fingerprint]
	if !ok {
		return nil, false
	}
	a := &el.Value.(*entry).alert
	renew := o.Renew
	if a.State != New {
		renew = o.RenewSeen
	}
	if o.At.Sub(a.Last) >= renew {
		return nil, false
	}
	return el, false
}

func (l *List) repeat(el *list.Element, o *Occurrence) {
	a := &el.Value.(*entry).alert
	a.Count++
	a.Newest, a.Last, a.Title, a.Body = o.Record, o.At, o.Title, o.Body
	l.counted.Put(o.Record.Seq, a.ID)
	l.order.MoveToFront(el)
}

// enrich takes over the context of an occurrence that was counted already, if it is that
// of the alert's trigger and tells more, and reports whether it was. l.mu is held.
func (l *List) enrich(el *list.Element, o *Occurrence) bool {
	e := el.Value.(*entry)
	a := &e.alert
	if o.Record.Seq != a.Trigger.Seq || a.Omitted > 0 || len(o.Context) <= len(a.Context) {
		return false
	}
	a.Context = slices.Clone(o.Context)
	l.bytes -= e.bytes
	e.bytes = weight.Of(a.Context...)
	l.bytes += e.bytes
	l.enforce()
	return true
}

// create adds the alert of a first occurrence. l.mu is held.
func (l *List) create(o *Occurrence) *list.Element {
	a := Alert{
		Fingerprint: o.Fingerprint, Trigger: o.Record, Context: o.Context, State: New,
		First: o.At, Last: o.At, Title: o.Title, Body: o.Body,
	}
	if o.Muted {
		a.State = Muted
	}
	complete(&a)
	el := l.add(a)
	l.counted.Put(o.Record.Seq, el.Value.(*entry).alert.ID)
	return el
}
