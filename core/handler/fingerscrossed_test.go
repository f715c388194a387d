package handler_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func ExampleFingersCrossed() {
	log := core.NewLogger("shop")
	crossed := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: printer{}})
	_ = core.Do(context.Background(), core.Binding{Handler: crossed}, func(ctx context.Context) error {
		log.DebugContext(ctx, "cart has {} items", 3)
		log.InfoContext(ctx, "paying order {}", 4711)
		fmt.Println("nothing so far")
		log.ErrorContext(ctx, "payment declined")
		return nil
	})
	// Output:
	// nothing so far
	// DEBUG cart has 3 items
	// INFO paying order 4711
	// ERROR payment declined
}

type printer struct{}

func (printer) Handle(_ context.Context, r *core.Record) error {
	fmt.Println(r.Level, r.Message())
	return nil
}

func TestFingersCrossed(t *testing.T) {
	var logs logtest.TestHandler
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &logs, ActionLevel: core.LevelWarning})
	key := h.Key(debug(""))
	handle(t, h, debug("some debug info"), info("some info"))
	if logs.Len() != 0 || h.Triggered(key) {
		t.Fatalf("%d records delivered, triggered %v, before anything severe came", logs.Len(), h.Triggered(key))
	}
	handle(t, h, warning("something happened"))
	if !logs.HasDebug("some debug info") || !logs.HasInfo("some info") || !logs.HasWarning("something happened") {
		t.Errorf("after the trigger: %q", logs.Formatted())
	}
	if !h.Triggered(key) {
		t.Error("not triggered")
	}
	handle(t, h, info("something unimportant happened"))
	if !logs.HasInfo("something unimportant happened") {
		t.Error("a later record did not pass straight on")
	}
}

func TestFingersCrossedFactory(t *testing.T) {
	made := 0
	var logs *logtest.TestHandler
	var first []string
	factory := func(trigger *core.Record, buffered []*core.Record) (core.Handler, error) {
		made++
		first = append(first, buffered[0].Message()+" .. "+trigger.Message())
		logs = new(logtest.TestHandler)
		return logs, nil
	}
	for range 2 { // a fresh one calls the factory again
		h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Factory: factory, ActionLevel: core.LevelWarning, Key: handler.SingleKey})
		handle(t, h, info("some info"))
		if h.Triggered("") {
			t.Error("triggered by an info")
		}
		handle(t, h, warning("a warning"))
		if !h.Triggered("") || !logs.HasInfo("some info") || !logs.HasWarning("a warning") {
			t.Errorf("after the trigger: %q", logs.Formatted())
		}
		handle(t, h, failed("an error"))
		if !logs.HasError("an error") {
			t.Errorf("after the second severe record: %q", logs.Formatted())
		}
	}
	if made != 2 {
		t.Errorf("factory called %d times for two handlers", made)
	}
	if first[0] != "some info .. a warning" {
		t.Errorf("factory was told %q", first[0])
	}
}

func TestFingersCrossedBufferSize(t *testing.T) {
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s, BufferSize: 3})
	handle(t, h, info("never gonna give you up"), warning("aha"), warning("aha2"), failed("whatever"))
	s.want(t, "aha+aha2+whatever!escalation")
	if got := h.Stats().Discarded; got != 1 {
		t.Errorf("discarded %d, want 1", got)
	}
}

// Seed bug 39: with reset, the flag that the buffer was full stayed set, so
// that after the first trigger everything was lost.
func TestFingersCrossedResetWithBufferSize(t *testing.T) {
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s, BufferSize: 3, Reset: true})
	for i := range 2 {
		handle(t, h, debug("a"), debug("b"), debug("c"), failed(fmt.Sprint("boom ", i)))
		if h.Triggered(h.Key(debug(""))) {
			t.Error("triggered although it resets")
		}
	}
	s.want(t, "b+c+boom 0!escalation", "b+c+boom 1!escalation")
}

// Seed bug 40: the reason that was configured was ignored.
func TestFingersCrossedUsesItsBatchReason(t *testing.T) {
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s, Reason: core.BatchBuffer})
	handle(t, h, failed("boom"))
	s.want(t, "boom!buffer")
}

