package model

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// The limits of a [Store] that are used where [StoreOptions] has zero.
const (
	DefaultRecords = 50_000
	DefaultBytes   = 256 << 20
)

// StoreOptions bound a [Store]. The zero value gives the defaults.
type StoreOptions struct {
	// Records is how many records are held at most.
	Records int
	// Bytes is how much memory they may take, estimated.
	Bytes int64
}

// Store holds the newest records that it has handled and forgets the oldest
// when there are too many. It is safe for concurrent use.
//
// Every record has a position: 0 for the first one that was handled, counting up,
// never used twice.
type Store struct {
	maxRecords int
	maxBytes   int64

	mu       sync.Mutex // guards what follows
	chunks   []*chunk   // oldest first; never empty once there was a record
	first    uint64     // position of the oldest record held
	next     uint64     // position that the next record gets
	bytes    int64
	evicted  uint64
	levels   LevelCounts
	origins  map[Origin]*originState
	watchers []chan struct{}
}

// A chunk holds consecutive records. Its slots are written once, so that a
// snapshot can share it with the writer.
type chunk struct {
	first   uint64
	bytes   int64 // of all records that were put into it
	records [chunkRecords]*core.Record
}

// A chunk is freed as a whole, so its size bounds how much is held too long.
const (
	chunkRecords = 512
	chunkBytes   = 1 << 20
)

type originState struct {
	count int
	last  time.Time
}

var _ core.Handler = (*Store)(nil)

// NewStore returns an empty store.
func NewStore(o StoreOptions) *Store {
	if o.Records <= 0 {
		o.Records = DefaultRecords
	}
	if o.Bytes <= 0 {
		o.Bytes = DefaultBytes
	}
	return &Store{maxRecords: o.Records, maxBytes: o.Bytes, origins: map[Origin]*originState{}}
}

// Handle adds r. It never blocks for long and never fails.
func (s *Store) Handle(_ context.Context, r *core.Record) error {
	r = r.Keep()
	size := recordSize(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.append(r, size)
	for s.next-s.first > uint64(s.maxRecords) || s.bytes > s.maxBytes && s.next-s.first > 1 {
		s.evict()
		s.evicted++
	}
	for _, w := range s.watchers {
		wake(w)
	}
	return nil
}

func (s *Store) append(r *core.Record, size int64) {
	var c *chunk
	if n := len(s.chunks); n > 0 {
		c = s.chunks[n-1]
	}
	if c == nil || s.next-c.first == chunkRecords || c.bytes+size > chunkBytes && s.next > c.first {
		c = &chunk{first: s.next}
		s.chunks = append(s.chunks, c)
	}
	c.records[s.next-c.first] = r
	c.bytes += size
	s.next++
	s.bytes += size
	s.levels[levelSlot(r.Level)]++
	origin := OriginOf(r)
	state := s.origins[origin]
	if state == nil {
		state = &originState{}
		s.origins[origin] = state
	}
	state.count++
	state.last = arrival(r)
}

// evict forgets the oldest record.
func (s *Store) evict() {
	c := s.chunks[0]
	r := c.records[s.first-c.first]
	s.first++
	s.bytes -= recordSize(r)
	s.levels[levelSlot(r.Level)]--
	origin := OriginOf(r)
	if state := s.origins[origin]; state.count > 1 {
		state.count--
	} else {
		delete(s.origins, origin)
	}
	if s.first == s.next || len(s.chunks) > 1 && s.first == s.chunks[1].first {
		s.chunks = slices.Delete(s.chunks, 0, 1)
	}
}

// Clear forgets all records. Their positions are not used again.
func (s *Store) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chunks, s.first, s.bytes = nil, s.next, 0
	s.levels = LevelCounts{}
	clear(s.origins)
	for _, w := range s.watchers {
		wake(w)
	}
}

// Stats are the counters of a [Store].
type Stats struct {
	Total   uint64 // records handled since the start
	Held    int    // records held now
	Evicted uint64 // records forgotten because there were too many
	Bytes   int64  // estimated memory of the records held
	Levels  LevelCounts
}

// Stats returns the counters as they are now.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Total: s.next, Held: int(s.next - s.first), Evicted: s.evicted,
		Bytes: s.bytes, Levels: s.levels,
	}
}

// Origins lists who sent the records that are held, the one heard of last
// first.
func (s *Store) Origins() []OriginCount {
	s.mu.Lock()
	out := make([]OriginCount, 0, len(s.origins))
	for o, state := range s.origins {
		out = append(out, OriginCount{Origin: o, Count: state.count, Last: state.last})
	}
	s.mu.Unlock()
	slices.SortFunc(out, func(a, b OriginCount) int {
		if c := b.Last.Compare(a.Last); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Origin.Source, b.Origin.Source), cmp.Compare(a.Origin.Process.ID, b.Origin.Process.ID))
	})
	return out
}

// Watch returns a channel that has a value when something changed since it was
// last read. It holds one value at most, so that any number of changes is one
// signal. stop ends the watch; it may be called twice.
func (s *Store) Watch() (changed <-chan struct{}, stop func()) {
	w := make(chan struct{}, 1)
	s.mu.Lock()
	s.watchers = append(s.watchers, w)
	s.mu.Unlock()
	return w, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watchers = slices.DeleteFunc(s.watchers, func(c chan struct{}) bool { return c == w })
	}
}

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// arrival is the time that orders records of different machines: when the
// record got here.
func arrival(r *core.Record) time.Time {
	if r.Received.IsZero() {
		return r.Time
	}
	return r.Received
}
