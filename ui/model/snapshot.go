package model

import (
	"iter"
	"sort"

	"github.com/logbook-tray/logbook-tray/core"
)

// Snapshot is what a [Store] held at one moment. It is immutable and keeps its
// records alive. The zero Snapshot is empty.
type Snapshot struct {
	chunks      []*chunk
	first, next uint64
}

// Snapshot returns what is held now. It costs a few bytes per thousand
// records.
func (s *Store) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A copy: the list is edited in place when a chunk is freed.
	return Snapshot{chunks: append([]*chunk(nil), s.chunks...), first: s.first, next: s.next}
}

// First returns the position of the oldest record.
func (s Snapshot) First() uint64 { return s.first }

// Next returns the position behind the newest record.
func (s Snapshot) Next() uint64 { return s.next }

// Record returns the record at a position, nil if there is none.
func (s Snapshot) Record(position uint64) *core.Record {
	if position < s.first || position >= s.next {
		return nil
	}
	c := s.chunks[s.chunkOf(position)]
	return c.records[position-c.first]
}

func (s Snapshot) chunkOf(position uint64) int {
	return sort.Search(len(s.chunks), func(i int) bool { return s.chunks[i].first > position }) - 1
}

// From iterates over the records from a position on, with their positions.
func (s Snapshot) From(position uint64) iter.Seq2[uint64, *core.Record] {
	return func(yield func(uint64, *core.Record) bool) {
		position = max(position, s.first)
		if position >= s.next {
			return
		}
		for i := s.chunkOf(position); i < len(s.chunks); i++ {
			c, end := s.chunks[i], s.next
			if i+1 < len(s.chunks) {
				end = s.chunks[i+1].first
			}
			for ; position < end; position++ {
				if !yield(position, c.records[position-c.first]) {
					return
				}
			}
		}
	}
}

// Len returns how many records there are. With it, [Snapshot.At] and
// [Snapshot.Index] a Snapshot serves as [Rows].
func (s Snapshot) Len() int { return int(s.next - s.first) }

// At returns row i and its position.
func (s Snapshot) At(i int) (uint64, *core.Record) {
	p := s.first + uint64(i)
	return p, s.Record(p)
}

// Index returns the row of the first record at or behind a position.
func (s Snapshot) Index(position uint64) int {
	return int(min(max(position, s.first), s.next) - s.first)
}

// Rows is an immutable list of records to show. Every row has a key; keys rise
// from row to row and stay with the record in later versions of the list.
type Rows interface {
	// Len returns the number of rows.
	Len() int
	// At returns the key and the record of row i, which must be in range.
	At(i int) (key uint64, r *core.Record)
	// Index returns the first row whose key is not below key; Len if none.
	Index(key uint64) int
}

var (
	_ Rows = Snapshot{}
	_ Rows = List(nil)
	_ Rows = matched{}
)

// List is a slice of records as [Rows]; the keys are the indexes.
type List []*core.Record

// Len returns the number of records.
func (l List) Len() int { return len(l) }

// At returns record i with i as its key.
func (l List) At(i int) (uint64, *core.Record) { return uint64(i), l[i] }

// Index returns key, bounded by the length.
func (l List) Index(key uint64) int { return int(min(key, uint64(len(l)))) }

// matched is the part of a snapshot that passed a filter.
type matched struct {
	Snapshot
	positions []uint64 // rising, all within the snapshot
}

func (m matched) Len() int { return len(m.positions) }

func (m matched) At(i int) (uint64, *core.Record) {
	return m.positions[i], m.Record(m.positions[i])
}

func (m matched) Index(key uint64) int {
	return sort.Search(len(m.positions), func(i int) bool { return m.positions[i] >= key })
}

// RowFor returns the row of a record or a copy of it, looked for from the end.
func RowFor(rows Rows, r *core.Record) (row int, ok bool) {
	for i := rows.Len() - 1; i >= 0; i-- {
		if _, other := rows.At(i); SameRecord(other, r) {
			return i, true
		}
	}
	return 0, false
}

// RowOf returns the row that has exactly this key.
func RowOf(rows Rows, key uint64) (row int, ok bool) {
	if rows == nil {
		return 0, false
	}
	i := rows.Index(key)
	if i >= rows.Len() {
		return 0, false
	}
	k, _ := rows.At(i)
	return i, k == key
}
