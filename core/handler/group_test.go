package handler_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleGroup() {
	group := handler.NewGroup(handler.GroupOptions{Handler: printer{}})
	_ = core.Do(context.Background(), core.Binding{Handler: group}, func(ctx context.Context) error {
		core.NewLogger("job").InfoContext(ctx, "started")
		core.NewLogger("job").InfoContext(ctx, "ended")
		fmt.Println("nothing so far")
		return nil
	})
	// Output:
	// nothing so far
	// INFO started
	// INFO ended
}

func TestGroupDeliversOneBatchWhenTheBindingEnds(t *testing.T) {
	var s sink
	g := handler.NewGroup(handler.GroupOptions{Handler: &s})
	remove := core.Install(core.Binding{Handler: g, Filter: func(r *core.Record) bool { return r.Channel == t.Name() }})
	log := core.NewLogger(t.Name())
	log.Info("a")
	log.Error("b")
	s.want(t)
	if got := len(g.Buffered()); got != 2 {
		t.Errorf("%d records buffered, want 2", got)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	s.want(t, "a+b!group")
}

func TestGroupTriesAgainWhatFailed(t *testing.T) {
	var s sink
	s.setFail(errBroken)
	g := handler.NewGroup(handler.GroupOptions{Handler: &s})
	handle(t, g, info("a"))
	if err := g.Flush(t.Context()); !errors.Is(err, errBroken) {
		t.Fatalf("error %v", err)
	}
	handle(t, g, info("b"))
	s.setFail(nil)
	if err := errors.Join(g.Close(), g.Close()); err != nil {
		t.Fatal(err)
	}
	s.want(t, "a+b!group")
}

func TestGroupIsBounded(t *testing.T) {
	var s sink
	g := handler.NewGroup(handler.GroupOptions{Handler: &s, MaxRecords: 2})
	handle(t, g, info("a"), info("b"), info("c"))
	s.want(t, "a+b!group")
	s.setFail(errBroken)
	for range 5 {
		_ = g.Handle(t.Context(), info("d")) // fails when the group is full
	}
	if got := len(g.Buffered()); got != 2 {
		t.Errorf("%d records held while the handler fails, want 2", got)
	}
}

func TestGroupConcurrently(t *testing.T) {
	var s sink
	g := handler.NewGroup(handler.GroupOptions{Handler: single{&s}})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				_ = g.Handle(t.Context(), info("x"))
			}
			_ = g.Flush(t.Context())
		})
	}
	wg.Wait()
	if len(s.got) != 400 {
		t.Errorf("%d records delivered, want 400", len(s.got))
	}
}

// Seed bug 41: what a wrapped handler can do beyond handling a record was lost.
func TestWrapperForwardsEverything(t *testing.T) {
	var s sink
	w := struct{ handler.Wrapper }{handler.Wrapper{Next: &s}}
	handle(t, w, info("a"))
	if err := errors.Join(
		core.HandleBatch(t.Context(), w, []*core.Record{info("b"), info("c")}, core.BatchGroup),
		core.Flush(t.Context(), w), core.Close(w),
	); err != nil {
		t.Fatal(err)
	}
	s.want(t, "a", "b+c!group")
	if s.flushed != 1 || s.closed != 1 || w.Unwrap() != core.Handler(&s) {
		t.Errorf("flushed %d, closed %d times", s.flushed, s.closed)
	}
}

func TestFanDeliversToAll(t *testing.T) {
	var a, b sink
	a.setFail(errBroken)
	pass := core.HandlerFunc(func(context.Context, *core.Record) error { return core.ErrPass })
	fan := handler.Fan{&a, pass, &b}
	if err := fan.Handle(t.Context(), info("x")); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
	b.want(t, "x")
	if err := (handler.Fan{pass, pass}).Handle(t.Context(), info("x")); !errors.Is(err, core.ErrPass) {
		t.Errorf("all passed: %v", err)
	}
	if err := errors.Join(fan.Flush(t.Context()), fan.Close()); err != nil || a.closed+b.closed != 2 || a.flushed+b.flushed != 2 {
		t.Errorf("flush and close: %v", err)
	}
}

// TestNullHandler: a blackhole swallows what is below a handler for errors.
func TestNullHandler(t *testing.T) {
	var below, above sink
	_ = core.Do(t.Context(), core.Setups{
		core.Binding{Handler: &below}, core.Binding{}, core.Binding{Handler: &above, Level: core.LevelError},
	}, func(ctx context.Context) error {
		core.NewLogger("x").InfoContext(ctx, "info")
		core.NewLogger("x").ErrorContext(ctx, "error")
		return nil
	})
	above.want(t, "error")
	below.want(t)
	if err := (handler.Null{}).Handle(t.Context(), info("x")); err != nil {
		t.Error(err)
	}
}

// TestNullHandlerFiltering: seed bug 6, a NullHandler ignored its filter.
func TestNullHandlerFiltering(t *testing.T) {
	var below sink
	_ = core.Do(t.Context(), core.Setups{
		core.Binding{Handler: &below},
		core.Binding{Filter: func(r *core.Record) bool { return r.Channel == "noise" }},
	}, func(ctx context.Context) error {
		core.NewLogger("noise").InfoContext(ctx, "swallowed")
		core.NewLogger("x").InfoContext(ctx, "kept")
		return nil
	})
	below.want(t, "kept")
}
