package model

import (
	"math"
	"slices"

	"github.com/logbook-tray/logbook-tray/core"
)

// Selection is a set of rows, named by their keys, with a cursor and the anchor
// from which a range is extended. It is made of ranges, so that selecting all
// of a million rows costs nothing. The zero Selection is empty; it is not safe for
// concurrent use.
type Selection struct {
	ranges         []keyRange // rising, not overlapping
	anchor, cursor uint64
	active         bool // there is a cursor
}

type keyRange struct{ from, to uint64 } // both included

// Cursor returns the key of the current row, if there is one.
func (s *Selection) Cursor() (key uint64, ok bool) { return s.cursor, s.active }

// Has reports whether the row with this key is selected.
func (s *Selection) Has(key uint64) bool {
	_, in := slices.BinarySearchFunc(s.ranges, key, func(r keyRange, key uint64) int {
		switch {
		case key < r.from:
			return 1
		case key > r.to:
			return -1
		}
		return 0
	})
	return in
}

// Set selects one row alone and puts cursor and anchor there.
func (s *Selection) Set(key uint64) {
	s.anchor, s.cursor, s.active = key, key, true
	s.ranges = append(s.ranges[:0], keyRange{key, key})
}

// Extend selects the rows from the anchor to key, and nothing else, and moves
// the cursor to key.
func (s *Selection) Extend(key uint64) {
	if !s.active {
		s.Set(key)
		return
	}
	s.cursor = key
	s.ranges = append(s.ranges[:0], keyRange{min(s.anchor, key), max(s.anchor, key)})
}

// Toggle adds the row or takes it out, and puts cursor and anchor there.
func (s *Selection) Toggle(key uint64) {
	s.anchor, s.cursor, s.active = key, key, true
	var out []keyRange
	was := false
	for _, r := range s.ranges {
		if key < r.from || key > r.to {
			out = append(out, r)
			continue
		}
		was = true
		if r.from < key {
			out = append(out, keyRange{r.from, key - 1})
		}
		if r.to > key {
			out = append(out, keyRange{key + 1, r.to})
		}
	}
	if !was {
		i, _ := slices.BinarySearchFunc(out, key, func(r keyRange, key uint64) int {
			if r.from < key {
				return -1
			}
			return 1
		})
		out = slices.Insert(out, i, keyRange{key, key})
	}
	s.ranges = out
}

// All selects every row there is. The cursor stays, or goes to the last row.
func (s *Selection) All(rows Rows) {
	n := rows.Len()
	if n == 0 {
		return
	}
	first, _ := rows.At(0)
	last, _ := rows.At(n - 1)
	if !s.active {
		s.anchor, s.cursor, s.active = first, last, true
	}
	s.ranges = append(s.ranges[:0], keyRange{first, last})
}

// Collapse leaves the cursor's row alone selected: ranges lose their meaning
// when another filter shows other rows in between.
func (s *Selection) Collapse() {
	if s.active {
		s.Set(s.cursor)
	}
}

// Clear selects nothing.
func (s *Selection) Clear() { *s = Selection{} }

// Count returns how many of the rows are selected.
func (s *Selection) Count(rows Rows) int {
	n := 0
	for _, r := range s.ranges {
		n += s.end(rows, r) - rows.Index(r.from)
	}
	return n
}

func (s *Selection) end(rows Rows, r keyRange) int {
	if r.to == math.MaxUint64 {
		return rows.Len()
	}
	return rows.Index(r.to + 1)
}

// Records returns the selected records in their order, the first limit of
// them.
func (s *Selection) Records(rows Rows, limit int) []*core.Record {
	var out []*core.Record
	for _, r := range s.ranges {
		for i := rows.Index(r.from); i < s.end(rows, r) && len(out) < limit; i++ {
			_, record := rows.At(i)
			out = append(out, record)
		}
	}
	return out
}