// Seed bug 7: the name of a level was not looked up.
func TestFingersCrossedActionLevelByName(t *testing.T) {
	level, err := core.ParseLevel("WARNING")
	if err != nil {
		t.Fatal(err)
	}
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s, ActionLevel: level})
	handle(t, h, warning("aha"))
	s.want(t, "aha!escalation")
}

func TestFingersCrossedKeepsSourcesApart(t *testing.T) {
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s})
	other := rec(core.LevelDebug, "mail.queue", "other channel")
	worker := debug("other process")
	worker.Process.ID = 8
	elsewhere := debug("other source")
	elsewhere.Source.Name = "phone"
	handle(t, h, debug("same"), other, worker, elsewhere, failed("boom"))
	s.want(t, "same+boom!escalation")
	if got := len(h.Buffered(h.Key(other))); got != 1 {
		t.Errorf("%d records left of the other channel, want 1", got)
	}
}

func TestTheKeyIgnoresThePortOfTheSender(t *testing.T) {
	a, b, c := debug(""), debug(""), debug("")
	a.Source.Peer, b.Source.Peer, c.Source.Peer = "[::1]:50000", "[::1]:50001", "@socket"
	if handler.DefaultKey(a) != handler.DefaultKey(b) {
		t.Error("two connections of a process have different keys")
	}
	if handler.DefaultKey(a) == handler.DefaultKey(c) {
		t.Error("two senders have the same key")
	}
}

func TestFingersCrossedShowsWhatIsBuffered(t *testing.T) {
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: handler.Null{}})
	handle(t, h, debug("a"), rec(core.LevelInfo, "mail", "b"), debug("c"))
	if diff := cmp.Diff([]string{h.Key(debug("")), h.Key(rec(0, "mail", ""))}, h.Keys()); diff != "" {
		t.Errorf("keys, last used first:\n%s", diff)
	}
	var got []string
	for _, r := range h.Buffered(h.Key(debug(""))) {
		got = append(got, r.Message())
	}
	if diff := cmp.Diff([]string{"a", "c"}, got); diff != "" {
		t.Errorf("buffered:\n%s", diff)
	}
	if h.Buffered("no such key") != nil {
		t.Error("records for a key that does not exist")
	}
}

func TestFingersCrossedBoundsTheNumberOfKeys(t *testing.T) {
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{
		Handler: &s, MaxKeys: 2, Key: func(r *core.Record) string { return r.Channel },
	})
	handle(t, h, rec(core.LevelInfo, "a", "1"), rec(core.LevelInfo, "b", "2"), rec(core.LevelInfo, "a", "3"), rec(core.LevelInfo, "c", "4"))
	if diff := cmp.Diff([]string{"c", "a"}, h.Keys()); diff != "" {
		t.Errorf("keys: the one not used for longest goes\n%s", diff)
	}
	if st := h.Stats(); st.Records != 3 || st.Discarded != 1 || st.Keys != 2 {
		t.Errorf("stats %+v", st)
	}
}

func TestFingersCrossedBoundsItsMemory(t *testing.T) {
	const limit = 100 << 10
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: handler.Null{}, MaxBytes: limit, BufferSize: -1})
	big := strings.Repeat("x", 10<<10)
	for i := range 50 {
		handle(t, h, rec(core.LevelInfo, fmt.Sprintf("channel%d", i%3), big))
		if got := h.Stats().Bytes; got > limit {
			t.Fatalf("%d bytes held, limit %d", got, limit)
		}
	}
	handle(t, h, rec(core.LevelInfo, "huge", strings.Repeat("x", 2*limit)))
	if st := h.Stats(); st.Records != 1 {
		t.Errorf("the newest record must stay whatever its size: %+v", st)
	}
}

func TestFingersCrossedCountsExactly(t *testing.T) {
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s, Reset: true})
	handle(t, h, debug("a"), debug("b"), failed("c"))
	if st := h.Stats(); st.Records != 0 || st.Bytes != 0 || st.Escalations != 1 {
		t.Errorf("after an escalation: %+v", st)
	}
}

func TestFingersCrossedLosesNothingWhenTheHandlerFails(t *testing.T) {
	for _, reset := range []bool{false, true} {
		var s sink
		s.setFail(errBroken)
		h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s, Reset: reset})
		handle(t, h, debug("a"))
		if err := h.Handle(t.Context(), failed("b")); !errors.Is(err, errBroken) {
			t.Fatalf("error %v, want that of the handler", err)
		}
		if h.Triggered(h.Key(debug(""))) {
			t.Error("triggered although nothing was delivered")
		}
		handle(t, h, debug("c"))
		s.setFail(nil)
		handle(t, h, failed("d"))
		s.want(t, "a+b+c+d!escalation")
	}
}

