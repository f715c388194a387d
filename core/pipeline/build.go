package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// file is the top of a configuration file.
type file struct {
	Listen     []*config.Node `yaml:"listen"`
	Subscribe  []*config.Node `yaml:"subscribe"`
	Processors []*config.Node `yaml:"processors"`
	Handlers   []*config.Node `yaml:"handlers"`
}

// common are the options that every handler has.
type common struct {
	Name     string     `yaml:"name"`
	Type     string     `yaml:"type,required"`
	Level    core.Level `yaml:"level"`
	Filter   string     `yaml:"filter"`
	Bubble   bool       `yaml:"bubble"`
	Disabled bool       `yaml:"disabled"`
}

// named are the options that every subscriber has.
type named struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type,required"`
	Disabled bool   `yaml:"disabled"`
}

// typed are the options that every processor has.
type typed struct {
	Type     string `yaml:"type,required"`
	When     string `yaml:"when"`
	Disabled bool   `yaml:"disabled"`
}

// plan is what a file asks for.
type plan struct {
	graph   *graph
	sources []*sourcePlan
}

// sourcePlan is a subscriber that a file asks for.
type sourcePlan struct {
	key    string
	name   string
	kind   string
	opener Opener
}

// builder makes a plan of a file. It collects all mistakes instead of stopping
// at the first.
type builder struct {
	o     *Options
	reuse map[string]*node // handlers of the running graph by their key
	used  map[*node]bool
	fresh []*node // made by this builder; closed if the file is refused
	names map[string]*config.Node
	keys  map[string]int
	ds    config.Diagnostics
}

func newBuilder(o *Options, running *graph) *builder {
	b := &builder{o: o, reuse: map[string]*node{}, used: map[*node]bool{}, names: map[string]*config.Node{}, keys: map[string]int{}}
	if running != nil {
		for _, n := range running.handlers {
			b.reuse[n.key] = n
		}
	}
	return b
}

// errInside stands for mistakes that were collected already.
var errInside = errors.New("mistakes in the handler inside")

func (b *builder) add(ds ...config.Diagnostic) { b.ds = append(b.ds, ds...) }

// fail collects an error about the options in n.
func (b *builder) fail(n *config.Node, err error) {
	if !errors.Is(err, errInside) {
		b.add(config.Diagnose(n, err)...)
	}
}

// build makes a plan of tree. If there are errors among the mistakes the plan is
// nil and nothing that was opened for it is left.
func (b *builder) build(tree *config.Tree) (*plan, config.Diagnostics) {
	var f file
	targets := []any{&f}
	if b.o.Sections != nil {
		targets = append(targets, b.o.Sections())
	}
	b.add(config.Decode(tree.Root, "the configuration", targets...)...)

	p := &plan{graph: &graph{idle: make(chan struct{})}}
	processors := b.processors(f.Processors, p.graph)
	bindings := b.handlers(f.Handlers, p.graph)
	p.sources = append(b.sources(f.Listen, true), b.sources(f.Subscribe, false)...)
	if !b.ds.HasErrors() {
		b.unreachable(f.Handlers)
	}
	if b.ds.HasErrors() {
		for _, n := range b.fresh {
			_ = n.close(core.Close) // never used; what is wrong with the file matters more
		}
		return nil, b.ds.Sorted()
	}
	p.graph.bind(b.o, processors, bindings)
	return p, b.ds.Sorted()
}

// bind makes the stack: the last setup is on top, the file has the top first. Errors
// of handlers are counted and logged by their nodes.
func (g *graph) bind(o *Options, processors core.Setups, bindings []core.Binding) {
	// The blackhole at the bottom keeps these records off the application stack,
	// which is the program's own.
	stack := core.Setups{core.Flags{Errors: core.ErrorsSilent}, core.Binding{Name: "end"}}
	for _, b := range slices.Backward(bindings) {
		stack = append(stack, b)
	}
	var top []*step
	for i, t := range o.Top {
		stack = append(stack, o.Top[len(o.Top)-1-i])
		top = append(top, &step{name: t.Name, kind: "built in", level: t.Level, match: t.Filter, bubble: t.Bubble, handler: t.Handler})
	}
	g.steps = append(top, g.steps...)
	for _, p := range slices.Backward(processors) {
		stack = append(stack, p)
	}
	g.change = func(r *core.Record) {
		for _, p := range processors {
			if p, ok := p.(core.Processor); ok {
				p(r)
			}
		}
	}
	g.inflight.Store(1)
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	g.ctx, _ = core.Bind(ctx, stack)
}

