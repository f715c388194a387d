package model_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// record returns a record that came in from outside.
func record(level core.Level, channel, message string) *core.Record {
	r := &core.Record{Channel: channel, Level: level, Msg: message, Time: start}
	r.SetMessage(message)
	return core.NewReceived(r, core.Source{Name: "dev"}, start)
}

func add(t testing.TB, s *model.Store, rs ...*core.Record) {
	t.Helper()
	for _, r := range rs {
		if err := s.Handle(context.Background(), r); err != nil {
			t.Fatalf("Handle: %v", err)
		}
	}
}

func fill(t testing.TB, s *model.Store, n int) {
	t.Helper()
	levels := core.Levels()
	for i := range n {
		add(t, s, record(levels[i%len(levels)], "shop", fmt.Sprintf("record %d", i)))
	}
}

// messages lists what rows show.
func messages(rows model.Rows) []string {
	var out []string
	for i := range rows.Len() {
		_, r := rows.At(i)
		out = append(out, r.Message())
	}
	return out
}

func TestTheStoreKeepsTheNewestRecords(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 511, 512, 513, 5000} {
		s := model.NewStore(model.StoreOptions{Records: 10})
		fill(t, s, n)
		snapshot := s.Snapshot()
		if got, want := snapshot.Len(), min(n, 10); got != want {
			t.Fatalf("after %d records: %d held, want %d", n, got, want)
		}
		for i := range snapshot.Len() {
			key, r := snapshot.At(i)
			want := n - snapshot.Len() + i
			if r.Message() != fmt.Sprintf("record %d", want) || key != uint64(want) {
				t.Errorf("after %d records: row %d has key %d and %q, want record %d", n, i, key, r.Message(), want)
			}
		}
		stats := s.Stats()
		if stats.Total != uint64(n) || stats.Held != min(n, 10) || stats.Evicted != uint64(max(n-10, 0)) {
			t.Errorf("after %d records: stats %+v", n, stats)
		}
		if got := stats.Levels.Total(); got != min(n, 10) {
			t.Errorf("after %d records: counts by level add up to %d", n, got)
		}
	}
}

func TestTheStoreIsBoundedInBytes(t *testing.T) {
	s := model.NewStore(model.StoreOptions{Bytes: 1 << 20})
	for range 100 {
		add(t, s, record(core.LevelInfo, "shop", strings.Repeat("x", 100<<10)))
	}
	stats := s.Stats()
	if stats.Held != 10 || stats.Bytes > 1<<20 {
		t.Errorf("%d records of 100 KiB held in %d bytes, want 10 within 1 MiB", stats.Held, stats.Bytes)
	}
	add(t, s, record(core.LevelInfo, "shop", strings.Repeat("y", 2<<20)))
	if got := s.Stats().Held; got != 1 {
		t.Errorf("%d records held after one larger than the limit, want that one alone", got)
	}
}

func TestASnapshotDoesNotChange(t *testing.T) {
	s := model.NewStore(model.StoreOptions{Records: 100})
	fill(t, s, 100)
	snapshot := s.Snapshot()
	fill(t, s, 2000)
	s.Clear()
	if got := messages(snapshot); len(got) != 100 || got[0] != "record 0" || got[99] != "record 99" {
		t.Errorf("snapshot changed to %d rows", len(got))
	}
	if got := s.Snapshot(); got.Len() != 0 || got.First() != 2100 {
		t.Errorf("after Clear: %d rows from %d on, want none from 2100 on", got.Len(), got.First())
	}
	if got := snapshot.Record(100); got != nil {
		t.Errorf("a position behind the end has %v", got)
	}
}

func TestRowsAreFoundByKey(t *testing.T) {
	s := model.NewStore(model.StoreOptions{Records: 1000})
	fill(t, s, 3000)
	snapshot := s.Snapshot()
	for _, test := range []struct {
		key  uint64
		want int
	}{{0, 0}, {2000, 0}, {2001, 1}, {2999, 999}, {3000, 1000}, {9999, 1000}} {
		if got := snapshot.Index(test.key); got != test.want {
			t.Errorf("Index(%d) = %d, want %d", test.key, got, test.want)
		}
	}
	if i, ok := model.RowOf(snapshot, 2500); i != 500 || !ok {
		t.Errorf("RowOf(2500) = %d, %v", i, ok)
	}
	if _, ok := model.RowOf(snapshot, 1999); ok {
		t.Error("a forgotten row is found")
	}
}

func TestOriginsAreListedAsLongAsTheirRecordsAreHeld(t *testing.T) {
	s := model.NewStore(model.StoreOptions{Records: 3})
	from := func(pid int, at time.Duration) *core.Record {
		r := record(core.LevelInfo, "shop", "x")
		r.Process, r.Received = core.Process{ID: pid, Name: "MainProcess"}, start.Add(at)
		return r
	}
	add(t, s, from(1, 1), from(2, 2), from(2, 3))
	got := s.Origins()
	if len(got) != 2 || got[0].Origin.Process.ID != 2 || got[0].Count != 2 || got[1].Count != 1 {
		t.Fatalf("origins %+v", got)
	}
	add(t, s, from(3, 4))
	got = s.Origins()
	if len(got) != 2 || got[0].Origin.Process.ID != 3 || got[1].Origin.Process.ID != 2 {
		t.Fatalf("origins after the first was forgotten: %+v", got)
	}
	if text := got[0].Origin.String(); text != "MainProcess 3 · dev" {
		t.Errorf("origin reads %q", text)
	}
}

func TestTheStoreMayBeUsedFromManyGoroutines(t *testing.T) {
	s := model.NewStore(model.StoreOptions{Records: 700})
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 1000 {
				_ = s.Handle(t.Context(), record(core.LevelInfo, "shop", "x"))
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		n := 0
		for _, r := range s.Snapshot().From(0) {
			if r == nil {
				t.Fatal("a row without a record")
			}
			n++
		}
		if n > 700 {
			t.Fatalf("%d rows", n)
		}
	}
	if got := s.Stats().Total; got != 4000 {
		t.Errorf("%d records handled, want 4000", got)
	}
}

func TestAnyNumberOfChangesIsOneSignal(t *testing.T) {
	s := model.NewStore(model.StoreOptions{})
	changed, stop := s.Watch()
	fill(t, s, 1000)
	<-changed
	select {
	case <-changed:
		t.Error("a second signal")
	default:
	}
	stop()
	stop()
	fill(t, s, 1)
	if len(changed) != 0 {
		t.Error("a signal after the end")
	}
}

func BenchmarkStoreHandle(b *testing.B) {
	s := model.NewStore(model.StoreOptions{})
	r := record(core.LevelInfo, "shop", "payment accepted for order 4711")
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Handle(b.Context(), r)
	}
}
