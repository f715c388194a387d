package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/route"
)

// routingKinds are the handlers that decide when and to whom records go, as the users of
// Alertmanager know it.
func routingKinds(a *app.App) []pipeline.HandlerKind {
	escalation := handlerKind("escalation", "hands an alert on that nobody looks at", defaultEscalation, newEscalation(a))
	escalation.Passes = true
	return []pipeline.HandlerKind{
		handlerKind("inhibit", "holds back what follows from something that is known", plain[inhibitOptions], newInhibit(a)),
		handlerKind("group_wait", "makes one delivery of what comes at the same time", defaultGroupWait, newGroupWait),
		escalation,
	}
}

type inhibitOptions struct {
	Cause     string        `yaml:"cause,required"`
	Effect    string        `yaml:"effect,required"`
	For       time.Duration `yaml:"for"`
	Same      string        `yaml:"same"`
	MaxCauses int           `yaml:"max_causes"`
	Handler   *config.Node  `yaml:"handler"`
}

func newInhibit(a *app.App) func(*pipeline.Env, *inhibitOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *inhibitOptions) (core.Handler, error) {
		cause, cerr := env.Filter(o.Cause)
		effect, eerr := env.Filter(o.Effect)
		same, serr := optionalText(env, o.Same)
		next, inside := env.Handler(o.Handler)
		own := errors.Join(atField("cause", cerr), atField("effect", eerr), atField("same", serr), notNegative("max_causes", o.MaxCauses))
		if err := mistakesOf(own, o.Handler, inside); err != nil {
			return nil, err
		}
		h := inhibit{next: next, Inhibit: route.NewInhibit(route.InhibitOptions{
			Handler: next, Cause: cause, Effect: effect, For: o.For, Same: same, Max: o.MaxCauses, OnChange: a.Routes.Change,
		})}
		h.forget = a.Routes.AddInhibit(env.Name, strings.Join([]string{o.Cause, o.Effect, o.Same}, "\x00"), h.Inhibit)
		return h, nil
	}
}

// optionalText compiles a text; nil for none.
func optionalText(env *pipeline.Env, source string) (func(*core.Record) string, error) {
	if source == "" {
		return nil, nil //nolint:nilnil // the default
	}
	return env.Text(source)
}

// inhibit is a route.Inhibit with a report for the status.
type inhibit struct {
	*route.Inhibit

	next   core.Handler
	forget func()
}

var _ pipeline.Reporter = inhibit{}

// Report implements pipeline.Reporter.
func (h inhibit) Report() pipeline.Report {
	s := h.Stats()
	r := pipeline.Report{State: "ok", Counters: map[string]uint64{
		"passed": s.Passed, "held": s.Held, "causes": s.Causes, "active": uint64(s.Active), //nolint:gosec // a count
	}}
	if active := h.Active(); len(active) > 0 {
		r.Detail = fmt.Sprintf("%d held back since: %s", active[0].Held, display.Line(active[0].Cause.Message(), 100))
	}
	return r
}

// Close implements io.Closer.
func (h inhibit) Close() error {
	h.forget()
	return h.Inhibit.Close()
}

// grouping are the options of handlers that can wait for what belongs together.
type grouping struct {
	GroupWait time.Duration `yaml:"group_wait"`
	GroupBy   string        `yaml:"group_by"`
}

// groupBy returns what sorts records into groups; nil for the default.
func (g *grouping) groupBy(env *pipeline.Env) (func(*core.Record) string, error) {
	if g.GroupBy != "" && g.GroupWait == 0 {
		return nil, config.At("group_by", "has no effect without group_wait, how long a group waits for more")
	}
	by, err := optionalText(env, g.GroupBy)
	return by, atField("group_by", err)
}

// group puts the wait in front of a handler, if one is asked for. It owns the handler.
func (g *grouping) group(env *pipeline.Env, h core.Handler, by func(*core.Record) string) core.Handler {
	if g.GroupWait == 0 {
		return h
	}
	return newWaiting(env, route.WaitOptions{Handler: h, For: g.GroupWait, Key: by})
}

type groupWaitOptions struct {
	Wait       time.Duration `yaml:"wait"`
	GroupBy    string        `yaml:"group_by"`
	MaxRecords int           `yaml:"max_records"`
	Handler    *config.Node  `yaml:"handler"`
}

