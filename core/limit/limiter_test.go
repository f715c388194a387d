package limit

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errorRecord = func() *core.Record {
	r := &core.Record{Channel: "shop", Level: core.LevelError}
	r.SetMessage("declined")
	return r
}()

func kinds(events []Event) string {
	s := ""
	for _, e := range events {
		s += fmt.Sprintf("%s %d/%d ", e.Kind, e.Count, e.Window)
	}
	return s
}

func TestTheFirstIsShownAtOnceAndRepeatsAreRolledUpWhenTheWindowEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		start := time.Now()
		var got []Event
		var at []time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			l.Run(ctx, func(e Event) { got, at = append(got, e), append(at, time.Since(start)) })
		})
		if e := l.Offer("k", errorRecord, 7); kinds(e) != "show 1/1 " || e[0].Alert != 7 || e[0].Key != "k" {
			t.Errorf("first: %+v", e)
		}
		for range 11 {
			time.Sleep(5 * time.Second)
			if e := l.Offer("k", errorRecord, 7); len(e) != 0 {
				t.Errorf("repeat: %+v", e)
			}
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if kinds(got) != "roll-up 11/12 " || at[0] != time.Minute {
			t.Fatalf("after a minute: %s at %v", kinds(got), at)
		}
		if e := got[0]; !e.First.Equal(start) || e.Last.Sub(start) != 55*time.Second || e.Alert != 7 {
			t.Errorf("roll-up: first %v, last %v, alert %d", e.First, e.Last, e.Alert)
		}
		if e := l.Offer("k", errorRecord, 7); kinds(e) != "show 1/1 " {
			t.Errorf("in the next window: %s", kinds(e))
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(got) != 1 {
			t.Errorf("a quiet window was rolled up: %s", kinds(got))
		}
		cancel()
		done.Wait()
	})
}

func TestBeyondTheCapThereIsOneDigestThatIsUpdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		var got []Event
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { l.Run(ctx, func(e Event) { got = append(got, e) }) })
		var first []Event
		for i := range 40 {
			first = append(first, l.Offer(fmt.Sprint("k", i), errorRecord, uint64(i))...)
		}
		if s := kinds(first); s != "show 1/1 show 1/1 show 1/1 show 1/1 show 1/1 digest 1/1 " || first[5].Update {
			t.Fatalf("at once: %s", s)
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if len(got) != 1 || got[0].Count != 34 || got[0].Window != 35 || got[0].Kinds != 35 || !got[0].Update {
			t.Fatalf("after 10 s: %+v", got)
		}
		if e := l.Offer("k0 again", errorRecord, 1); kinds(e) != "show 1/1 " {
			t.Errorf("after 11 s there is room again: %s", kinds(e))
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(got) != 1 {
			t.Errorf("a digest without news was updated: %s", kinds(got))
		}
		cancel()
		done.Wait()
	})
}

func TestAWindowWhoseNotificationFailedIsTriedAgainAtItsEnd(t *testing.T) {
	l := New(Options{})
	now := time.Now()
	l.offer(offered{"k", errorRecord, 1}, now)
	l.Failed("k")
	if e := l.due(now.Add(time.Minute)); kinds(e) != "roll-up 0/1 " {
		t.Errorf("at the end: %s", kinds(e))
	}
}

func TestARecordThatComesBeforeItsOverdueRollupTakesTheCountAlong(t *testing.T) {
	l := New(Options{})
	now := time.Now()
	l.offer(offered{"k", errorRecord, 1}, now)
	l.offer(offered{"k", errorRecord, 1}, now)
	e, _ := l.offer(offered{"k", errorRecord, 1}, now.Add(time.Hour))
	if kinds(e) != "show 2/1 " {
		t.Errorf("events: %s", kinds(e))
	}
	if s := l.Stats(); s != (Stats{Offered: 3, Shown: 2, RolledUp: 1}) {
		t.Errorf("stats: %+v", s)
	}
}

func TestPruningRollsUpWhatItForgets(t *testing.T) {
	l := New(Options{Size: 9, Cap: -1})
	now := time.Now()
	for i := range 9 {
		l.offer(offered{fmt.Sprint(i), errorRecord, 0}, now.Add(time.Duration(i)))
		l.offer(offered{fmt.Sprint(i), errorRecord, 0}, now.Add(time.Duration(i)))
	}
	e, _ := l.offer(offered{"9", errorRecord, 0}, now.Add(time.Second))
	if kinds(e) != "roll-up 1/2 roll-up 1/2 roll-up 1/2 show 1/1 " || e[0].Key != "0" || e[2].Key != "2" {
		t.Errorf("events: %s %v", kinds(e), e)
	}
	if l.order.Len() != 7 || len(l.windows) != 7 {
		t.Errorf("%d windows are left, want 7", l.order.Len())
	}
}