func (b *builder) processors(nodes []*config.Node, g *graph) core.Setups {
	var out core.Setups
	for _, n := range nodes {
		var t typed
		kind, options, ok := lookup(b, n, "processor", &t, &t.Type, b.o.Kinds.Processors)
		if !ok || t.Disabled {
			continue
		}
		p, err := kind.New(&Env{Name: kind.Name, Self: b.o.Self, build: b}, options)
		if err != nil {
			b.fail(n, err)
			continue
		}
		if t.When != "" {
			when, err := b.o.CompileFilter(t.When)
			if err != nil {
				b.expression(n.Get("when"), "when", err)
				continue
			}
			always := p
			p = func(r *core.Record) {
				if when(r) {
					always(r)
				}
			}
		}
		p = b.guarded(p, kind.Name)
		g.processors = append(g.processors, kind.Name)
		out = append(out, p)
	}
	return out
}

func (b *builder) handlers(nodes []*config.Node, g *graph) []core.Binding {
	var out []core.Binding
	for _, n := range nodes {
		h, c, ok := b.handler(n, nil)
		if ok && c.Disabled {
			g.steps = append(g.steps, &step{name: or(c.Name, c.Type), kind: c.Type, disabled: true})
		}
		if !ok || c.Disabled {
			continue
		}
		filter, err := b.filter(c.Filter)
		if err != nil {
			b.expression(n.Get("filter"), "filter", err)
			continue
		}
		g.steps = append(g.steps, &step{
			name: h.name, kind: h.kind, level: h.level, source: h.filter, match: filter, bubble: h.bubble, handler: h.handler,
		})
		g.handlers = append(g.handlers, h)
		out = append(out, h.binding(filter))
	}
	return out
}

func (b *builder) filter(source string) (func(*core.Record) bool, error) {
	if source == "" {
		return nil, nil //nolint:nilnil // no filter is a filter
	}
	return b.o.CompileFilter(source)
}

// handler makes the handler of one node, or takes the one that runs already.
func (b *builder) handler(n *config.Node, outer *Env) (*node, common, bool) {
	var c common
	kind, options, ok := lookup(b, n, "handler", &c, &c.Type, b.o.Kinds.Handlers)
	if !ok || c.Disabled {
		return nil, c, ok
	}
	h := &node{kind: kind.Name, level: c.Level, filter: c.Filter, bubble: c.Bubble || kind.Passes, passes: kind.Passes, self: b.o.Self}
	if outer != nil {
		h.depth = outer.inner + 1
		h.name = outer.Name + "/" + kind.Name
	}
	if h.name = or(c.Name, or(h.name, kind.Name)); c.Name != "" && !b.claim(c.Name, n.Get("name")) {
		return nil, c, false
	}
	if outer == nil {
		h.key = b.key(n)
		if running := b.reuse[h.key]; running != nil && !b.used[running] {
			b.used[running] = true
			return running, c, true
		}
	}
	env := &Env{Name: h.name, Self: b.o.Self, build: b, inner: h.depth}
	if kind.Passes && outer == nil {
		env.level = c.Level
		env.filter, _ = b.filter(c.Filter) // a mistake in it is told where the handler is bound
	}
	b.fresh = append(b.fresh, h)
	made := len(b.fresh)
	handler, err := kind.New(env, options)
	if err != nil {
		b.fail(n, err)
		return nil, c, false
	}
	h.handler = handler
	for _, child := range b.fresh[made:] {
		if child.depth == h.depth+1 {
			h.children = append(h.children, child)
		}
	}
	return h, c, true
}

