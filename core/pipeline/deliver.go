package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// Deliver hands r to the handler with this name, and to no other, and waits until it
// is delivered: it tests one handler of a configuration. Level and filter of the
// handler do not matter. The diagnostics are those of [Check]; with errors among them
// nothing is delivered.
func Deliver(ctx context.Context, o Options, tree *config.Tree, name string, r *core.Record) (config.Diagnostics, error) {
	o = o.withDefaults()
	p, ds := newBuilder(&o, nil).build(tree)
	if p == nil {
		return ds, nil
	}
	err := p.graph.deliver(ctx, name, r)
	return ds, errors.Join(err, p.graph.close(nil, o.DrainTimeout))
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
		if err := one.Flush(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", one.name, err))
			continue
		}
		if r, ok := one.handler.(Reporter); ok {
			if failure := r.Report().Error; failure != "" {
				errs = append(errs, fmt.Errorf("%s: %s", one.name, failure)) //nolint:err113 // the report has it as a text
			}
		}
	}
	return errors.Join(errs...)
}
