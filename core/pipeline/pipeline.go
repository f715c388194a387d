package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// The defaults of [Options].
const (
	DefaultRetryMin     = time.Second
	DefaultRetryMax     = 30 * time.Second
	DefaultDrainTimeout = 10 * time.Second
)

// Options are what a pipeline works with besides the file.
type Options struct {
	Kinds Kinds
	// Top are bindings above those of the file, first on top, such as the log
	// window. They stay across reloads.
	Top []core.Binding
	// Sections returns a new struct for the keys at the top of the file that are not
	// the pipeline's business; nil if there are none.
	Sections func() any
	// CompileFilter makes a filter of an expression.
	CompileFilter func(source string) (func(*core.Record) bool, error)
	// CompileText makes a text of records by an expression.
	CompileText func(source string) (func(*core.Record) string, error)
	// Self logs what happens to the program itself. Its records must not go
	// through this pipeline.
	Self *core.Logger
	// RetryMin and RetryMax bound the time after which a subscriber that could not be
	// opened is tried again; it doubles. 0 means the defaults.
	RetryMin, RetryMax time.Duration
	// DrainTimeout is how long a reload and a close wait for records on their way
	// and for handlers to deliver what they hold; 0 means DefaultDrainTimeout.
	DrainTimeout time.Duration
}

// Pipeline is a running graph that can be exchanged. Its methods are safe for
// concurrent use.
type Pipeline struct {
	o     Options
	graph atomic.Pointer[graph]

	mu      sync.Mutex // serializes Start, Reload and Close; guards what follows
	sources []*source
	closed  bool

	listMu sync.Mutex // guards what follows, for Status while a reload waits
	list   []*source
	past   map[string]uint64 // counters of the subscribers that are gone
}

// ErrClosed is returned by [Pipeline.Reload] and [Pipeline.Dispatch] after Close.
var ErrClosed = errors.New("the pipeline is closed")

var errNotYet = errors.New("it has not been tried yet")

var errNoExpressions = errors.New("expressions are not available here")

// Check reports the mistakes in tree without opening sockets, and what it would
// make. Files are opened and closed again.
func Check(o Options, tree *config.Tree) (Description, config.Diagnostics) {
	o = o.withDefaults()
	p, ds := newBuilder(&o, nil).build(tree)
	if p == nil {
		return Description{}, ds
	}
	d := describe(p)
	if err := p.graph.close(nil, o.DrainTimeout); err != nil {
		ds = append(ds, config.Diagnostic{Severity: config.Warning, Message: err.Error()})
	}
	return d, ds
}

func (o Options) withDefaults() Options {
	if o.Self == nil {
		o.Self = core.NewLogger("pipeline")
		o.Self.Disable()
	}
	if o.CompileFilter == nil {
		o.CompileFilter = func(string) (func(*core.Record) bool, error) {
			return nil, errNoExpressions
		}
	}
	if o.CompileText == nil {
		o.CompileText = func(string) (func(*core.Record) string, error) { return nil, errNoExpressions }
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = DefaultDrainTimeout
	}
	if o.RetryMin <= 0 {
		o.RetryMin = DefaultRetryMin
	}
	if o.RetryMax <= 0 {
		o.RetryMax = DefaultRetryMax
	}
	return o
}

// New builds the graph of tree and opens its subscribers. A subscriber that cannot
// be opened, as when its port is in use, does not keep the others from starting: it
// is logged, shown in the status, and tried again. Diagnostics without errors are
// warnings; with errors there is no pipeline.
func New(o Options, tree *config.Tree) (*Pipeline, config.Diagnostics) {
	o = o.withDefaults()
	plan, ds := newBuilder(&o, nil).build(tree)
	if plan == nil {
		return nil, ds
	}
	p := &Pipeline{o: o}
	p.graph.Store(plan.graph)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exchangeSources(plan.sources)
	return p, ds
}

// Reload exchanges the graph for that of tree. With errors in tree nothing
// changes. Records that are on their way are handled by the old graph, all
// later ones by the new one; none is lost.
func (p *Pipeline) Reload(tree *config.Tree) (config.Diagnostics, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	old := p.graph.Load()
	plan, ds := newBuilder(&p.o, old).build(tree)
	if plan == nil {
		return ds, ds.Err()
	}
	p.graph.Store(plan.graph)
	p.exchangeSources(plan.sources)
	keep := map[*node]bool{}
	for _, n := range plan.graph.handlers {
		keep[n] = true
	}
	return ds, old.close(keep, p.o.DrainTimeout)
}

// Close stops the subscribers, dispatches what they have accepted, and flushes
// and closes the handlers.
func (p *Pipeline) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	p.exchangeSources(nil)
	return p.graph.Load().close(nil, p.o.DrainTimeout)
}

// Dispatch sends a record down the stack that is in force. It is the way of all
// records of the subscribers, and serves records that come from elsewhere.
func (p *Pipeline) Dispatch(r *core.Record) error {
	for {
		// A graph that was closed between the two steps has a successor, except
		// at the end.
		g := p.graph.Load()
		if ok, err := g.dispatch(r); ok {
			return err
		}
		if p.graph.Load() == g {
			return ErrClosed
		}
	}
}

