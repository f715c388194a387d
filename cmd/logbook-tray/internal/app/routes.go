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
}

// named is a handler with its name in the file.
type named[H any] struct {
	id      int
	name    string
	after   time.Duration
	handler H
}

// AddInhibit takes in a handler of this name. forget takes it out again.
func (r *Routes) AddInhibit(name string, h *route.Inhibit) (forget func()) {
	return add(r, &r.inhibits, named[*route.Inhibit]{name: name, handler: h})
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