// defaultWait is how long a group waits where a file says nothing.
const defaultWait = 10 * time.Second

func defaultGroupWait() *groupWaitOptions { return &groupWaitOptions{Wait: defaultWait} }

func newGroupWait(env *pipeline.Env, o *groupWaitOptions) (core.Handler, error) {
	by, err := optionalText(env, o.GroupBy)
	next, inside := env.Handler(o.Handler)
	if err := mistakesOf(errors.Join(atField("group_by", err), notNegative("max_records", o.MaxRecords)), o.Handler, inside); err != nil {
		return nil, err
	}
	return newWaiting(env, route.WaitOptions{Handler: next, For: o.Wait, Key: by, MaxRecords: o.MaxRecords}), nil
}

// waiting is a route.Wait with a report for the status.
type waiting struct {
	*route.Wait

	inner core.Handler
	wait  time.Duration
}

var _ pipeline.Reporter = waiting{}

func newWaiting(env *pipeline.Env, o route.WaitOptions) waiting {
	o.OnError = func(err error) {
		env.Self.Warn("{name}: {error}", core.Kw("name", env.Name), core.Kw("error", err.Error()))
	}
	return waiting{route.NewWait(o), o.Handler, o.For}
}

// Report implements pipeline.Reporter: what the handler behind says, and what waits.
func (w waiting) Report() pipeline.Report {
	r := pipeline.Report{State: "ok"}
	if inner, ok := w.inner.(pipeline.Reporter); ok {
		r = inner.Report()
	}
	if r.Counters == nil {
		r.Counters = map[string]uint64{}
	}
	s := w.Stats()
	r.Counters["waiting"], r.Counters["groups"] = s.Waiting, s.Groups
	return r
}

type escalationOptions struct {
	After   time.Duration `yaml:"after"`
	Handler *config.Node  `yaml:"handler"`
}

func defaultEscalation() *escalationOptions {
	return &escalationOptions{After: route.DefaultEscalation}
}

func newEscalation(a *app.App) func(*pipeline.Env, *escalationOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *escalationOptions) (core.Handler, error) {
		next, inside := env.Handler(o.Handler)
		var own error
		if o.After <= 0 {
			own = config.At("after", "must be longer than that: who is told at once needs no escalation")
		}
		if err := mistakesOf(own, o.Handler, inside); err != nil {
			return nil, err
		}
		h := &escalation{Escalation: route.NewEscalation(route.EscalationOptions{
			Alerts: a.Alerts, Handler: next, After: o.After, Filter: env.Wants,
			Name: fmt.Sprintf("%s after %v by %s", env.Name, o.After, o.Handler.Get("type").Text()),
			OnError: func(err error) {
				env.Self.Warn("{name}: {error}", core.Kw("name", env.Name), core.Kw("error", err.Error()))
			},
		}), after: o.After, done: make(chan struct{})}
		h.forget = a.Routes.AddEscalation(env.Name, o.After, h.Escalation)
		ctx, cancel := context.WithCancel(context.Background())
		h.cancel = cancel
		go func() {
			defer close(h.done)
			h.Run(ctx)
		}()
		return h, nil
	}
}

// escalation watches the alerts. Of the records on the stack it takes none.
type escalation struct {
	*route.Escalation

	after  time.Duration
	forget func()
	cancel context.CancelFunc
	done   chan struct{}
}

var (
	_ core.Handler      = (*escalation)(nil)
	_ pipeline.Reporter = (*escalation)(nil)
)

// Handle implements core.Handler.
func (h *escalation) Handle(context.Context, *core.Record) error { return core.ErrPass }

// Report implements pipeline.Reporter.
func (h *escalation) Report() pipeline.Report {
	s := h.Stats()
	return pipeline.Report{State: "ok", Counters: map[string]uint64{
		"escalated": s.Escalated, "failed": s.Failed, "waiting": uint64(len(h.Waiting())),
	}}
}

// Close ends the goroutine. The handler behind belongs to the pipeline.
func (h *escalation) Close() error { //nolint:unparam // io.Closer
	h.forget()
	h.cancel()
	<-h.done
	return nil
}
