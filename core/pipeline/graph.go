package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// graph is the stack made from one configuration. It is immutable but for
// its counters and for being closed.
type graph struct {
	handlers   []*node // the stack, top first
	processors []string
	ctx        context.Context //nolint:containedctx // carries the stack; ends when the graph was closed
	cancel     context.CancelFunc
	steps      []*step // what Explain goes through
	change     core.Processor

	// inflight counts the records on their way, and 1 more until the graph is
	// closed; idle is closed when it gets 0. It is no lock, since handlers may
	// take their time, and may dispatch records themselves.
	inflight atomic.Int64
	idle     chan struct{}
	retire   sync.Once
}

// node is a handler of the graph with its place in the file and its counters.
type node struct {
	key      string // equal for a handler that stands in the next file as it does in this one
	name     string
	kind     string
	depth    int
	level    core.Level
	filter   string
	bubble   bool
	passes   bool         // it takes no record
	handler  core.Handler // nil: blackhole
	children []*node
	self     *core.Logger

	seen, filtered, taken, failed atomic.Uint64
	failure                       atomic.Pointer[string] // of the last call; nil if it succeeded
}

// binding returns what goes onto the stack.
func (n *node) binding(filter func(*core.Record) bool) core.Binding {
	b := core.Binding{Name: n.name, Level: n.level, Bubble: n.bubble}
	if n.handler != nil {
		b.Handler = n
	}
	if filter != nil {
		b.Filter = func(r *core.Record) bool {
			if matches(filter, r) {
				return true
			}
			n.filtered.Add(1)
			return false
		}
	}
	return b
}

// matches is what filter says; one that panics does not match.
func matches(filter func(*core.Record) bool, r *core.Record) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return filter(r)
}

var (
	_ core.BatchHandler = (*node)(nil)
	_ core.Flusher      = (*node)(nil)
)

// Handle counts what the handler does with r.
func (n *node) Handle(ctx context.Context, r *core.Record) error {
	n.seen.Add(1)
	return n.count(1, safely(func() error { return n.handler.Handle(ctx, r) }))
}

// HandleBatch counts what the handler does with a batch.
func (n *node) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	n.seen.Add(uint64(len(rs)))
	return n.count(uint64(len(rs)), safely(func() error { return core.HandleBatch(ctx, n.handler, rs, why) }))
}

// count takes note of the outcome. A failure is logged when it is a new one; equal
// ones in a row are only counted.
func (n *node) count(records uint64, err error) error {
	switch {
	case errors.Is(err, core.ErrPass):
	case err == nil:
		n.taken.Add(records)
		if n.failure.Load() != nil && n.failure.Swap(nil) != nil {
			n.self.Notice("handler {name} works again", core.Kw("name", n.name))
		}
	default:
		n.failed.Add(records)
		text := err.Error()
		if old := n.failure.Swap(&text); old == nil || *old != text {
			n.self.Error("handler {name} failed: {error}", core.Kw("name", n.name), core.Kw("error", text))
		}
	}
	return err
}

// Flush flushes the handler.
func (n *node) Flush(ctx context.Context) error {
	if n.handler == nil {
		return nil
	}
	return safely(func() error { return core.Flush(ctx, n.handler) })
}

// close closes the handler and then those inside of it, which may still get
// records from it until then. A node itself is no io.Closer, so that an outer
// handler does not close what it does not own.
func (n *node) close(closing func(core.Handler) error) error {
	var errs []error
	if n.handler != nil {
		if err := safely(func() error { return closing(n.handler) }); err != nil {
			errs = append(errs, fmt.Errorf("close handler %q: %w", n.name, err))
		}
	}
	for _, c := range n.children {
		errs = append(errs, c.close(closing))
	}
	return errors.Join(errs...)
}

// dispatch sends r down the stack of the graph. It reports false if the graph
// was closed, so that r has to go to its successor.
func (g *graph) dispatch(r *core.Record) (ok bool, err error) {
	if !g.enter() {
		return false, nil
	}
	defer g.leave()
	return true, core.Dispatch(g.ctx, r)
}

// enter keeps the graph from being closed until leave is called. It reports false if
// it is closed already.
func (g *graph) enter() bool {
	for {
		n := g.inflight.Load()
		if n == 0 {
			return false
		}
		if g.inflight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *graph) leave() {
	if g.inflight.Add(-1) == 0 {
		close(g.idle)
	}
}

// close waits for the records on their way, flushes and closes the handlers that
// are not in keep, top first. What takes longer than the limit is told so
// through its context, and given up.
func (g *graph) close(keep map[*node]bool, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return g.closeBy(ctx, keep, core.Close)
}

// closeBy is close until ctx ends, with the function that closes a handler.
func (g *graph) closeBy(ctx context.Context, keep map[*node]bool, closing func(core.Handler) error) error {
	defer g.cancel()
	g.retire.Do(g.leave)
	var errs []error
	select {
	case <-g.idle:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("%d records are still on their way", g.inflight.Load()))
	}
	for _, n := range g.handlers {
		if keep[n] {
			continue
		}
		if err := n.Flush(ctx); err != nil {
			errs = append(errs, fmt.Errorf("flush handler %q: %w", n.name, err))
		}
		errs = append(errs, n.close(closing))
	}
	return errors.Join(errs...)
}

// safely turns a panic of a handler, filter or processor into an error.
func safely(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return f()
}