// Handle is Dispatch as a handler, so that subscribers dispatch to the
// pipeline: it is all that is on their stack.
func (p *Pipeline) Handle(_ context.Context, r *core.Record) error { return p.Dispatch(r) }

// exchangeSources stops the subscribers that are not planned any more and starts
// those that are new. p.mu is held.
func (p *Pipeline) exchangeSources(planned []*sourcePlan) {
	running := map[string]*source{}
	for _, s := range p.sources {
		running[s.key] = s
	}
	next := make([]*source, len(planned))
	var fresh []*source
	for i, plan := range planned {
		if s := running[plan.key]; s != nil {
			next[i] = s
			delete(running, plan.key)
			continue
		}
		next[i] = newSource(plan, &p.o)
		fresh = append(fresh, next[i])
	}
	// First those that go, since a new one may want their address.
	var gone sync.WaitGroup
	for _, s := range running {
		gone.Go(func() { p.count(s.stop()) })
	}
	gone.Wait()
	ctx, _ := core.Bind(context.Background(), core.Binding{Handler: p})
	for _, s := range fresh {
		s.start(ctx)
	}
	p.sources = next
	p.listMu.Lock()
	p.list = next
	p.listMu.Unlock()
}

// count takes in the counters of a subscriber that is gone.
func (p *Pipeline) count(counters map[string]uint64) {
	p.listMu.Lock()
	defer p.listMu.Unlock()
	if p.past == nil {
		p.past = map[string]uint64{}
	}
	for name, n := range counters {
		p.past[name] += n
	}
}

// Source returns the subscriber with this name that is open. The error says that there is
// none, or why it is not open.
func (p *Pipeline) Source(name string) (Subscriber, error) {
	p.listMu.Lock()
	sources := p.list
	p.listMu.Unlock()
	var names []string
	for _, s := range sources {
		if s.name != name {
			names = append(names, s.name)
			continue
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open == nil {
			return nil, fmt.Errorf("source %q is not open: %w", name, cmp.Or(s.failure, errNotYet))
		}
		return s.open, nil
	}
	return nil, fmt.Errorf("there is no source %q (there are: %s)", name, strings.Join(names, ", "))
}

// Status returns the condition and the counters of all parts.
func (p *Pipeline) Status() Status {
	p.listMu.Lock()
	sources, totals := p.list, maps.Clone(p.past)
	p.listMu.Unlock()
	if totals == nil {
		totals = map[string]uint64{}
	}
	g := p.graph.Load()
	st := Status{Processors: g.processors, Subscribers: []SubscriberStatus{}, Handlers: []HandlerStatus{}, Totals: totals}
	for _, s := range sources {
		one := s.status()
		st.Subscribers = append(st.Subscribers, one)
		for name, n := range one.Counters {
			totals[name] += n
		}
	}
	for _, n := range g.handlers {
		st.Handlers = n.appendStatus(st.Handlers)
	}
	return st
}

// Status is the condition of a pipeline.
type Status struct {
	Subscribers []SubscriberStatus `json:"subscribers"`
	Processors  []string           `json:"processors,omitempty"`
	Handlers    []HandlerStatus    `json:"handlers"` // top first, inner ones behind the outer
	// Totals are the counters of all subscribers since the start, those that are
	// gone included.
	Totals map[string]uint64 `json:"totals"`
}

// SubscriberStatus is the condition of one subscriber.
type SubscriberStatus struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Report
}

// HandlerStatus is the condition of one handler. Records that are below its level
// do not count as seen.
type HandlerStatus struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Depth    int    `json:"depth,omitempty"` // 1 for a handler inside of another
	Level    string `json:"level"`
	Bubble   bool   `json:"bubble"`
	Seen     uint64 `json:"seen"`     // offered, filtered ones included
	Filtered uint64 `json:"filtered"` // refused by the filter
	Taken    uint64 `json:"taken"`    // handled without an error
	Failed   uint64 `json:"failed"`   // handled with an error
	Report
}

func (n *node) appendStatus(list []HandlerStatus) []HandlerStatus {
	s := HandlerStatus{
		Name: n.name, Type: n.kind, Depth: n.depth, Level: n.level.String(), Bubble: n.bubble,
		Filtered: n.filtered.Load(), Taken: n.taken.Load(), Failed: n.failed.Load(),
	}
	s.Seen = n.seen.Load() + s.Filtered
	s.State = "ok"
	if r, ok := n.handler.(Reporter); ok {
		s.Report = r.Report()
	}
	if failure := n.failure.Load(); failure != nil {
		s.State, s.Error = "failing", *failure
	}
	list = append(list, s)
	for _, c := range n.children {
		list = c.appendStatus(list)
	}
	return list
}

// Problem returns a sentence about the first part that does not work; "" if all is
// well.
func (s Status) Problem() string {
	for _, e := range s.Subscribers {
		if e.State == StateFailed {
			return fmt.Sprintf("%s: %s", e.Name, e.Error)
		}
	}
	for _, e := range s.Handlers {
		if e.State == "failing" {
			return fmt.Sprintf("%s: %s", e.Name, e.Error)
		}
	}
	return ""
}
