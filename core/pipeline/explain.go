package pipeline

import (
	"fmt"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// Verdict says what a handler would do with a record.
type Verdict string

// The verdicts.
const (
	VerdictLevel     Verdict = "level"     // the record is below its level
	VerdictFilter    Verdict = "filter"    // refused by its filter
	VerdictTook      Verdict = "took"      // taken; the way ends here
	VerdictBubbled   Verdict = "bubbled"   // taken, and goes on
	VerdictPassed    Verdict = "passed"    // not taken, and goes on
	VerdictBlackhole Verdict = "blackhole" // discarded; the way ends here
	VerdictUnreached Verdict = "unreached" // the way has ended before
	VerdictDisabled  Verdict = "disabled"  // the handler is switched off
)

// Outcome says what becomes of a record that a handler takes, where it is not simply
// delivered.
type Outcome string

// The outcomes.
const (
	OutcomeShown     Outcome = "shown"     // as a notification of its own, at once
	OutcomeLimited   Outcome = "limited"   // counted as a repeat, or beyond a cap
	OutcomeMuted     Outcome = "muted"     // held back by a mute
	OutcomeInhibited Outcome = "inhibited" // held back since something else explains it
	OutcomeBuffered  Outcome = "buffered"  // waits, for others or for a severe one
	OutcomeDropped   Outcome = "dropped"   // there is no room for it
)

// Step is one handler on the way of a record.
type Step struct {
	Handler string  `json:"handler"`
	Type    string  `json:"type"`
	Verdict Verdict `json:"verdict"`
	// Outcome is what becomes of the record there, or in all of those inside; "" if it is
	// delivered, or not taken at all.
	Outcome Outcome `json:"outcome,omitempty"`
	Reason  string  `json:"reason"` // for people
	// Inside are the handlers that it is handed on to.
	Inside []Step `json:"inside,omitempty"`
}

// Explainer is implemented by handlers that know what they would do with a
// record, such as those that limit repetitions, or hand it on to others.
type Explainer interface {
	// Explain says so. why is "" for a record that comes alone; otherwise it is the one
	// that a batch with this reason is about. It changes and counts nothing.
	Explain(r *core.Record, why core.BatchReason) Explanation
}

// Explanation is what a handler says about a record.
type Explanation struct {
	// Verdict is [VerdictTook] or [VerdictPassed]; "" leaves it to the handlers in Next:
	// passed if all of them pass, and if there are none, taken.
	Verdict Verdict
	Outcome Outcome
	Reason  string // half a sentence
	// Next are the handlers that it hands the record on to, now or later, Why how it
	// does.
	Next []core.Handler
	Why  core.BatchReason
}

// step is a handler as Explain sees it: without its counters.
type step struct {
	name, kind       string
	level            core.Level
	source           string // of the filter
	match            func(*core.Record) bool
	bubble, disabled bool
	handler          core.Handler // nil: blackhole
}

// Explain says what each handler would do with r, top first. Nothing is delivered
// or counted, and r is not changed: the processors work on a copy.
func (p *Pipeline) Explain(r *core.Record) []Step { return p.graph.Load().explain(r) }

// Explain says what the handlers of a configuration would do with records, as
// [Pipeline.Explain] does, without starting anything. each is called with a
// function that explains one record. The diagnostics are those of [Check]; with errors
// among them each is not called.
func Explain(o Options, tree *config.Tree, each func(explain func(*core.Record) []Step) error) (config.Diagnostics, error) {
	o = o.withDefaults()
	p, ds := newBuilder(&o, nil).build(tree)
	if p == nil {
		return ds, nil
	}
	err := each(p.graph.explain)
	if closing := p.graph.close(nil, o.DrainTimeout); err == nil {
		err = closing
	}
	return ds, err
}

func (g *graph) explain(r *core.Record) []Step {
	c := r.Clone()
	g.change(c)
	c.Message()
	out := make([]Step, 0, len(g.steps))
	end := ""
	for _, s := range g.steps {
		one := Step{Handler: s.name, Type: s.kind}
		switch {
		case s.disabled:
			one.Verdict, one.Reason = VerdictDisabled, "it is disabled"
		case end != "":
			one.Verdict, one.Reason = VerdictUnreached, fmt.Sprintf("the record ends at %q", end)
		default:
			s.explain(c, &one)
		}
		if one.Verdict == VerdictTook || one.Verdict == VerdictBlackhole {
			end = s.name
		}
		out = append(out, one)
	}
	return out
}

func (s *step) explain(r *core.Record, one *Step) {
	level, own := strings.ToLower(r.Level.String()), strings.ToLower(s.level.String())
	reasons := []string{"it takes every level"}
	if s.level != core.LevelNotSet {
		reasons[0] = fmt.Sprintf("%s is not below its level, %s", level, own)
	}
	if r.Level < s.level {
		one.Verdict, one.Reason = VerdictLevel, fmt.Sprintf("%s is below its level, %s", level, own)
		return
	}
	if s.match != nil {
		if !matches(s.match, r) {
			one.Verdict, one.Reason = VerdictFilter, "its filter does not match"+quoted(s.source)
			return
		}
		reasons = append(reasons, "its filter matches"+quoted(s.source))
	}
	if reason := one.ask(s.handler, r, ""); reason != "" {
		reasons = append(reasons, reason)
	}
	switch {
	case one.Verdict == VerdictPassed:
	case s.bubble:
		one.Verdict = VerdictBubbled
		reasons = append(reasons, "it bubbles")
	case one.Verdict == VerdictBlackhole:
		reasons = append(reasons, "it discards records")
	default:
		reasons = append(reasons, "it does not bubble")
	}
	one.Reason = strings.Join(reasons, "; ")
}

// ask fills in what h says about r, and what those say that it hands r on to, but for the
// reason, which is returned.
func (s *Step) ask(h core.Handler, r *core.Record, why core.BatchReason) (reason string) {
	if h == nil {
		s.Verdict = VerdictBlackhole
		return ""
	}
	e := explanation(h, r, why)
	s.Verdict, s.Outcome = or(e.Verdict, VerdictTook), or(s.Outcome, e.Outcome)
	reason = e.Reason
	passed, inside := 0, Outcome("")
	for i, next := range e.Next {
		one := Step{}
		n, own := next.(*node)
		if own {
			one.Handler, one.Type = n.name, n.kind
			next = n.handler
		}
		one.Reason = one.ask(next, r, e.Why)
		if one.Verdict == VerdictPassed {
			passed++
		}
		if i == 0 {
			inside = one.Outcome
		} else if inside != one.Outcome {
			inside = ""
		}
		if own {
			s.Inside = append(s.Inside, one)
			continue
		}
		// A part of h, and not a handler of the file.
		s.Inside = append(s.Inside, one.Inside...)
		reason = strings.TrimPrefix(reason+"; "+one.Reason, "; ")
	}
	if s.Outcome == "" || s.Outcome == OutcomeBuffered && inside != OutcomeShown {
		s.Outcome = or(inside, s.Outcome) // what becomes of it in the end
	}
	if e.Verdict == "" && len(e.Next) > 0 && passed == len(e.Next) {
		s.Verdict = VerdictPassed
	}
	return reason
}

// explanation is what h says about r. A panic is what it says then.
func explanation(h core.Handler, r *core.Record, why core.BatchReason) (e Explanation) {
	x, ok := h.(Explainer)
	if !ok {
		return Explanation{}
	}
	if err := safely(func() error {
		e = x.Explain(r, why)
		return nil
	}); err != nil {
		return Explanation{Reason: "it cannot say what it would do: " + err.Error()}
	}
	return e
}

func quoted(source string) string {
	if source == "" {
		return ""
	}
	return ": " + source
}
