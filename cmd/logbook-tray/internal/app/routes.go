package app

import (
	"slices"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/route"
)

// Routes knows the handlers that inhibit and escalate, to show what they do just now. The
// zero value is empty and ready to use; it is safe for concurrent use.
type Routes struct {
	mu          sync.Mutex
	lastID      int
	inhibits    []named[*route.Inhibit]
	escalations []named[*route.Escalation]
	kept        map[string][]route.Inhibition // of handlers that are not there, by their rule

	changed chan struct{} // nil if nobody keeps them
}

// named is a handler with its name in the file.
type named[H any] struct {
	id      int
	name    string
	rule    string
	after   time.Duration
	handler H
}

// AddInhibit takes in a handler of this name, and gives it back what a handler with the same
// name and rule, of an earlier run or from before a reload, has held back and still
// would. forget takes it out again, before it is closed.
func (r *Routes) AddInhibit(name, rule string, h *route.Inhibit) (forget func()) {
	rule = name + "\x00" + rule
	r.mu.Lock()
	before := r.kept[rule]
	delete(r.kept, rule)
	for _, n := range r.inhibits {
		if n.rule == rule {
			before = n.handler.Active()
		}
	}
	r.mu.Unlock()
	h.Restore(before)
	takeOut := add(r, &r.inhibits, named[*route.Inhibit]{name: name, rule: rule, handler: h})
	return func() {
		active := h.Active()
		takeOut()
		r.leave(rule, active)
	}
}

// leave keeps the inhibitions of a handler that goes, unless there is another with its rule.
func (r *Routes) leave(rule string, active []route.Inhibition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.inhibits {
		if n.rule == rule {
			n.handler.Restore(active)
			return
		}
	}
	if r.kept == nil {
		r.kept = map[string][]route.Inhibition{}
	}
	for other, list := range r.kept { // what is over is forgotten
		if list = slices.DeleteFunc(list, func(i route.Inhibition) bool { return !time.Now().Before(i.Until) }); len(list) == 0 {
			delete(r.kept, other)
		}
	}
	if len(active) > 0 {
		r.kept[rule] = active[:min(len(active), maxKept)]
	}
}

// AddEscalation takes in a handler of this name. forget takes it out again.
func (r *Routes) AddEscalation(name string, after time.Duration, h *route.Escalation) (forget func()) {
	return add(r, &r.escalations, named[*route.Escalation]{name: name, after: after, handler: h})
}

func add[H any](r *Routes, list *[]named[H], n named[H]) (forget func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastID++
	n.id = r.lastID
	*list = append(*list, n)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		*list = slices.DeleteFunc(*list, func(other named[H]) bool { return other.id == n.id })
	}
}

// Inhibitions returns what is held back because of something else.
func (r *Routes) Inhibitions() []control.Inhibition {
	r.mu.Lock()
	list := slices.Clone(r.inhibits)
	r.mu.Unlock()
	out := []control.Inhibition{}
	for _, n := range list {
		for _, i := range n.handler.Active() {
			out = append(out, control.Inhibition{
				Handler: n.name, Same: i.Same, Cause: i.Cause.Message(), Since: i.Since.UTC(), Until: i.Until.UTC(), Held: i.Held,
			})
		}
	}
	return out
}

// Escalations returns what the escalations have done and are going to do.
func (r *Routes) Escalations() []control.Escalation {
	r.mu.Lock()
	list := slices.Clone(r.escalations)
	r.mu.Unlock()
	out := []control.Escalation{}
	for _, n := range list {
		s := n.handler.Stats()
		e := control.Escalation{
			Handler: n.name, After: n.after.String(), Escalated: s.Escalated, Failed: s.Failed, Waiting: []control.WaitingAlert{},
		}
		for _, w := range n.handler.Waiting() {
			e.Waiting = append(e.Waiting, control.WaitingAlert{Alert: w.Alert, Due: w.Due.UTC()})
		}
		out = append(out, e)
	}
	return out
}
