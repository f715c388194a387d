package handler

import (
	"context"
	"errors"

	"github.com/logbook-tray/logbook-tray/core"
)

// DefaultGroupSize is the default of [GroupOptions].MaxRecords.
const DefaultGroupSize = 10000

// GroupOptions says what [NewGroup] makes.
type GroupOptions struct {
	// Handler gets the group. It must be set.
	Handler core.Handler
	// MaxRecords bounds a group: a larger one is delivered in parts. The
	// default is [DefaultGroupSize].
	MaxRecords int
}

// Group holds all records until its binding ends, and then delivers them as one
// batch with the reason [core.BatchGroup]: one mail for all that a job has
// logged. It is Logbook's GroupHandler.
//
//	err := core.Do(ctx, core.Binding{Handler: handler.NewGroup(o)}, job)
//
// A group that could not be delivered stays, and the next flush tries again. A
// Group that is bound twice at the same time is one group.
type Group struct{ holder }

var (
	_ core.Handler = (*Group)(nil)
	_ core.Flusher = (*Group)(nil)
)

// NewGroup returns an empty group. It panics without a handler.
func NewGroup(o GroupOptions) *Group {
	if o.Handler == nil {
		panic("handler: group without a handler to deliver to")
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = DefaultGroupSize
	}
	return &Group{holder{next: o.Handler, why: core.BatchGroup, max: o.MaxRecords}}
}

// Handle adds r to the group.
func (g *Group) Handle(ctx context.Context, r *core.Record) error {
	if g.add(r) < g.max {
		return nil
	}
	return g.deliver(ctx)
}

// Flush delivers the group and flushes the handler behind it. Logbook: when the
// handler is popped.
func (g *Group) Flush(ctx context.Context) error { return g.flush(ctx) }

// Close delivers what is left and closes the handler behind the group.
func (g *Group) Close() error { return errors.Join(g.deliver(context.Background()), g.closeNext()) }
