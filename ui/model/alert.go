package model

import (
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Alert is what a context window shows: a record that was worth a notification,
// and what led up to it.
type Alert struct {
	ID      uint64
	Title   string         // as the notification had it
	Trigger *core.Record   // the record it is about; not nil
	Context []*core.Record // what was buffered before, oldest first, with or without the trigger at the end
	Count   int            // how often it happened, at least 1
	First   time.Time      // when it happened first
	Last    time.Time      // and last
	Muted   bool           // it was held back
}

// Records returns the context with the trigger, once, at its end.
func (a Alert) Records() []*core.Record {
	out := make([]*core.Record, 0, len(a.Context)+1)
	for _, r := range a.Context {
		if !SameRecord(r, a.Trigger) {
			out = append(out, r)
		}
	}
	return append(out, a.Trigger)
}
