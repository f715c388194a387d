package model_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

func TestTheViewReportsChangesAtMostTenTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := model.NewStore(model.StoreOptions{Records: 100_000})
		var calls atomic.Int32
		v := model.NewView(s, model.ViewOptions{Changed: func() { calls.Add(1) }})
		defer v.Close()
		synctest.Wait()
		calls.Store(0)
		for range 1000 { // 10 000 records in one second
			fill(t, s, 10)
			time.Sleep(time.Millisecond)
		}
		if n := calls.Load(); n < 9 || n > 11 {
			t.Errorf("%d changes reported within a second, want 10", n)
		}
		time.Sleep(model.DefaultInterval)
		synctest.Wait()
		state := v.State()
		if state.Rows.Len() != 10_000 || state.Stats.Total != 10_000 {
			t.Errorf("%d rows of %d shown at the end, want 10000", state.Rows.Len(), state.Stats.Total)
		}
		if state.Rate < 5_000 || state.Rate > 10_500 {
			t.Errorf("rate %.0f, want about 9000", state.Rate)
		}
	})
}

func TestASingleRecordIsShownAtOnceAndThenTheRateGoesToZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := model.NewStore(model.StoreOptions{})
		var calls atomic.Int32
		v := model.NewView(s, model.ViewOptions{Changed: func() { calls.Add(1) }})
		defer v.Close()
		time.Sleep(10 * time.Second)
		calls.Store(0)
		fill(t, s, 1)
		synctest.Wait()
		if calls.Load() != 1 || v.State().Rows.Len() != 1 {
			t.Fatalf("%d changes, %d rows right after the record", calls.Load(), v.State().Rows.Len())
		}
		time.Sleep(time.Minute)
		if n := calls.Load(); n > 6 {
			t.Errorf("%d changes in an idle minute", n)
		}
		if rate := v.State().Rate; rate != 0 {
			t.Errorf("rate %v after an idle minute", rate)
		}
	})
}

func TestAFilterIsAppliedToOldAndNewRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := model.NewStore(model.StoreOptions{Records: 1000})
		v := model.NewView(s, model.ViewOptions{Filter: model.Filter{Min: core.LevelError}, Buckets: 10})
		defer v.Close()
		fill(t, s, 700)
		time.Sleep(time.Second)
		if got := v.State().Rows.Len(); got != 200 {
			t.Fatalf("%d errors of 700 records, want 200", got)
		}
		if err := v.SetFilter(model.Filter{Text: "re:9$"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // a filter does not wait for the interval
		if got := v.State().Rows.Len(); got != 70 {
			t.Fatalf("%d rows end in 9, want 70", got)
		}
		if got := v.State().Histogram.Max; got == 0 {
			t.Error("the histogram did not follow the filter")
		}
		fill(t, s, 700) // the store forgets 400
		time.Sleep(time.Second)
		rows := v.State().Rows
		if got := rows.Len(); got != 100 {
			t.Fatalf("%d rows end in 9, want 100", got)
		}
		if key, r := rows.At(0); r.Message() != "record 409" || rows.Index(key) != 0 || rows.Index(key+1) != 1 || rows.Index(0) != 0 {
			t.Errorf("first row is %d %q", key, r.Message())
		}
		s.Clear()
		time.Sleep(time.Second)
		if got := v.State().Rows.Len(); got != 0 {
			t.Errorf("%d rows after clear", got)
		}
	})
}

func TestAWrongFilterChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := model.NewStore(model.StoreOptions{})
		v := model.NewView(s, model.ViewOptions{})
		defer v.Close()
		fill(t, s, 5)
		if err := v.SetFilter(model.Filter{Text: "re:("}); err == nil {
			t.Error("no error")
		}
		time.Sleep(time.Second)
		if got := v.State().Rows.Len(); got != 5 {
			t.Errorf("%d rows", got)
		}
	})
}

func TestEveryKeystrokeCountsButOnlyTheLastFilterIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := model.NewStore(model.StoreOptions{Records: 200_000})
		fill(t, s, 100_000)
		v := model.NewView(s, model.ViewOptions{})
		defer v.Close()
		for _, text := range []string{"r", "re", "record", `re:d`, `re:\d`, `"record 99999"`} {
			if err := v.SetFilter(model.Filter{Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"record 99999"}, messages(v.State().Rows)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAViewCanBeClosedInTheMiddleOfAScan(t *testing.T) {
	s := model.NewStore(model.StoreOptions{Records: 200_000})
	fill(t, s, 100_000)
	for range 20 {
		v := model.NewView(s, model.ViewOptions{Filter: model.Filter{Text: `re:(a+b?)+c`}})
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		if err := v.Close(); err != nil {
			t.Fatal("the second time:", err)
		}
	}
}

func TestFindGoesRoundOnceInEachDirection(t *testing.T) {
	var rows model.List
	for i := range 10 {
		rows = append(rows, record(core.LevelInfo, "", fmt.Sprintf("%d %s", i, strings.Repeat("x", i%3))))
	}
	m, err := model.Filter{Text: "xx"}.Compile() // rows 2, 5, 8
	if err != nil {
		t.Fatal(err)
	}
	none, err := model.Filter{Text: "y"}.Compile()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name        string
		rows        model.Rows
		m           *model.Matcher
		start, step int
		want        int
		ok          bool
	}{
		{"next", rows, m, 2, 1, 5, true},
		{"next from between", rows, m, 3, 1, 5, true},
		{"next wraps", rows, m, 8, 1, 2, true},
		{"next from nowhere", rows, m, -1, 1, 2, true},
		{"previous", rows, m, 5, -1, 2, true},
		{"previous wraps", rows, m, 2, -1, 8, true},
		{"previous from nowhere", rows, m, -1, -1, 8, true},
		{"only itself", rows[:4], m, 2, 1, 2, true},
		{"none", rows, none, 0, 1, 0, false},
		{"no rows", model.List(nil), m, 0, 1, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := model.Find(test.rows, test.m, test.start, test.step)
			if got != test.want || ok != test.ok {
				t.Errorf("Find = %d, %v, want %d, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestNeighboursAreMergedInTheOrderOfTime(t *testing.T) {
	at := func(second int, message string) *core.Record {
		r := record(core.LevelDebug, "", message)
		r.Time = start.Add(time.Duration(second) * time.Second)
		return r
	}
	s := model.NewStore(model.StoreOptions{})
	mine := []*core.Record{at(10, "mine 1"), at(12, "mine 2"), at(14, "mine error")}
	add(t, s, at(1, "long before"), at(9, "before"), mine[0], mine[1], at(11, "other 1"), at(12, "other 2"), mine[2], at(15, "after"))
	tests := []struct {
		name    string
		context []*core.Record
		before  time.Duration
		limit   int
		want    []string
	}{
		{"span of the context", mine, 0, 100, []string{"mine 1", "other 1", "mine 2", "other 2", "mine error"}},
		{"at least some seconds", mine, 6 * time.Second, 100, []string{"before", "mine 1", "other 1", "mine 2", "other 2", "mine error"}},
		{"limited to the nearest", mine, 0, 4, []string{"mine 1", "mine 2", "other 2", "mine error"}},
		{"no room for others", mine, 0, 1, []string{"mine 1", "mine 2", "mine error"}},
		{"a copy is the same record", []*core.Record{mine[2].Clone()}, 3 * time.Second, 100, []string{"other 1", "mine 2", "other 2", "mine error"}},
		{"nothing", nil, time.Hour, 100, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := model.Neighbours(s.Snapshot(), test.context, test.before, test.limit)
			if diff := cmp.Diff(test.want, messages(model.List(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
