package pipeline

import (
	"fmt"
	"io"
	"strings"
)

// Description is what a configuration makes, for "logbook-tray check".
type Description struct {
	Subscribers []Part `json:"subscribers"`
	Processors  []Part `json:"processors"`
	Handlers    []Part `json:"handlers"` // top first
}

// Part is one subscriber, processor or handler of a [Description].
type Part struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Level  string `json:"level,omitempty"`
	Filter string `json:"filter,omitempty"`
	Bubble bool   `json:"bubble,omitempty"`
	Inside []Part `json:"inside,omitempty"` // the handlers that it hands on to
}

func describe(p *plan) Description {
	d := Description{Subscribers: []Part{}, Processors: []Part{}, Handlers: []Part{}}
	for _, s := range p.sources {
		d.Subscribers = append(d.Subscribers, Part{Name: s.name, Type: s.kind})
	}
	for _, name := range p.graph.processors {
		d.Processors = append(d.Processors, Part{Name: name, Type: name})
	}
	for _, n := range p.graph.handlers {
		d.Handlers = append(d.Handlers, n.describe())
	}
	return d
}

func (n *node) describe() Part {
	p := Part{Name: n.name, Type: n.kind, Level: strings.ToLower(n.level.String()), Filter: n.filter, Bubble: n.bubble}
	for _, c := range n.children {
		p.Inside = append(p.Inside, c.describe())
	}
	return p
}

// Fprint prints the graph as a person reads it: from the subscribers down the
// stack.
func (d Description) Fprint(w io.Writer) error {
	var b strings.Builder
	section := func(title string, parts []Part) {
		fmt.Fprintf(&b, "%s\n", title)
		if len(parts) == 0 {
			b.WriteString("  (none)\n")
		}
		for i, p := range parts {
			p.print(&b, 1, i == len(parts)-1)
		}
	}
	section("subscribers", d.Subscribers)
	if len(d.Processors) > 0 {
		section("processors", d.Processors)
	}
	section("stack, top first", d.Handlers)
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Part) print(b *strings.Builder, depth int, last bool) {
	fmt.Fprintf(b, "%s%s", strings.Repeat("  ", depth), p.Name)
	if p.Type != p.Name {
		fmt.Fprintf(b, " (%s)", p.Type)
	}
	if p.Level != "" && p.Level != "notset" {
		fmt.Fprintf(b, ", from %s", p.Level)
	}
	if p.Filter != "" {
		fmt.Fprintf(b, ", where %s", p.Filter)
	}
	switch {
	case p.Level == "" || depth > 1:
	case p.Bubble:
		b.WriteString(", bubbles")
	case !last:
		b.WriteString(", stops what it takes")
	}
	b.WriteString("\n")
	for _, in := range p.Inside {
		in.print(b, depth+1, true)
	}
}
