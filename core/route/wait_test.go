package route_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/route"
)

// waiting runs a group wait in a bubble with a fake clock and closes it.
func waiting(t *testing.T, o route.WaitOptions, f func(t *testing.T, w *route.Wait, s *sink)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := new(sink)
		o.Handler = s
		w := route.NewWait(o)
		f(t, w, s)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if s.closed != 1 || s.late != 0 {
			t.Errorf("closed %d times, %d deliveries after that", s.closed, s.late)
		}
	})
}

func bySource(r *core.Record) string { return r.Source.Name }

func TestRecordsOfOneKindBecomeOneBatch(t *testing.T) {
	waiting(t, route.WaitOptions{For: 10 * time.Second, Key: bySource}, func(t *testing.T, w *route.Wait, s *sink) {
		handle(t, w, record("web", "1"))
		time.Sleep(5 * time.Second)
		handle(t, w, record("web", "2"), record("db", "3"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := s.all(); got != "group[1 2]" {
			t.Errorf("after 10 s: %s", got)
		}
		handle(t, w, record("web", "4"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := s.all(); got != "group[1 2], 3" {
			t.Errorf("after 15 s: %s", got)
		}
		if st := w.Stats(); st != (route.WaitStats{Records: 4, Delivered: 3, Waiting: 1, Groups: 2}) {
			t.Errorf("stats: %+v", st)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		handle(t, w, record("web", "5"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := s.all(); got != "group[1 2], 3, 4, 5" {
			t.Errorf("at the end: %s", got)
		}
	})
}

func TestWithoutATimeNothingWaits(t *testing.T) {
	full := errors.New("disk full")
	waiting(t, route.WaitOptions{}, func(t *testing.T, w *route.Wait, s *sink) {
		handle(t, w, record("web", "1"))
		batch(t, w, core.BatchBuffer, record("web", "2"), record("web", "3"))
		if got := s.all(); got != "1, buffer[2 3]" {
			t.Errorf("got %s", got)
		}
		for _, want := range []error{full, core.ErrPass} {
			s.err = want
			if err := w.Handle(t.Context(), record("web", "4")); !errors.Is(err, want) {
				t.Errorf("error: %v", err)
			}
		}
		if st := w.Stats(); st != (route.WaitStats{Records: 5, Delivered: 4, Failed: 1, Groups: 4}) {
			t.Errorf("stats: %+v", st)
		}
	})
}

func TestABatchThatIsOneDeliveryDoesNotWait(t *testing.T) {
	waiting(t, route.WaitOptions{For: time.Hour}, func(t *testing.T, w *route.Wait, s *sink) {
		batch(t, w, core.BatchEscalation, record("web", "1"), record("web", "2"))
		batch(t, w, core.BatchBuffer, record("web", "3"), record("web", "4"))
		if got := s.all(); got != "escalation[1 2]" {
			t.Errorf("got %s", got)
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if got := s.all(); got != "escalation[1 2], group[3 4]" {
			t.Errorf("after Flush: %s", got)
		}
	})
}

func TestWhatWaitsIsBounded(t *testing.T) {
	for _, test := range []struct {
		name string
		o    route.WaitOptions
		want string
	}{
		{"records of a group", route.WaitOptions{MaxRecords: 2}, "group[a1 a4]"},
		{"groups", route.WaitOptions{MaxGroups: 2}, "a1, b2"},
		{"bytes", route.WaitOptions{MaxBytes: 1}, "a1, b2, c3, a4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.o.For, test.o.Key = time.Hour, bySource
			waiting(t, test.o, func(t *testing.T, w *route.Wait, s *sink) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel() // of who logs last; the group belongs to others too
				for _, r := range []*core.Record{record("a", "a1"), record("b", "b2"), record("c", "c3"), record("a", "a4")} {
					if err := w.Handle(ctx, r); err != nil {
						t.Fatal(err)
					}
				}
				if got := s.all(); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
			})
		})
	}
}

func TestAGroupThatCannotBeDeliveredIsReported(t *testing.T) {
	var errs []error
	waiting(t, route.WaitOptions{For: time.Second, OnError: func(err error) { errs = append(errs, err) }}, func(t *testing.T, w *route.Wait, s *sink) {
		s.err = errors.New("disk full")
		handle(t, w, record("web", "1"), record("web", "2"))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.err, s.panics = nil, true
		handle(t, w, record("web", "3"))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.panics = false
		if len(errs) != 2 || errs[0].Error() != "disk full" {
			t.Errorf("errors: %v", errs)
		}
		if st := w.Stats(); st != (route.WaitStats{Records: 3, Failed: 3, Groups: 2}) {
			t.Errorf("stats: %+v", st)
		}
	})
}

func TestAfterCloseNothingIsTaken(t *testing.T) {
	s := new(sink)
	w := route.NewWait(route.WaitOptions{Handler: s, For: time.Hour})
	handle(t, w, record("web", "1"))
	if err := errors.Join(w.Close(), w.Close(), w.Flush(t.Context())); err != nil {
		t.Error(err)
	}
	err := w.Handle(t.Context(), record("web", "2"))
	more := w.HandleBatch(t.Context(), []*core.Record{record("web", "3")}, core.BatchGroup)
	if !errors.Is(err, route.ErrClosed) || !errors.Is(more, route.ErrClosed) {
		t.Errorf("errors: %v, %v", err, more)
	}
	if got := s.all(); got != "1" || s.closed != 1 {
		t.Errorf("got %s, closed %d times", got, s.closed)
	}
}

func TestCloseWaitsForDeliveriesThatAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{hang: make(chan struct{})}
		w := route.NewWait(route.WaitOptions{Handler: s, For: time.Hour, MaxRecords: 2})
		var g sync.WaitGroup
		handle(t, w, record("web", "1"))
		g.Go(func() { handle(t, w, record("web", "2")) }) // delivers the group
		synctest.Wait()
		g.Go(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if s.closed != 0 {
			t.Error("closed in the middle of a delivery")
		}
		close(s.hang)
		g.Wait()
		if s.closed != 1 || s.late != 0 || s.records != 2 {
			t.Errorf("closed %d times, %d late, %d records", s.closed, s.late, s.records)
		}
	})
}

func TestNothingIsLostWhoeverCloses(t *testing.T) {
	s := new(sink)
	w := route.NewWait(route.WaitOptions{Handler: s, For: time.Millisecond, MaxRecords: 7, MaxGroups: 3, Key: bySource})
	var taken [4]int
	var g sync.WaitGroup
	for p := range taken {
		g.Go(func() {
			for i := range 2000 {
				if w.Handle(t.Context(), record(fmt.Sprint(i%5), "x")) == nil {
					taken[p]++
				}
				if i%500 == p {
					_ = w.Flush(t.Context())
				}
				if p == 0 && i == 1500 {
					_ = w.Close()
				}
			}
		})
	}
	g.Wait()
	_ = w.Close()
	total := taken[0] + taken[1] + taken[2] + taken[3]
	st := w.Stats()
	if s.records != total || st.Records != uint64(total) || st.Delivered != st.Records || st.Waiting != 0 || s.late != 0 {
		t.Errorf("taken %d, delivered %d, %d late, %+v", total, s.records, s.late, st)
	}
}

// However records come, each is delivered once, no later than it should be, and in
// its group's order.
func TestEveryRecordIsDeliveredOnceAndInTime(t *testing.T) {
	const wait = 10 * time.Second
	rapid.Check(t, func(rt *rapid.T) {
		pauses := rapid.SliceOfN(rapid.IntRange(0, 15), 0, 60).Draw(rt, "pauses")
		keys := rapid.IntRange(1, 4).Draw(rt, "keys")
		o := route.WaitOptions{For: wait, Key: bySource, MaxRecords: rapid.IntRange(1, 5).Draw(rt, "records"), MaxGroups: rapid.IntRange(1, 4).Draw(rt, "groups")}
		var problem string
		waiting(t, o, func(t *testing.T, w *route.Wait, s *sink) {
			for i, pause := range pauses {
				handle(t, w, record(fmt.Sprint(i%keys), fmt.Sprint(i)))
				st := w.Stats()
				if st.Records != uint64(i+1) || st.Records != st.Delivered+st.Waiting || int(st.Waiting) > o.MaxRecords*o.MaxGroups {
					problem = fmt.Sprintf("after %d records: %+v", i+1, st)
				}
				time.Sleep(time.Duration(pause) * time.Second)
			}
			time.Sleep(wait)
			synctest.Wait()
			if s.records != len(pauses) || w.Stats().Waiting != 0 {
				problem = fmt.Sprintf("%d of %d delivered: %s", s.records, len(pauses), s.all())
			}
		})
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}
