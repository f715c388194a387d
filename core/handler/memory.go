package handler

import (
	"context"
	"errors"

	"github.com/logbook-tray/logbook-tray/core"
)

// DefaultCapacity is the default of [MemoryOptions].Capacity.
const DefaultCapacity = 1000

// MemoryOptions says what [NewMemory] makes.
type MemoryOptions struct {
	// Target gets the records. Without one they are discarded at each flush, as
	// Python's BufferingHandler does.
	Target core.Handler
	// Capacity is the number of records that makes the buffer flush; the
	// default is [DefaultCapacity].
	Capacity int
	// FlushLevel is the level of a record that makes the buffer flush; the default is
	// [core.LevelError].
	FlushLevel core.Level
	// DiscardOnClose makes Close throw away what is buffered. Python:
	// flushOnClose=False.
	DiscardOnClose bool
}

// Memory buffers records and hands them to its target as a batch with the
// reason [core.BatchBuffer] when there are enough of them, when a severe one came, when
// its binding ends, and when it is closed. It is Python's MemoryHandler: for
// targets that are slow to start, or to mail many records at a time.
//
// Records that the target did not take stay, up to twice the capacity.
type Memory struct {
	holder
	o MemoryOptions
}

var (
	_ core.Handler = (*Memory)(nil)
	_ core.Flusher = (*Memory)(nil)
)

// NewMemory returns an empty buffer.
func NewMemory(o MemoryOptions) *Memory {
	if o.Capacity <= 0 {
		o.Capacity = DefaultCapacity
	}
	if o.FlushLevel == core.LevelNotSet {
		o.FlushLevel = core.LevelError
	}
	return &Memory{holder{next: o.Target, why: core.BatchBuffer, max: 2 * o.Capacity}, o}
}

// Capacity returns the number of records that makes the buffer flush.
func (m *Memory) Capacity() int { return m.o.Capacity }

// Handle buffers r, and flushes if it is time.
func (m *Memory) Handle(ctx context.Context, r *core.Record) error {
	if m.add(r) < m.o.Capacity && r.Level < m.o.FlushLevel {
		return nil
	}
	return m.deliver(ctx)
}

// Flush hands on what is buffered and flushes the target.
func (m *Memory) Flush(ctx context.Context) error { return m.flush(ctx) }

// Close hands on what is buffered and closes the target.
func (m *Memory) Close() error {
	if m.o.DiscardOnClose {
		m.take()
	}
	return errors.Join(m.deliver(context.Background()), m.closeNext())
}