// inner is [Env.Handler].
func (b *builder) inner(outer *Env, n *config.Node) (core.Handler, error) {
	if n.IsNull() {
		return nil, config.At("handler", "is missing: say what to hand the records to")
	}
	h, c, ok := b.handler(n, outer)
	if !ok {
		return nil, errInside
	}
	for _, key := range []string{"level", "filter", "bubble", "disabled"} {
		if v := n.Get(key); v != nil {
			b.add(v.Warnf("%q has no effect on a handler inside of another; set it on the outer one", key))
		}
	}
	if c.Disabled {
		return nil, errInside
	}
	return h, nil
}

// key returns what a node is recognized by in the next file.
func (b *builder) key(n *config.Node) string {
	key := n.Canonical()
	b.keys[key]++
	return key + "#" + strconv.Itoa(b.keys[key])
}

// claim takes a name and reports whether it was free.
func (b *builder) claim(name string, n *config.Node) bool {
	if first, taken := b.names[name]; taken {
		b.add(n.Errorf("the name %q is taken already, in line %d", name, first.Line))
		return false
	}
	b.names[name] = n
	return true
}

func (b *builder) sources(nodes []*config.Node, listen bool) []*sourcePlan {
	var kinds []SourceKind
	for _, k := range b.o.Kinds.Sources {
		if listen && k.Listen || !listen && k.Subscribe {
			kinds = append(kinds, k)
		}
	}
	var out []*sourcePlan
	for _, n := range nodes {
		var t named
		kind, options, ok := lookup(b, n, "subscriber", &t, &t.Type, kinds)
		if !ok || t.Disabled || t.Name != "" && !b.claim(t.Name, n.Get("name")) {
			continue
		}
		opener, err := kind.New(&Env{Name: t.Name, Self: b.o.Self, build: b}, options)
		if err != nil {
			b.fail(n, err)
			continue
		}
		out = append(out, &sourcePlan{key: b.key(n), name: or(t.Name, kind.Name), kind: kind.Name, opener: opener})
	}
	return out
}

// kindOf is what the three sorts of kinds have in common.
type kindOf interface {
	HandlerKind | SourceKind | ProcessorKind
}

func nameOf[K kindOf](k *K) (name string, options func() any) {
	switch k := any(k).(type) {
	case *HandlerKind:
		return k.Name, k.Options
	case *SourceKind:
		return k.Name, k.Options
	case *ProcessorKind:
		return k.Name, k.Options
	}
	return "", nil
}

// lookup finds the kind that n names and decodes the options of n, those of the
// kind and those that all have (into shared). It reports whether all was well.
func lookup[K kindOf](b *builder, n *config.Node, what string, shared any, typeName *string, kinds []K) (kind *K, options any, ok bool) {
	if n == nil || n.Kind != config.Map {
		b.add(n.Errorf("a %s must be a map with a type, not %s", what, n.Kind))
		return nil, nil, false
	}
	var names []string
	*typeName = n.Get("type").Text()
	for i := range kinds {
		name, _ := nameOf(&kinds[i])
		names = append(names, name)
		if name == *typeName {
			kind = &kinds[i]
		}
	}
	if kind == nil {
		b.unknownType(n, what, *typeName, names)
		return nil, nil, false
	}
	targets := []any{shared}
	if _, defaults := nameOf(kind); defaults != nil {
		options = defaults()
		targets = append(targets, options)
	}
	label := fmt.Sprintf("%s %q", what, or(n.Get("name").Text(), *typeName))
	ds := config.Decode(n, label, targets...)
	b.add(ds...)
	if ds.HasErrors() && options != nil {
		b.inside(options)
	}
	return kind, options, !ds.HasErrors()
}

func (b *builder) unknownType(n *config.Node, what, name string, names []string) {
	at := n.Get("type")
	if at.IsNull() {
		d := n.Errorf("a %s needs a type", what)
		d.Hint = "one of " + strings.Join(names, ", ")
		b.add(d)
		return
	}
	d := at.Errorf("unknown type %q of a %s", name, what)
	if nearest, ok := config.Nearest(name, names); ok {
		d.Hint = fmt.Sprintf("did you mean %q?", nearest)
	} else {
		d.Hint = "one of " + strings.Join(names, ", ")
	}
	b.add(d)
}

func or[S ~string](a, b S) S {
	if a != "" {
		return a
	}
	return b
}