func TestFingersCrossedFlushRetriesWhatFailed(t *testing.T) {
	var s sink
	s.setFail(errBroken)
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s})
	handle(t, h, debug("a"))
	_ = h.Handle(t.Context(), failed("b")) // fails, as tested above
	handle(t, h, debug("c"))
	s.setFail(nil)
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.want(t, "a+b!escalation")
	if s.flushed != 1 {
		t.Errorf("the handler behind was flushed %d times, want 1", s.flushed)
	}
}

func TestFingersCrossedFlushKeepsWhatIsOnlyBuffered(t *testing.T) {
	var s sink
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &s})
	err := core.Do(t.Context(), core.Binding{Handler: h}, func(ctx context.Context) error {
		core.NewLogger("shop").InfoContext(ctx, "all is well")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.want(t)
	if h.Stats().Records != 1 {
		t.Errorf("stats %+v", h.Stats())
	}
}

// A handler that takes single records is offered again only those that failed.
func TestFingersCrossedRetriesSingleRecords(t *testing.T) {
	var got []string
	refuse := "b"
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Reset: true, Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		if r.Message() == refuse {
			return errBroken
		}
		got = append(got, r.Message())
		return nil
	})})
	handle(t, h, debug("a"), debug("b"))
	if err := h.Handle(t.Context(), failed("c")); !errors.Is(err, errBroken) {
		t.Fatalf("error %v", err)
	}
	refuse = ""
	handle(t, h, failed("d"))
	if diff := cmp.Diff([]string{"a", "c", "b", "d"}, got); diff != "" {
		t.Errorf("delivered:\n%s", diff)
	}
}

func TestFingersCrossedFactoryThatFails(t *testing.T) {
	var s sink
	broken := true
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Factory: func(*core.Record, []*core.Record) (core.Handler, error) {
		if broken {
			return nil, errBroken
		}
		return &s, nil
	}})
	handle(t, h, debug("a"))
	if err := h.Handle(t.Context(), failed("b")); !errors.Is(err, errBroken) {
		t.Fatalf("error %v", err)
	}
	broken = false
	handle(t, h, failed("c"))
	s.want(t, "a+b+c!escalation")
}

func TestFingersCrossedClosesWhatTheFactoryMade(t *testing.T) {
	var mu sync.Mutex
	made := map[string]*sink{}
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{
		MaxKeys: 1, Key: func(r *core.Record) string { return r.Channel },
		Factory: func(r *core.Record, _ []*core.Record) (core.Handler, error) {
			mu.Lock()
			defer mu.Unlock()
			made[r.Channel] = new(sink)
			return made[r.Channel], nil
		},
	})
	handle(t, h, rec(core.LevelError, "a", "1"), rec(core.LevelError, "b", "2"))
	if made["a"].closed != 1 {
		t.Errorf("the handler of a key that made way was closed %d times", made["a"].closed)
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if made["a"].closed != 1 || made["b"].closed != 1 {
		t.Errorf("closed %d and %d times, want once each", made["a"].closed, made["b"].closed)
	}
	if err := h.Handle(t.Context(), rec(core.LevelInfo, "b", "3")); !errors.Is(err, handler.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestFingersCrossedPullsInformation(t *testing.T) {
	var logs logtest.TestHandler
	items := []any{"apple"}
	h := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: &logs})
	_ = core.Do(t.Context(), core.Binding{Handler: h}, func(ctx context.Context) error {
		log := core.NewLogger("shop")
		log.InfoContext(ctx, "cart", core.Extra("items", items))
		items[0] = "pear"
		log.ErrorContext(ctx, "boom")
		return nil
	})
	first := logs.Records()[0]
	if got := fmt.Sprint(first.Extra.Get("items")); got != "[apple]" {
		t.Errorf("extra value %s, want it as it was when it was logged", got)
	}
	if !strings.HasSuffix(first.Caller().File, "fingerscrossed_test.go") {
		t.Errorf("place %+v", first.Caller())
	}
}
