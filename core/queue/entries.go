package queue

import (
	"context"

	"github.com/logbook-tray/logbook-tray/core"
)

// entry is one thing that waits in an [Async]: a record, a batch, or a flush.
type entry struct {
	record *core.Record
	batch  []*core.Record
	why    core.BatchReason
	count  int // records

	flush chan error      // capacity 1
	ctx   context.Context //nolint:containedctx // of the one who flushes
}

// entries is a first-in, first-out queue on a ring that grows.
type entries struct {
	ring    []entry
	head, n int
	records int // sum of count
}

func (q *entries) push(e entry) {
	if q.n == len(q.ring) {
		grown := make([]entry, max(16, 2*q.n))
		for i := range q.n {
			grown[i] = *q.at(i)
		}
		q.ring, q.head = grown, 0
	}
	q.n++
	*q.at(q.n - 1) = e
	q.records += e.count
}

func (q *entries) at(i int) *entry { return &q.ring[(q.head+i)%len(q.ring)] }

// first returns what pop is going to return.
func (q *entries) first() (entry, bool) {
	if q.n == 0 {
		return entry{}, false
	}
	return *q.at(0), true
}

func (q *entries) pop() (entry, bool) {
	if q.n == 0 {
		return entry{}, false
	}
	p := q.at(0)
	e := *p
	*p = entry{}
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	q.records -= e.count
	return e, true
}

// popRecords removes the oldest entry that has records; flushes stay. There
// must be one.
func (q *entries) popRecords() entry {
	i := 0
	for q.at(i).count == 0 {
		i++
	}
	e := *q.at(i)
	for ; i > 0; i-- { // the flushes before it move up by one
		*q.at(i) = *q.at(i - 1)
	}
	*q.at(0) = e
	q.pop()
	return e
}
