package handler

import (
	"context"
	"errors"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// holder keeps records for a handler and delivers them as one batch. What could
// not be delivered stays, at most max records of it, and is part of the next
// batch.
type holder struct {
	next core.Handler // nil discards
	why  core.BatchReason
	max  int

	mu        sync.Mutex
	records   []*core.Record
	discarded uint64
}

// add keeps r and returns how many records there are now.
func (h *holder) add(r *core.Record) int {
	kept := r.Keep()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = append(h.records, kept)
	return len(h.records)
}

func (h *holder) take() []*core.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	batch := h.records
	h.records = nil
	return batch
}

func (h *holder) deliver(ctx context.Context) error {
	batch := h.take()
	if len(batch) == 0 || h.next == nil {
		return nil
	}
	err := core.HandleBatch(ctx, h.next, batch, h.why)
	if err == nil || errors.Is(err, core.ErrPass) {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = append(batch, h.records...)
	if over := len(h.records) - h.max; over > 0 {
		clear(h.records[:over])
		h.records = h.records[over:]
		h.discarded += uint64(over)
	}
	return err
}

func (h *holder) flush(ctx context.Context) error {
	err := h.deliver(ctx)
	if h.next != nil {
		err = errors.Join(err, core.Flush(ctx, h.next))
	}
	return err
}

func (h *holder) closeNext() error {
	if h.next == nil {
		return nil
	}
	return core.Close(h.next)
}

// Buffered returns the records that are held, oldest first.
func (h *holder) Buffered() []*core.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*core.Record(nil), h.records...)
}

// Discarded returns how many records were given up, oldest first, because the handler
// behind kept failing.
func (h *holder) Discarded() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.discarded
}
