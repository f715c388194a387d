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

// Step is one handler on the way of a record.
type Step struct {
	Handler string  `json:"handler"`
	Type    string  `json:"type"`
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"` // for people
}

// Explainer is implemented by handlers that know what they would do with a
// record, such as those that limit repetitions.
type Explainer interface {
	// Explain says so in half a sentence, and whether the handler would take r at
	// all. It changes nothing.
	Explain(r *core.Record) (reason string, takes bool)
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
			one.Verdict, one.Reason = s.explain(c)
		}
		if one.Verdict == VerdictTook || one.Verdict == VerdictBlackhole {
			end = s.name
		}
		out = append(out, one)
	}
	return out
}

func (s *step) explain(r *core.Record) (Verdict, string) {
	level, own := strings.ToLower(r.Level.String()), strings.ToLower(s.level.String())
	reasons := []string{"it takes every level"}
	if s.level != core.LevelNotSet {
		reasons[0] = fmt.Sprintf("%s is not below its level, %s", level, own)
	}
	if r.Level < s.level {
		return VerdictLevel, fmt.Sprintf("%s is below its level, %s", level, own)
	}
	if s.match != nil {
		if !matches(s.match, r) {
			return VerdictFilter, "its filter does not match" + quoted(s.source)
		}
		reasons = append(reasons, "its filter matches"+quoted(s.source))
	}
	if e, ok := s.handler.(Explainer); ok {
		reason, takes := e.Explain(r)
		reasons = append(reasons, reason)
		if !takes {
			return VerdictPassed, strings.Join(reasons, "; ")
		}
	}
	switch {
	case s.bubble:
		reasons = append(reasons, "it bubbles")
		return VerdictBubbled, strings.Join(reasons, "; ")
	case s.handler == nil:
		reasons = append(reasons, "it discards records")
		return VerdictBlackhole, strings.Join(reasons, "; ")
	}
	reasons = append(reasons, "it does not bubble")
	return VerdictTook, strings.Join(reasons, "; ")
}

func quoted(source string) string {
	if source == "" {
		return ""
	}
	return ": " + source
}
