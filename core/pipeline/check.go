package pipeline

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// expression collects the mistake in an expression, at its place in it if the error
// knows that.
func (b *builder) expression(n *config.Node, key string, err error) {
	var at interface{ Span() (from, length int) }
	if errors.As(err, &at) {
		from, length := at.Span()
		b.add(n.ErrorAt(from, length, "%s: %v", key, err))
		return
	}
	b.add(n.Errorf("%s: %v", key, err))
}

// guarded survives the panics of a processor, of which the first is logged: a record
// must not get lost because it could not be adorned.
func (b *builder) guarded(p core.Processor, name string) core.Processor {
	self, told := b.o.Self, new(atomic.Bool)
	return func(r *core.Record) {
		err := safely(func() error {
			p(r)
			return nil
		})
		if err != nil && !told.Swap(true) {
			self.Error("processor {name} failed: {error}", core.Kw("name", name), core.Kw("error", err.Error()))
		}
	}
}

// unreachable warns about handlers below one that takes everything and does not
// bubble.
func (b *builder) unreachable(nodes []*config.Node) {
	end := ""
	for _, n := range nodes {
		if n == nil || n.Get("disabled").Text() == "true" {
			continue
		}
		name := or(n.Get("name").Text(), n.Get("type").Text())
		if end != "" {
			d := n.Warnf("handler %q gets no records: %q above takes them all and does not bubble", name, end)
			d.Hint = fmt.Sprintf("set \"bubble: true\" for %q, or move it down", end)
			b.add(d)
			return
		}
		level := or(n.Get("level").Text(), "notset")
		if n.Get("bubble").Text() != "true" && !b.passes(n.Get("type").Text()) && n.Get("filter").IsNull() && strings.EqualFold(level, "notset") {
			end = name
		}
	}
}

// passes reports whether handlers of a type take no record.
func (b *builder) passes(kind string) bool {
	return slices.ContainsFunc(b.o.Kinds.Handlers, func(k HandlerKind) bool { return k.Name == kind && k.Passes })
}

// inside collects the mistakes in the handlers inside of one that cannot be made
// because of its own mistakes.
func (b *builder) inside(options any) {
	v := reflect.ValueOf(options)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	for _, f := range v.Elem().Fields() {
		if !f.CanInterface() {
			continue
		}
		n, ok := reflect.TypeAssert[*config.Node](f)
		if !ok || n == nil || n.Kind != config.Map || n.Get("type") == nil {
			continue
		}
		var c common
		_, options, ok := lookup(b, n, "handler", &c, &c.Type, b.o.Kinds.Handlers)
		if !ok {
			continue // lookup has been inside already
		}
		b.inside(options)
	}
}
