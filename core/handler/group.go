package handler

import (
	"context"
	"errors"
	"sync"

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
type Group struct {
	o GroupOptions

	mu      sync.Mutex
	records []*core.Record
}

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
	return &Group{o: o}
}

// Handle adds r to the group.
func (g *Group) Handle(ctx context.Context, r *core.Record) error {
	kept := r.Keep()
	g.mu.Lock()
	g.records = append(g.records, kept)
	full := len(g.records) >= g.o.MaxRecords
	g.mu.Unlock()
	if full {
		return g.deliver(ctx)
	}
	return nil
}

// Flush delivers the group and flushes the handler behind it. Logbook: when the
// handler is popped.
func (g *Group) Flush(ctx context.Context) error {
	return errors.Join(g.deliver(ctx), core.Flush(ctx, g.o.Handler))
}

func (g *Group) deliver(ctx context.Context) error {
	g.mu.Lock()
	batch := g.records
	g.records = nil
	g.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := core.HandleBatch(ctx, g.o.Handler, batch, core.BatchGroup)
	if err == nil || errors.Is(err, core.ErrPass) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// Still bounded when the handler never recovers: the newest go.
	g.records = append(batch, g.records...)
	if len(g.records) > g.o.MaxRecords {
		clear(g.records[g.o.MaxRecords:])
		g.records = g.records[:g.o.MaxRecords]
	}
	return err
}

// Buffered returns the records of the group so far, oldest first.
func (g *Group) Buffered() []*core.Record {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*core.Record(nil), g.records...)
}

// Close delivers what is left and closes the handler behind the group.
func (g *Group) Close() error {
	return errors.Join(g.deliver(context.Background()), core.Close(g.o.Handler))
}
