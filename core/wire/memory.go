package wire

import (
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// How much of each kind is made at once. It bounds what a record that is kept for long keeps
// of its neighbours: seven of them, with what they refer to.
const (
	recordsAtOnce = 8
	fieldsAtOnce  = 32
	valuesAtOnce  = 32
)

// memory is what records are made of. To make several at once takes less time, and less of
// the garbage collector's. Each part is used once. It is for one goroutine at a time.
type memory struct {
	records []core.Record
	fields  core.Fields
	values  []any
}

// memories are those that nobody uses.
var memories sync.Pool //nolint:gochecknoglobals // of memory only

// borrow returns a memory, to be given back when the record is made.
func borrow() *memory {
	if m, ok := memories.Get().(*memory); ok {
		return m
	}
	return new(memory)
}

func (m *memory) giveBack() { memories.Put(m) }

// record returns an empty record.
func (m *memory) record() *core.Record {
	if len(m.records) == 0 {
		m.records = make([]core.Record, recordsAtOnce)
	}
	r := &m.records[0]
	m.records = m.records[1:]
	return r
}

// list returns an empty list with room for a few fields; takeFields is told what became of it.
func (m *memory) list() core.Fields {
	if cap(m.fields) < shortList {
		m.fields = make(core.Fields, 0, fieldsAtOnce)
	}
	return m.fields[:0]
}

// takeFields returns f, which began as list, without the room behind it; nil if it is empty.
func (m *memory) takeFields(f core.Fields) core.Fields {
	n := len(f)
	if n == 0 {
		return nil
	}
	m.fields = nil
	if n <= fieldsAtOnce { // else the rest would keep all of them
		m.fields = f[n:]
	}
	return f[:n:n]
}

// array returns an empty list with room for a few values; takeValues is told what became
// of it.
func (m *memory) array() []any {
	if cap(m.values) < shortList {
		m.values = make([]any, 0, valuesAtOnce)
	}
	return m.values[:0]
}

// takeValues returns a, which began as array, without the room behind it; nil if it is empty.
func (m *memory) takeValues(a []any) []any {
	n := len(a)
	if n == 0 {
		return nil
	}
	m.values = nil
	if n <= valuesAtOnce { // as above
		m.values = a[n:]
	}
	return a[:n:n]
}
