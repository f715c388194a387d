package model_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

func rowsOf(n int) model.List {
	var rows model.List
	for i := range n {
		rows = append(rows, record(core.LevelInfo, "", fmt.Sprint(i)))
	}
	return rows
}

func TestSelection(t *testing.T) {
	rows := rowsOf(10)
	tests := []struct {
		name   string
		act    func(*model.Selection)
		want   []string
		cursor uint64
	}{
		{"set", func(s *model.Selection) { s.Set(3); s.Set(4) }, []string{"4"}, 4},
		{"extend down and up", func(s *model.Selection) { s.Set(3); s.Extend(6); s.Extend(1) }, []string{"1", "2", "3"}, 1},
		{"extend from nothing", func(s *model.Selection) { s.Extend(2) }, []string{"2"}, 2},
		{"toggle in and out", func(s *model.Selection) { s.Set(1); s.Toggle(5); s.Toggle(3); s.Toggle(5) }, []string{"1", "3"}, 5},
		{"toggle out of a range", func(s *model.Selection) { s.Set(1); s.Extend(4); s.Toggle(2) }, []string{"1", "3", "4"}, 2},
		{"all", func(s *model.Selection) { s.Set(2); s.All(rows) }, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, 2},
		{"collapse", func(s *model.Selection) { s.Set(2); s.Extend(5); s.Collapse() }, []string{"5"}, 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s model.Selection
			test.act(&s)
			got := messages(model.List(s.Records(rows, 100)))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if n := s.Count(rows); n != len(test.want) {
				t.Errorf("Count = %d, want %d", n, len(test.want))
			}
			if cursor, ok := s.Cursor(); cursor != test.cursor || !ok {
				t.Errorf("cursor %d, %v, want %d", cursor, ok, test.cursor)
			}
			if first := s.Records(rows, 1); first[0].Message() != test.want[0] {
				t.Errorf("limited to one: %q", first[0].Message())
			}
		})
	}
	var s model.Selection
	s.Set(1)
	s.Clear()
	if _, ok := s.Cursor(); ok || s.Count(rows) != 0 {
		t.Error("not empty after Clear")
	}
	s.All(model.List(nil))
	if s.Count(rows) != 0 {
		t.Error("all of nothing is something")
	}
}

func TestSelectionAgreesWithASet(t *testing.T) {
	rows := rowsOf(20)
	rapid.Check(t, func(t *rapid.T) {
		var s model.Selection
		want := map[uint64]bool{}
		var anchor uint64
		started := false
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			key := rapid.Uint64Range(0, 19).Draw(t, "key")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				s.Set(key)
				want, anchor, started = map[uint64]bool{key: true}, key, true
			case 1:
				s.Extend(key)
				if !started {
					anchor, started = key, true
				}
				want = map[uint64]bool{}
				for k := min(anchor, key); k <= max(anchor, key); k++ {
					want[k] = true
				}
			case 2:
				s.Toggle(key)
				want[key], anchor, started = !want[key], key, true
			}
		}
		n := 0
		for k := range uint64(20) {
			if s.Has(k) != want[k] {
				t.Fatalf("Has(%d) = %v", k, s.Has(k))
			}
			if want[k] {
				n++
			}
		}
		if got := s.Count(rows); got != n {
			t.Fatalf("Count = %d, want %d", got, n)
		}
	})
}

func TestHistogramCountsEveryRowOnce(t *testing.T) {
	at := func(level core.Level, d time.Duration) *core.Record {
		r := record(level, "", "")
		r.Received = start.Add(d)
		return r
	}
	rows := model.List{at(core.LevelInfo, 0), at(core.LevelError, 10*time.Second), at(core.LevelInfo, 9900*time.Millisecond), at(37, 5*time.Second)}
	h := model.NewHistogram(rows, 10)
	if h.Buckets[0].Of(core.LevelInfo) != 1 || h.Buckets[9].Of(core.LevelError) != 1 || h.Buckets[9].Of(core.LevelInfo) != 1 || h.Max != 2 {
		t.Errorf("histogram %+v", h)
	}
	if got := h.Buckets[4].Of(core.LevelCritical) + h.Buckets[5].Of(core.LevelCritical); got != 1 {
		t.Errorf("level 37 is not counted as critical: %+v", h)
	}
	if i, ok := h.Bucket(start.Add(9950 * time.Millisecond)); i != 9 || !ok {
		t.Errorf("bucket %d, %v", i, ok)
	}
	if row, ok := h.FirstRowAt(rows, 3); row != 1 || !ok {
		t.Errorf("first row %d, %v", row, ok)
	}
	if _, ok := h.FirstRowAt(rows, 100); ok {
		t.Error("a row behind the end")
	}
	h = model.NewHistogram(model.List{at(0, 0), at(0, -250*365*24*time.Hour), at(0, 290*365*24*time.Hour)}, 4) // a clock gone mad
	total := 0
	for _, b := range h.Buckets {
		total += b.Total()
	}
	if total != 3 {
		t.Errorf("%d rows counted of 3", total)
	}
	if h := model.NewHistogram(model.List(nil), 4); h.Max != 0 || h.Buckets != nil {
		t.Errorf("histogram of nothing: %+v", h)
	}
	if _, ok := (model.Histogram{}).Bucket(start); ok {
		t.Error("a bucket in an empty histogram")
	}
}

func TestMeter(t *testing.T) {
	var m model.Meter
	if m.Rate(start) != 0 {
		t.Error("a rate from nothing")
	}
	for i := range 101 {
		m.Observe(start.Add(time.Duration(i)*100*time.Millisecond), uint64(i)*50)
	}
	if got := m.Rate(start.Add(10 * time.Second)); got < 490 || got > 510 {
		t.Errorf("rate %.1f, want 500", got)
	}
}
