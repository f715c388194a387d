package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// Deliver hands r to the handler with this name, and to no other, and waits until it
// is delivered: it tests one handler of a configuration. Level and filter of the
// handler do not matter. The diagnostics are those of [Check]; with errors among them
// nothing is delivered. When ctx ends the delivery is given up; a deadline leaves
// the last of its time for that.
func Deliver(ctx context.Context, o Options, tree *config.Tree, name string, r *core.Record) (config.Diagnostics, error) {
	o = o.withDefaults()
	p, ds := newBuilder(&o, nil).build(tree)
	if p == nil {
		return ds, nil
	}
	delivering, cancel := leaving(ctx, endTime)
	defer cancel()
	err := p.graph.deliver(delivering, name, r)
	closing, cancelClosing := context.WithTimeout(ctx, o.DrainTimeout)
	defer cancelClosing()
	if delivering.Err() != nil {
		cancelClosing() // what is under way is told so at once
	}
	end := p.graph.closeBy(closing, nil, func(h core.Handler) error { return core.Shutdown(closing, h) })
	if delivering.Err() != nil {
		return ds, err // what was given up then follows from it
	}
	return ds, errors.Join(err, end)
}

// endTime is what a delivery leaves to give up in good order; a fifth of its time if
// that is less.
const endTime = 2 * time.Second

// leaving is ctx, but with a deadline that is earlier by the time given.
func leaving(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	at, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, at.Add(-min(d, time.Until(at)/5)))
}

// Deliver hands r to the running handler with this name, and to no other, and waits until
// it is delivered. Level and filter of the handler do not matter. Records that the handler
// holds, such as those of a group, may be delivered with it.
func (p *Pipeline) Deliver(ctx context.Context, name string, r *core.Record) error {
	g := p.graph.Load()
	if !g.enter() {
		return ErrClosed
	}
	defer g.leave()
	return g.deliver(ctx, name, r)
}

func (g *graph) deliver(ctx context.Context, name string, r *core.Record) error {
	var names []string
	for _, top := range g.handlers {
		for _, n := range top.all() {
			names = append(names, n.name)
			if n.name != name {
				continue
			}
			if n.passes && len(n.children) == 1 {
				n = n.children[0] // what it would hand on, some other time
			}
			if n.handler == nil {
				return fmt.Errorf("handler %q is a blackhole: it delivers nothing", name)
			}
			r.Message() // a handler may rely on it
			if err := n.Handle(ctx, r); err != nil && !errors.Is(err, core.ErrPass) {
				return err
			}
			return n.settled(ctx)
		}
	}
	return fmt.Errorf("there is no handler %q (there are: %s)", name, strings.Join(names, ", "))
}

// all returns the handler and those inside of it.
func (n *node) all() []*node {
	list := []*node{n}
	for _, c := range n.children {
		list = append(list, c.all()...)
	}
	return list
}

// settled waits until the handler and those inside of it have delivered what they
// hold, and returns what went wrong with that.
func (n *node) settled(ctx context.Context) error {
	var errs []error
	for _, one := range n.all() {
		// What it reports says more than that the time is up.
		err := one.Flush(ctx)
		if r, ok := one.handler.(Reporter); ok && (err == nil || ctx.Err() != nil) {
			if failure := r.Report().Error; failure != "" {
				err = errors.New(failure)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", one.name, err))
		}
	}
	return errors.Join(errs...)
}
