package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/handler/mail"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// What the handlers of the table say about a record that somebody asks about, see
// pipeline.Explainer. Asking changes and counts nothing.

var (
	_ pipeline.Explainer = async[core.Handler]{}
	_ pipeline.Explainer = fingersCrossed{}
	_ pipeline.Explainer = (*periodic)(nil)
	_ pipeline.Explainer = tagging{}
	_ pipeline.Explainer = fan{}
	_ pipeline.Explainer = inhibit{}
	_ pipeline.Explainer = waiting{}
	_ pipeline.Explainer = (*escalation)(nil)
)

// moment says when something is to a person, today without the date.
func moment(at time.Time) string {
	at = at.Local()
	if now := time.Now().Local(); at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

// levelOf is the name of a level as it stands in a file.
func levelOf(l core.Level) string { return strings.ToLower(l.String()) }

// Explain implements pipeline.Explainer: there is room or not, and what the handler
// behind the queue does.
func (a async[H]) Explain(r *core.Record, _ core.BatchReason) pipeline.Explanation {
	e := pipeline.Explanation{Verdict: pipeline.VerdictTook}
	waiting, dropped := a.Preview()
	if dropped {
		e.Outcome, e.Reason = pipeline.OutcomeDropped, fmt.Sprintf("its queue is full: %s wait", some(waiting, "record"))
		return e
	}
	var reasons []string
	switch h := any(a.inner).(type) {
	case *notifiers.Handler:
		outcome, reason := ofNotification(h.Preview(r))
		e.Outcome, reasons = outcome, append(reasons, reason)
	case *mail.Handler:
		if until, limited := h.Limited(r); limited {
			e.Outcome = pipeline.OutcomeLimited
			reasons = append(reasons, "mails about the same error were sent already: the next one, after "+moment(until)+", says how many were not")
		}
	default:
		e.Next = []core.Handler{a.inner}
	}
	if waiting > 0 {
		reasons = append(reasons, some(waiting, "record")+" before it in its queue")
	}
	if s := a.Stats(); s.Err != nil {
		reasons = append(reasons, "its last delivery failed: "+display.Line(s.Err.Error(), 200))
	}
	e.Reason = strings.Join(reasons, "; ")
	return e
}

// ofNotification says what becomes of a record that is to be a notification.
func ofNotification(p notifiers.Preview) (pipeline.Outcome, string) {
	same := fmt.Sprintf("the same error (fingerprint %s)", display.Line(p.Fingerprint, 60))
	switch {
	case p.Mute != nil:
		return pipeline.OutcomeMuted, "held back by " + ofMute(p.Mute)
	case p.Limit.Kind == limit.Rollup:
		return pipeline.OutcomeLimited, fmt.Sprintf("a repeat of %s: %s in %v allowed, %d came; an update at %s counts it",
			same, some(p.Options.Limit, "notification"), p.Options.Delta, p.Limit.Before, moment(p.Limit.Until))
	case p.Limit.Kind == limit.Digest:
		return pipeline.OutcomeLimited, fmt.Sprintf("beyond the cap, %s in %v of any kind: a digest counts it; there is room again at %s",
			some(p.Options.Cap, "notification"), p.Options.CapDelta, moment(p.Limit.Until))
	case p.Options.Limit < 0:
		return pipeline.OutcomeShown, "shown at once, as every record"
	case p.Limit.Before > 0:
		return pipeline.OutcomeShown, fmt.Sprintf("shown at once: %s in %v allowed of %s, %d came",
			some(p.Options.Limit, "notification"), p.Options.Delta, same, p.Limit.Before)
	}
	return pipeline.OutcomeShown, fmt.Sprintf("shown at once: the first of %s in %v", same, p.Options.Delta)
}

// some is a number with what it counts: "1 other", "2 others".
func some(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ofMute names a mute, who has begun it, and its end.
func ofMute(m *mute.Mute) string {
	text := fmt.Sprintf("the mute %q", display.Line(m.Label, 60))
	if owner := app.OwnerOf(m); owner != "" && owner != m.Label {
		text += " of the " + owner
	}
	if m.Until.IsZero() {
		return text + ", until it is ended"
	}
	return text + " until " + moment(m.Until)
}

// Explain implements pipeline.Explainer: the record waits for a severe one, or is it.
func (f fingersCrossed) Explain(r *core.Record, _ core.BatchReason) pipeline.Explanation {
	key := f.Key(r)
	if f.Triggered(key) {
		return pipeline.Explanation{Reason: "a severe one has set its buffer free before", Next: []core.Handler{f.next}}
	}
	held := len(f.Buffered(key))
	if r.Level >= f.action {
		return pipeline.Explanation{
			Verdict: pipeline.VerdictTook,
			Reason:  fmt.Sprintf("%s sets its buffer free, with %s that led up to it", levelOf(r.Level), some(held, "record")),
			Next:    []core.Handler{f.next}, Why: core.BatchEscalation,
		}
	}
	return pipeline.Explanation{
		Verdict: pipeline.VerdictTook, Outcome: pipeline.OutcomeBuffered,
		Reason: fmt.Sprintf("it waits, with %s, until one of level %s comes from there", some(held, "other"), levelOf(f.action)),
	}
}

// Explain implements pipeline.Explainer.
func (p *periodic) Explain(r *core.Record, _ core.BatchReason) pipeline.Explanation {
	e := p.explain(r)
	e.Verdict = pipeline.VerdictTook
	if e.Outcome == pipeline.OutcomeBuffered {
		e.Reason += fmt.Sprintf(", at the latest after %v", p.interval)
	}
	return e
}

func explainGroup(g *handler.Group, next core.Handler) func(*core.Record) pipeline.Explanation {
	return func(*core.Record) pipeline.Explanation {
		return pipeline.Explanation{
			Outcome: pipeline.OutcomeBuffered, Reason: fmt.Sprintf("it waits, with %s, to be handed on with them", some(len(g.Buffered()), "other")),
			Next: []core.Handler{next}, Why: core.BatchGroup,
		}
	}
}

func explainMemory(m *handler.Memory, severe core.Level, next core.Handler) func(*core.Record) pipeline.Explanation {
	return func(r *core.Record) pipeline.Explanation {
		held := len(m.Buffered())
		e := pipeline.Explanation{Next: []core.Handler{next}, Why: core.BatchBuffer}
		switch {
		case r.Level >= severe:
			e.Reason = fmt.Sprintf("%s sets its buffer free, with %s", levelOf(r.Level), some(held, "other"))
		case held+1 >= m.Capacity():
			e.Reason = "it makes the buffer full, which is handed on with " + some(held, "other")
		default:
			e.Outcome = pipeline.OutcomeBuffered
			e.Reason = fmt.Sprintf("it waits, with %s, until there are %d or one of level %s comes", some(held, "other"), m.Capacity(), levelOf(severe))
		}
		return e
	}
}

func explainDedup(d *handler.Dedup, next core.Handler) func(*core.Record) pipeline.Explanation {
	return func(r *core.Record) pipeline.Explanation {
		e := pipeline.Explanation{Next: []core.Handler{next}}
		switch times, room := d.Seen(r); {
		case times > 0:
			e.Next = nil
			e.Outcome, e.Reason = pipeline.OutcomeLimited, fmt.Sprintf("the same message waits already, and came %s: it is counted with it", some(times, "time"))
		case room:
			e.Outcome, e.Reason = pipeline.OutcomeBuffered, "it waits for others with the same message, to be handed on with their number"
		default:
			e.Reason = "too many different messages wait already: it is handed on as it is"
		}
		return e
	}
}

// tagging is a handler.Tagging of which one can ask what it would do.
type tagging struct{ handler.Tagging }

// Explain implements pipeline.Explainer.
func (t tagging) Explain(r *core.Record, _ core.BatchReason) pipeline.Explanation {
	e := pipeline.Explanation{Verdict: pipeline.VerdictPassed, Reason: "it has none of the tags"}
	var known []string
	for _, tag := range handler.Tags(r) {
		for _, b := range t.Tagging[tag] {
			if b.Handler != nil {
				e.Next = append(e.Next, b.Handler)
			}
		}
		if _, ok := t.Tagging[tag]; ok && !slices.Contains(known, tag) {
			known = append(known, tag)
		}
	}
	if len(known) > 0 {
		e.Verdict, e.Reason = pipeline.VerdictTook, "it has the tags "+display.Line(strings.Join(known, ", "), 100)
	}
	return e
}

// fan is a handler.Fan of which one can ask what it would do.
type fan struct{ handler.Fan }

// Explain implements pipeline.Explainer.
func (f fan) Explain(_ *core.Record, why core.BatchReason) pipeline.Explanation {
	return pipeline.Explanation{Reason: "it goes to " + some(len(f.Fan), "handler"), Next: f.Fan, Why: why}
}

// Explain implements pipeline.Explainer: whether something else explains the record.
func (h inhibit) Explain(r *core.Record, why core.BatchReason) pipeline.Explanation {
	p := h.Preview(r)
	if p.By != nil {
		return pipeline.Explanation{
			Verdict: pipeline.VerdictTook, Outcome: pipeline.OutcomeInhibited,
			Reason: fmt.Sprintf("held back until %s, as %q explains it", moment(p.By.Until), display.Line(p.By.Cause.Message(), 100)),
		}
	}
	e := pipeline.Explanation{Reason: "it is neither a cause nor an effect", Next: []core.Handler{h.next}, Why: why}
	switch {
	case p.Cause:
		e.Reason = "it is a cause: its effects are held back from now on"
	case p.Effect:
		e.Reason = "it is an effect of which no cause was seen"
	}
	return e
}

// Explain implements pipeline.Explainer: what waits, and what the handler behind does.
func (w waiting) Explain(r *core.Record, why core.BatchReason) pipeline.Explanation {
	e := pipeline.Explanation{Verdict: pipeline.VerdictTook, Next: []core.Handler{w.inner}, Why: why}
	if w.wait <= 0 || why == core.BatchEscalation || why == core.BatchGroup {
		e.Verdict = ""
		return e
	}
	e.Outcome, e.Why = pipeline.OutcomeBuffered, ""
	if n, due := w.Preview(r); n > 0 {
		e.Reason, e.Why = fmt.Sprintf("it joins %s, handed on at %s", some(n, "other"), moment(due)), core.BatchGroup
	} else {
		e.Reason = fmt.Sprintf("it waits %v for others of its group", w.wait)
	}
	return e
}

// Explain implements pipeline.Explainer.
func (h *escalation) Explain(*core.Record, core.BatchReason) pipeline.Explanation {
	return pipeline.Explanation{
		Verdict: pipeline.VerdictPassed,
		Reason:  fmt.Sprintf("if it makes an alert that nobody looks at, that is handed on after %v", h.after),
	}
}
