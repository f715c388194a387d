package route_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/route"
)

func newInhibit(s *sink, o route.InhibitOptions) *route.Inhibit {
	o.Handler, o.Cause, o.Effect = s, says("down"), says("failed")
	return route.NewInhibit(o)
}

func TestACauseHoldsItsEffectsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(sink)
		h := newInhibit(s, route.InhibitOptions{For: time.Minute})
		handle(t, h, record("web", "failed 1"), record("web", "down"), record("web", "failed 2"), record("web", "other"), record("mail", "failed 3"))
		time.Sleep(time.Minute - 1)
		handle(t, h, record("web", "failed 4"))
		if a := h.Active(); len(a) != 1 || a[0].Same != "web" || a[0].Held != 2 || a[0].Cause.Message() != "down" {
			t.Errorf("active: %+v", a)
		}
		time.Sleep(time.Nanosecond)
		handle(t, h, record("web", "failed 5"))
		if got, want := s.all(), "failed 1, down, other, failed 3, failed 5"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if st := h.Stats(); st != (route.InhibitStats{Records: 7, Passed: 5, Held: 2, Causes: 1}) {
			t.Errorf("stats: %+v", st)
		}
	})
}

func TestEachFurtherCauseBeginsTheTimeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(sink)
		h := newInhibit(s, route.InhibitOptions{For: time.Minute})
		handle(t, h, record("web", "down"))
		time.Sleep(50 * time.Second)
		handle(t, h, record("web", "down: query failed")) // both: a cause
		time.Sleep(50 * time.Second)
		handle(t, h, record("web", "failed"))
		if got, want := s.all(), "down, down: query failed"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestBatchesAreJudgedByWhatTheyAreShownBy(t *testing.T) {
	down, failed, other := record("web", "down"), record("web", "failed"), record("web", "other")
	for _, test := range []struct {
		why   core.BatchReason
		batch []*core.Record
		want  string
	}{
		{core.BatchEscalation, []*core.Record{other, failed}, ""},
		{core.BatchEscalation, []*core.Record{failed, other}, "escalation[failed other]"},
		{core.BatchGroup, []*core.Record{failed, other}, ""},
		{core.BatchGroup, []*core.Record{other, failed}, "group[other failed]"},
		{core.BatchBuffer, []*core.Record{other, failed, other}, "buffer[other other]"},
		{core.BatchBuffer, []*core.Record{failed}, ""},
	} {
		s := new(sink)
		h := newInhibit(s, route.InhibitOptions{})
		batch(t, h, core.BatchEscalation, other, down)
		batch(t, h, test.why, test.batch...)
		if got := strings.TrimPrefix(s.all(), "escalation[other down]"); strings.TrimPrefix(got, ", ") != test.want {
			t.Errorf("%s: got %q, want %q", test.why, got, test.want)
		}
		if st := h.Stats(); st.Records != st.Passed+st.Held || st.Records != uint64(2+len(test.batch)) {
			t.Errorf("%s: %+v", test.why, st)
		}
	}
}

func TestTheOldestCauseMakesWay(t *testing.T) {
	s := new(sink)
	h := newInhibit(s, route.InhibitOptions{Max: 2})
	handle(t, h, record("a", "down"), record("b", "down"), record("a", "down"), record("c", "down"))
	s.got = nil
	handle(t, h, record("a", "a failed"), record("b", "b failed"), record("c", "c failed"))
	if got := s.all(); got != "b failed" {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsHeldBackIsCountedExactly(t *testing.T) {
	s := new(sink)
	h := newInhibit(s, route.InhibitOptions{Max: 3})
	var g sync.WaitGroup
	for p := range 4 {
		g.Go(func() {
			for i := range 500 {
				text := [...]string{"down", "failed", "other", "failed"}[(i+p)%4]
				handle(t, h, record(fmt.Sprint(i%5), text))
			}
		})
	}
	g.Wait()
	st := h.Stats()
	if st.Records != 2000 || st.Records != st.Passed+st.Held || int(st.Passed) != s.records || st.Causes != 500 || st.Active > 3 {
		t.Errorf("%+v, delivered %d", st, s.records)
	}
}

func TestInhibitionsOfAnEarlierRunGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newInhibit(new(sink), route.InhibitOptions{For: time.Minute})
		for _, source := range []string{"a", "b", "c"} {
			handle(t, before, record(source, "down"))
			handle(t, before, record(source, "failed"))
			time.Sleep(20 * time.Second)
		}
		list := before.Active() // c, b; a is over
		if len(list) != 2 {
			t.Fatalf("in force: %+v", list)
		}
		list[0].Until = list[0].Until.Add(time.Hour) // more than the rule gives
		s, changes := new(sink), 0
		h := newInhibit(s, route.InhibitOptions{For: time.Minute, OnChange: func() { changes++ }})
		handle(t, h, record("d", "down"))
		h.Restore(append(list, route.Inhibition{Same: "d", Cause: record("d", "older"), Until: time.Now().Add(time.Second)},
			route.Inhibition{Same: "e", Cause: record("e", "over"), Until: time.Now()}))
		for _, source := range []string{"a", "b", "c", "d", "e"} {
			handle(t, h, record(source, "failed"))
		}
		var got []string
		for _, i := range h.Active() {
			got = append(got, fmt.Sprint(i.Same, i.Held, " ", i.Cause.Message(), " ", time.Until(i.Until)))
		}
		if want := []string{"c2 down 1m0s", "d1 down 1m0s", "b2 down 20s"}; !slices.Equal(got, want) {
			t.Errorf("in force %q, want %q", got, want)
		}
		if changes != 4 || len(s.got) != 3 {
			t.Errorf("%d changes; passed: %q", changes, s.got)
		}
		time.Sleep(time.Minute)
		if list := h.Active(); len(list) != 0 {
			t.Errorf("they do not end: %+v", list)
		}
	})
}

// A plain model: the times of all causes.
func TestInhibitionAgreesWithItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type step struct {
			source, text string
			pause        time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "source"),
				rapid.SampledFrom([]string{"down", "failed", "other"}).Draw(rt, "text"),
				time.Duration(rapid.IntRange(0, 70).Draw(rt, "pause")) * time.Second,
			}
		}), 0, 40).Draw(rt, "steps")
		var got, want []string
		synctest.Test(t, func(t *testing.T) {
			s := new(sink)
			h := newInhibit(s, route.InhibitOptions{For: time.Minute})
			last := map[string]time.Time{}
			for i, step := range steps {
				time.Sleep(step.pause)
				text := fmt.Sprint(i, step.text)
				r := record(step.source, text)
				p, before, delivered := h.Preview(r), h.Stats(), s.records
				if h.Stats() != before || (p.Cause || p.Effect) == (step.text == "other") {
					got = append(got, "a preview that counts, or does not know what it sees")
				}
				handle(t, h, r)
				if held := s.records == delivered; held != (p.By != nil) {
					got = append(got, "held back or not, against what was said")
				}
				if at, ok := last[step.source]; step.text == "failed" && ok && time.Since(at) < time.Minute {
					continue
				}
				if step.text == "down" {
					last[step.source] = time.Now()
				}
				want = append(want, text)
			}
			got = append(got, s.got...)
		})
		if !slices.Equal(got, want) {
			rt.Fatalf("got %v, want %v", got, want)
		}
	})
}
