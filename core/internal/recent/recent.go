// Package recent remembers what became of the latest records, so that a record
// that several handlers see is counted once.
package recent

// Size is how many records are remembered: more than handlers that work side by
// side can be apart.
const Size = 4096

// Map maps the sequence numbers of the latest records to IDs. The zero value is
// empty and ready to use. It is not safe for concurrent use.
type Map struct {
	ids  map[uint64]uint64
	ring []uint64
	next int
}

// Get returns the ID of a record and whether it is remembered.
func (m *Map) Get(seq uint64) (id uint64, ok bool) {
	id, ok = m.ids[seq]
	return id, ok
}

// Put remembers the ID of a record. A record without a number (0) cannot be told
// apart and is not remembered.
func (m *Map) Put(seq, id uint64) {
	if seq == 0 {
		return
	}
	if m.ids == nil {
		m.ids = make(map[uint64]uint64, Size)
		m.ring = make([]uint64, Size)
	}
	if _, ok := m.ids[seq]; !ok {
		delete(m.ids, m.ring[m.next])
		m.ring[m.next] = seq
		m.next = (m.next + 1) % Size
	}
	m.ids[seq] = id
}
