package queue

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// maxReasons bounds how many reasons of rejection are counted apart.
const maxReasons = 32

// otherReasons counts what does not fit into maxReasons.
const otherReasons = "other"

// Stats are the counters of a [Subscriber]. Received equals Rejected plus
// Dispatched plus what was taken by [Subscriber.Recv] or is still held.
type Stats struct {
	Received   uint64            // messages
	Bytes      uint64            // size of their bodies
	Rejected   uint64            // messages that are no record
	Reasons    map[string]uint64 // Rejected by reason; nil if there are none
	Dispatched uint64            // records given to the handlers
	Failed     uint64            // of these, records whose handling failed under core.ErrorsRaise
	Dropped    uint64            // messages that the transport lost; see [Dropper]
	LastRecord time.Time         // when the last record came in; zero if none did
}

// counters is Stats while it is counted.
type counters struct {
	received, bytes, rejected, dispatched, failed atomic.Uint64
	last                                          atomic.Int64 // Unix nanoseconds

	mu      sync.Mutex
	reasons map[string]uint64
}

func (c *counters) reject(reason string) {
	c.rejected.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reasons == nil {
		c.reasons = make(map[string]uint64)
	}
	if _, known := c.reasons[reason]; !known && len(c.reasons) >= maxReasons {
		reason = otherReasons
	}
	c.reasons[reason]++
}

func (c *counters) stats() Stats {
	s := Stats{
		// Read in this order, no record is missing from what was received.
		Dispatched: c.dispatched.Load(),
		Failed:     c.failed.Load(),
		Rejected:   c.rejected.Load(),
		Received:   c.received.Load(),
		Bytes:      c.bytes.Load(),
	}
	if ns := c.last.Load(); ns != 0 {
		s.LastRecord = time.Unix(0, ns).UTC()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Reasons = maps.Clone(c.reasons)
	return s
}
