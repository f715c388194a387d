package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
)

func record(text string) *core.Record { return &core.Record{Msg: text} }

// gate is a handler that waits for the test before each delivery.
type gate struct {
	collector *collector
	open      chan struct{}
}

func newGate() *gate { return &gate{newCollector(), make(chan struct{})} }

func (g *gate) Handle(ctx context.Context, r *core.Record) error {
	select {
	case <-g.open:
		return g.collector.Handle(ctx, r)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAsyncDeliversInOrderOnAnotherGoroutine(t *testing.T) {
	c := newCollector()
	a := queue.NewAsync(c, queue.AsyncOptions{})
	for _, text := range texts("r", 5000) {
		if err := a.Handle(t.Context(), record(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts("r", 5000), c.all()); diff != "" {
		t.Error(diff)
	}
	if st := a.Stats(); st.Delivered != 5000 || st.Offered != 5000 || st.Queued != 0 || st.State != queue.AsyncOK {
		t.Errorf("%+v", st)
	}
}

func TestAFullQueueFollowsItsPolicy(t *testing.T) {
	cases := []struct {
		full    queue.Full
		refused int
		want    []string
	}{
		{queue.DropNewest, 2, []string{"r0", "r1", "r2", "r3"}},
		{queue.DropOldest, 0, []string{"r0", "r3", "r4", "r5"}},
	}
	for _, c := range cases {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			a := queue.NewAsync(g, queue.AsyncOptions{Size: 3, Full: c.full})
			refused := 0
			for _, text := range texts("r", 6) { // r0 is in delivery, 3 wait
				if err := a.Handle(t.Context(), record(text)); err != nil {
					if !errors.Is(err, queue.ErrDropped) {
						t.Error(err)
					}
					refused++
				}
				synctest.Wait()
			}
			close(g.open)
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(c.want, g.collector.all()); diff != "" || refused != c.refused {
				t.Errorf("policy %d: %d refused, %s", c.full, refused, diff)
			}
			if st := a.Stats(); st.Dropped != 2 || st.Offered != 6 || st.Delivered != 4 {
				t.Errorf("policy %d: %+v", c.full, st)
			}
		})
	}
}

func TestBlockWaitsForRoomAsLongAsTheContextAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := queue.NewAsync(g, queue.AsyncOptions{Size: 1})
		for _, text := range []string{"in delivery", "waiting"} {
			if err := a.Handle(t.Context(), record(text)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := a.Handle(ctx, record("too late"))
		if !errors.Is(err, queue.ErrDropped) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("at the deadline: %v", err)
		}
		placed := make(chan error)
		go func() { placed <- a.Handle(t.Context(), record("in time")) }()
		synctest.Wait()
		g.open <- struct{}{}
		if err := <-placed; err != nil {
			t.Error(err)
		}
		close(g.open)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"in delivery", "waiting", "in time"}, g.collector.all()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBatchesStayBatches(t *testing.T) {
	c := newCollector()
	a := queue.NewAsync(c, queue.AsyncOptions{Size: 2})
	batch := []*core.Record{record("1"), record("2"), record("3")} // larger than the queue
	if err := core.HandleBatch(t.Context(), a, batch, core.BatchEscalation); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"1", "2", "3"}}, c.batches); diff != "" {
		t.Error(diff)
	}
	if st := a.Stats(); st.Delivered != 3 {
		t.Errorf("%+v", st)
	}
}

func TestRecordsAreKeptAsTheyWereWhenLogged(t *testing.T) {
	g := newGate()
	a := queue.NewAsync(g, queue.AsyncOptions{})
	values := []any{"before"}
	if err := a.Handle(t.Context(), &core.Record{Msg: "{0[0]}", Args: []any{values}}); err != nil {
		t.Fatal(err)
	}
	values[0] = "after"
	close(g.open)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"before"}, g.collector.all()); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsAndPanicsOfTheHandlerAreCountedAndReported(t *testing.T) {
	var reported []string
	h := core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		switch r.Message() {
		case "fails":
			return errors.New("no route to host")
		case "panics":
			panic("index out of range")
		case "passes":
			return core.ErrPass
		}
		return nil
	})
	a := queue.NewAsync(h, queue.AsyncOptions{OnError: func(err error, records int) {
		first, _, _ := strings.Cut(err.Error(), "\n")
		reported = append(reported, first)
		if records != 1 {
			t.Errorf("%d records", records)
		}
	}})
	for _, text := range []string{"fine", "panics", "passes", "fails"} {
		if err := a.Handle(t.Context(), record(text)); err != nil {
			t.Errorf("%s: the error reached the one who logs: %v", text, err)
		}
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := a.Stats()
	if st.State != queue.AsyncFailing || st.Err == nil || st.Err.Error() != "no route to host" || st.Failed != 2 || st.Delivered != 2 {
		t.Errorf("after an error: %+v", st)
	}
	if err := a.Handle(t.Context(), record("fine")); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if st := a.Stats(); st.State != queue.AsyncOK || st.Err != nil {
		t.Errorf("after a success: %+v", st)
	}
	if diff := cmp.Diff([]string{"panic: index out of range", "no route to host"}, reported); diff != "" {
		t.Error(diff)
	}
}

func TestADeliveryThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		h := core.HandlerFunc(func(context.Context, *core.Record) error {
			if at = append(at, time.Since(start)); len(at) < 4 {
				return errors.New("not yet")
			}
			return nil
		})
		a := queue.NewAsync(h, queue.AsyncOptions{Retries: 5, RetryDelay: time.Second})
		if err := a.Handle(t.Context(), record("x")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if st := a.Stats(); st.State != queue.AsyncRetrying || st.Err == nil || st.Next.Sub(start) != time.Second {
			t.Errorf("meanwhile: %+v", st)
		}
		if err := a.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, at); diff != "" {
			t.Error(diff)
		}
		if st := a.Stats(); st.Delivered != 1 || st.Failed != 0 || !st.Next.IsZero() {
			t.Errorf("%+v", st)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

// flusher is a handler that holds records back until it is flushed.
type flusher struct {
	*collector
	held   []string
	closed int
}

func (f *flusher) Handle(_ context.Context, r *core.Record) error {
	f.held = append(f.held, r.Message())
	return nil
}

func (f *flusher) Flush(context.Context) error {
	for _, text := range f.held {
		f.add(text)
	}
	f.held = nil
	return nil
}

func (f *flusher) Close() error { f.closed++; return nil }

func TestFlushReachesTheHandlerAfterTheRecordsBeforeIt(t *testing.T) {
	f := &flusher{collector: newCollector()}
	a := queue.NewAsync(f, queue.AsyncOptions{})
	for _, text := range texts("r", 100) {
		if err := a.Handle(t.Context(), record(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := core.Flush(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got := len(f.all()); got != 100 {
		t.Errorf("%d were flushed", got)
	}
	if err := a.Close(); err != nil || f.closed != 1 {
		t.Errorf("close: %v, handler closed %d times", err, f.closed)
	}
	if err := a.Close(); err != nil || f.closed != 1 {
		t.Errorf("second close: %v, handler closed %d times", err, f.closed)
	}
	if err := a.Handle(t.Context(), record("x")); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestCloseGivesUpAtItsDeadlineAndCountsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate() // never opened: the delivery in progress ends with its context
		a := queue.NewAsync(g, queue.AsyncOptions{CloseTimeout: 2 * time.Second})
		for _, text := range texts("r", 4) {
			if err := a.Handle(t.Context(), record(text)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		start := time.Now()
		err := a.Close()
		if err == nil || err.Error() != "close: record dropped: 3 left in the queue" || !errors.Is(err, queue.ErrDropped) {
			t.Error(err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		if st := a.Stats(); st.Dropped != 3 || st.Failed != 1 || st.Queued != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestEveryRecordOfferedIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var mu sync.Mutex
		var got []string
		h := core.HandlerFunc(func(_ context.Context, r *core.Record) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, r.Message())
			return nil
		})
		a := queue.NewAsync(h, queue.AsyncOptions{
			Size: rapid.IntRange(1, 10).Draw(t, "size"),
			Full: rapid.SampledFrom([]queue.Full{queue.Block, queue.DropNewest, queue.DropOldest}).Draw(t, "full"),
		})
		offered := uint64(0)
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 5), 0, 60).Draw(t, "batches") {
			switch n {
			case 0:
				if err := a.Flush(context.Background()); err != nil {
					t.Fatal(err)
				}
				continue
			case 1:
				_ = a.Handle(context.Background(), record("x")) // refused records are counted below
			default:
				_ = a.HandleBatch(context.Background(), slices.Repeat([]*core.Record{record("x")}, n), core.BatchBuffer)
			}
			offered += uint64(n)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		st := a.Stats()
		if st.Offered != offered || st.Delivered+st.Dropped != offered || st.Queued != 0 || uint64(len(got)) != st.Delivered {
			t.Fatalf("%d offered, %d handled: %+v", offered, len(got), st)
		}
	})
}