func TestFlushCountsEverythingAndKeepsTheWindows(t *testing.T) {
	l := New(Options{Cap: 1})
	now := time.Now()
	for range 3 {
		l.offer(offered{"a", errorRecord, 0}, now)
		l.offer(offered{"b", errorRecord, 0}, now)
	}
	if e := l.Flush(); kinds(e) != "roll-up 2/3 digest 2/3 " {
		t.Errorf("flush: %s", kinds(e))
	}
	if e, _ := l.offer(offered{"a", errorRecord, 0}, now); len(e) != 0 {
		t.Errorf("after the flush: %s", kinds(e))
	}
	if e := l.due(now.Add(time.Minute)); kinds(e) != "roll-up 1/4 " {
		t.Errorf("at the end: %s", kinds(e))
	}
}

// For any sequence of records and times: the counts of the events and what is held
// add up to the records, the cap holds in every window of time, no fingerprint
// is shown more often than the limit says, memory is bounded, and nothing is
// left uncounted when all is quiet.
func TestCountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := New(Options{
			Limit: rapid.IntRange(1, 3).Draw(t, "limit"), Delta: rapid.SampledFrom([]time.Duration{time.Second, time.Minute}).Draw(t, "delta"),
			Cap: rapid.SampledFrom([]int{-1, 1, 2, 5}).Draw(t, "cap"), CapDelta: 10 * time.Second, Size: rapid.IntRange(1, 12).Draw(t, "size"),
		})
		now := time.Unix(0, 0)
		ledger := ledger{limiter: l}
		for range rapid.IntRange(1, 200).Draw(t, "records") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 300 * time.Millisecond, 4 * time.Second, 70 * time.Second}).Draw(t, "wait"))
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				ledger.digest = time.Time{} // a flush comes when it comes
				ledger.take(t, l.flush(), now)
				ledger.digest = time.Time{}
			case 1, 2:
				ledger.take(t, l.due(now), now)
			default:
				ledger.offered++
				e, _ := l.offer(offered{fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "key")), errorRecord, 0}, now)
				ledger.take(t, e, now)
			}
			ledger.check(t)
		}
		for { // let time run out
			next, ok := l.next()
			if !ok {
				break
			}
			ledger.take(t, l.due(next), next)
			ledger.check(t)
		}
		if s := l.Stats(); s.Held != 0 || ledger.counted != ledger.offered {
			t.Fatalf("%d of %d records counted, %d held", ledger.counted, ledger.offered, s.Held)
		}
		if l.order.Len() != 0 || len(l.windows) != 0 || l.digest.active {
			t.Fatal("state is left over")
		}
	})
}

type ledger struct {
	limiter          *Limiter
	offered, counted int
	shows            []time.Time
	digest           time.Time // of the last one
}

func (g *ledger) take(t *rapid.T, events []Event, now time.Time) {
	for _, e := range events {
		g.counted += e.Count
		if e.Kind != Show && e.Count == 0 {
			t.Fatalf("%s without any record", e.Kind)
		}
		switch e.Kind {
		case Show:
			g.shows = append(g.shows, now)
			if limit := g.limiter.opts.Cap; limit > 0 && len(g.shows) > limit && now.Sub(g.shows[len(g.shows)-1-limit]) < g.limiter.opts.CapDelta {
				t.Fatalf("more than %d shown within %v", limit, g.limiter.opts.CapDelta)
			}
		case Digest:
			if !g.digest.IsZero() && now.Sub(g.digest) < g.limiter.opts.CapDelta {
				t.Fatalf("two digests within %v", g.limiter.opts.CapDelta)
			}
			g.digest = now
		case Rollup:
		}
	}
}

func (g *ledger) check(t *rapid.T) {
	s := g.limiter.Stats()
	if int(s.Held)+g.counted != g.offered || s.Offered != s.Shown+s.RolledUp+s.Digested+s.Held || int(s.Offered) != g.offered {
		t.Fatalf("offered %d, counted %d, stats %+v", g.offered, g.counted, s)
	}
	if n := len(g.limiter.windows); n > g.limiter.opts.Size || n != g.limiter.order.Len() {
		t.Fatalf("%d windows of at most %d", n, g.limiter.opts.Size)
	}
}

func TestConcurrentOffersAreCountedExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{Delta: time.Second, CapDelta: 100 * time.Millisecond})
		var mu sync.Mutex
		counted := 0
		count := func(es ...Event) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range es {
				counted += e.Count
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var owner, producers sync.WaitGroup
		owner.Go(func() { l.Run(ctx, func(e Event) { count(e) }) })
		for p := range 8 {
			producers.Go(func() {
				for i := range 500 {
					count(l.Offer(fmt.Sprint(i%7), errorRecord, 0)...)
					time.Sleep(time.Duration(p+1) * time.Millisecond)
				}
			})
		}
		producers.Wait()
		time.Sleep(time.Minute)
		cancel()
		owner.Wait()
		if counted != 4000 || l.Stats().Held != 0 {
			t.Errorf("%d of 4000 records counted, %+v", counted, l.Stats())
		}
	})
}

func BenchmarkOfferARepeat(b *testing.B) {
	l := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		l.Offer("k", errorRecord, 1)
	}
}

func BenchmarkLocation(b *testing.B) {
	r := &core.Record{Channel: "shop.checkout", Level: core.LevelError, Site: core.Site{File: "/srv/shop/cart.py", Line: 12}}
	b.ReportAllocs()
	for b.Loop() {
		Location(r)
	}
}
