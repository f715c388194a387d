package alert

import (
	"slices"
	"strings"
	"time"
)

// Escalate marks an alert as handed on by the escalation of this name, and reports
// whether it is to be: it is still [New], and was not before.
func (l *List) Escalate(id uint64, by string) bool {
	return l.change(id, func(a *Alert) bool {
		if a.State != New || slices.Contains(a.Escalated, by) {
			return false
		}
		a.Escalated = append(slices.Clip(a.Escalated), by)
		return true
	})
}

// Failed notes that a handler could not tell the user about an alert, in place of an
// earlier failure of the same one. The reason must hold no secrets.
func (l *List) Failed(id uint64, by, reason string) {
	if len(reason) > MaxReason {
		reason = strings.ToValidUTF8(reason[:MaxReason], "") + "…"
	}
	l.change(id, func(a *Alert) bool {
		a.Failures = without(a.Failures, by)
		if len(a.Failures) == MaxFailures {
			a.Failures = a.Failures[1:]
		}
		a.Failures = append(a.Failures, Failure{By: by, Reason: reason, At: time.Now().UTC()})
		return true
	})
}

// Delivered notes that a handler has told the user about an alert: an earlier failure
// of it counts no more.
func (l *List) Delivered(id uint64, by string) {
	l.change(id, func(a *Alert) bool {
		left := without(a.Failures, by)
		changed := len(left) < len(a.Failures)
		a.Failures = left
		return changed
	})
}

// without returns a copy without those of one handler; the list itself is shared.
func without(list []Failure, by string) []Failure {
	var left []Failure
	for _, f := range list {
		if f.By != by {
			left = append(left, f)
		}
	}
	return left
}

// change calls f with an alert, if the list has it, and returns what f does: whether it
// has changed something.
func (l *List) change(id uint64, f func(*Alert) bool) bool {
	l.mu.Lock()
	el, ok := l.byID[id]
	changed := ok && f(&el.Value.(*entry).alert)
	l.mu.Unlock()
	if changed {
		l.changed()
	}
	return changed
}

// Undelivered returns how many alerts somebody could not tell the user about, and who
// has not looked at them either.
func (l *List) Undelivered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for el := l.order.Front(); el != nil; el = el.Next() {
		if a := &el.Value.(*entry).alert; len(a.Failures) > 0 && a.State == New {
			n++
		}
	}
	return n
}
