package model

import (
	"cmp"
	"slices"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Histogram counts records by level in equal spans of time.
type Histogram struct {
	Start   time.Time     // where the first bar begins
	Step    time.Duration // what one bar covers
	Buckets []LevelCounts // one for each bar, oldest first
	Max     int           // the highest number of records in a bar
}

// minStep keeps a few records of one moment from looking like a trend.
const minStep = 10 * time.Millisecond

// NewHistogram counts the rows in n bars over the time in which they came in.
func NewHistogram(rows Rows, n int) Histogram {
	if rows.Len() == 0 || n <= 0 {
		return Histogram{}
	}
	var first, last time.Time
	eachRow(rows, func(r *core.Record) {
		at := arrival(r)
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	})
	h := Histogram{Buckets: make([]LevelCounts, n)}
	// Sub saturates at the ends of the range of a Duration.
	h.Step = max(last.Sub(first)/time.Duration(n)+1, minStep)
	h.Start = first
	eachRow(rows, func(r *core.Record) {
		i := min(int(arrival(r).Sub(first)/h.Step), n-1)
		h.Buckets[i][levelSlot(r.Level)]++
	})
	for i := range h.Buckets {
		h.Max = max(h.Max, h.Buckets[i].Total())
	}
	return h
}

// eachRow visits all records, faster than by At.
func eachRow(rows Rows, visit func(*core.Record)) {
	if s, ok := rows.(Snapshot); ok {
		for _, r := range s.From(0) {
			visit(r)
		}
		return
	}
	for i := range rows.Len() {
		_, r := rows.At(i)
		visit(r)
	}
}

// Bucket returns the bar that a time falls into.
func (h Histogram) Bucket(at time.Time) (i int, ok bool) {
	if len(h.Buckets) == 0 || h.Step <= 0 || at.Before(h.Start) {
		return 0, false
	}
	i = int(at.Sub(h.Start) / h.Step)
	return i, i < len(h.Buckets)
}

// FirstRowAt returns the first row that came in at or behind the beginning of
// bar i, if there is one.
func (h Histogram) FirstRowAt(rows Rows, i int) (row int, ok bool) {
	from := h.Start.Add(time.Duration(i) * h.Step)
	for row := range rows.Len() {
		if _, r := rows.At(row); !arrival(r).Before(from) {
			return row, true
		}
	}
	return 0, false
}

// meterSpan is the time over which a [Meter] takes the mean.
const meterSpan = 3 * time.Second

// Meter tells a rate from a counter that is read now and then. The zero Meter is
// ready for use; it is not safe for concurrent use.
type Meter struct {
	samples []meterSample // oldest first
}

type meterSample struct {
	at    time.Time
	total uint64
}

// Observe notes what the counter says at a time.
func (m *Meter) Observe(at time.Time, total uint64) {
	m.samples = append(m.samples, meterSample{at, total})
	// One sample older than the span stays, to measure from.
	for len(m.samples) > 2 && at.Sub(m.samples[1].at) >= meterSpan {
		m.samples = slices.Delete(m.samples, 0, 1)
	}
}

// Rate returns the increase per second over the last few seconds.
func (m *Meter) Rate(now time.Time) float64 {
	if len(m.samples) < 2 {
		return 0
	}
	oldest, newest := m.samples[0], m.samples[len(m.samples)-1]
	span := now.Sub(oldest.at).Seconds()
	if span <= 0 || newest.total < oldest.total {
		return 0
	}
	return float64(newest.total-oldest.total) / max(span, 1)
}

// recordID tells records apart, also when one of them is a copy. Sequence numbers
// begin anew with every start of the program, so the time is part of it.
type recordID struct {
	seq  uint64
	time int64
}

func idOf(r *core.Record) recordID { return recordID{r.Seq, r.Time.UnixNano()} }

// SameRecord reports whether a and b are the same record or copies of it.
func SameRecord(a, b *core.Record) bool {
	return a == b || a != nil && b != nil && idOf(a) == idOf(b)
}

func sortByTime(rs []*core.Record) {
	slices.SortStableFunc(rs, func(a, b *core.Record) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Seq, b.Seq))
	})
}
