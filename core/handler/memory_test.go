package handler_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleMemory() {
	memory := handler.NewMemory(handler.MemoryOptions{Target: printer{}, Capacity: 100})
	_ = core.Do(context.Background(), core.Binding{Handler: memory}, func(ctx context.Context) error {
		log := core.NewLogger("job")
		log.InfoContext(ctx, "first")
		fmt.Println("nothing so far")
		log.ErrorContext(ctx, "failed")
		return nil
	})
	// Output:
	// nothing so far
	// INFO first
	// ERROR failed
}

func TestMemoryFlushesByCapacityAndLevel(t *testing.T) {
	var s sink
	m := handler.NewMemory(handler.MemoryOptions{Target: &s, Capacity: 3})
	handle(t, m, info("a"), info("b"))
	s.want(t)
	handle(t, m, info("c"), info("d"), failed("e"), info("f"))
	s.want(t, "a+b+c!buffer", "d+e!buffer")
	if err := errors.Join(m.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	s.want(t, "a+b+c!buffer", "d+e!buffer", "f!buffer")
}

func TestMemoryFlushLevelAndDiscardOnClose(t *testing.T) {
	var s sink
	m := handler.NewMemory(handler.MemoryOptions{Target: &s, FlushLevel: core.LevelCritical, DiscardOnClose: true})
	handle(t, m, failed("a"))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(t)
	if s.closed != 1 {
		t.Errorf("target closed %d times", s.closed)
	}
}

func TestMemoryKeepsWhatTheTargetDoesNotTake(t *testing.T) {
	var s sink
	s.setFail(errBroken)
	m := handler.NewMemory(handler.MemoryOptions{Target: &s, Capacity: 2})
	for i := range 6 {
		if err := m.Handle(t.Context(), info(fmt.Sprint(i))); (i > 0) != errors.Is(err, errBroken) {
			t.Errorf("record %d: %v", i, err)
		}
	}
	if m.Discarded() != 2 {
		t.Errorf("discarded %d, want 2", m.Discarded())
	}
	s.setFail(nil)
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.want(t, "2+3+4+5!buffer")
}

func TestMemoryWithoutTargetDiscards(t *testing.T) {
	m := handler.NewMemory(handler.MemoryOptions{Capacity: 2})
	handle(t, m, info("a"))
	if got := len(m.Buffered()); got != 1 {
		t.Errorf("%d buffered, want 1", got)
	}
	handle(t, m, info("b"))
	if got := len(m.Buffered()); got != 0 {
		t.Errorf("%d buffered after the flush", got)
	}
}

func TestSplitByLevel(t *testing.T) {
	oldOut, oldErr := os.Stdout, os.Stderr
	defer func() { os.Stdout, os.Stderr = oldOut, oldErr }()
	var err error
	if os.Stdout, err = os.Create(t.TempDir() + "/out"); err != nil {
		t.Fatal(err)
	}
	if os.Stderr, err = os.Create(t.TempDir() + "/err"); err != nil {
		t.Fatal(err)
	}
	_ = core.Do(t.Context(), handler.NewSplit(handler.StreamOptions{Formatter: messageOnly(t)}), func(ctx context.Context) error {
		for _, l := range core.Levels() {
			_ = core.NewLogger("x").Log(ctx, l, l.String())
		}
		return nil
	})
	if got := content(t, os.Stdout.Name()); got != "INFO\nNOTICE\nWARNING\n" {
		t.Errorf("stdout %q", got)
	}
	if got := content(t, os.Stderr.Name()); got != "TRACE\nDEBUG\nERROR\nCRITICAL\n" {
		t.Errorf("stderr %q", got)
	}
	_, _ = os.Stdout.Close(), os.Stderr.Close()
}

func TestScopeChangesALoggerForAWhile(t *testing.T) {
	var outer, inner sink
	log := core.NewLogger("foo")
	log.AddHandler(core.Binding{Handler: &outer})
	log.SetLevel(core.LevelInfo)
	say := func(n int, l core.Level) { _ = log.Log(t.Context(), l, fmt.Sprint(n)) }

	say(1, core.LevelInfo)
	say(2, core.LevelDebug)
	end := handler.Scope{Level: core.LevelDebug}.Begin(log)
	say(3, core.LevelDebug)
	_ = end()
	say(4, core.LevelDebug)
	end = handler.Scope{Level: core.LevelDebug, Binding: core.Binding{Handler: &inner, Bubble: true}}.Begin(log)
	say(5, core.LevelDebug)
	if err := errors.Join(end(), end()); err != nil {
		t.Fatal(err)
	}
	say(6, core.LevelInfo)
	say(7, core.LevelDebug)
	outer.want(t, "1", "3", "5", "6")
	inner.want(t, "5")
	if inner.closed != 1 || len(log.Handlers()) != 1 {
		t.Errorf("handler closed %d times, %d handlers left", inner.closed, len(log.Handlers()))
	}

	follower := core.NewLogger("bar")
	_ = handler.Scope{Level: core.LevelDebug, KeepOpen: true}.Begin(follower)()
	if _, set := follower.OwnLevel(); set {
		t.Error("a logger that follows its group does not do so any more")
	}
}

func ExampleScope() {
	log := core.NewLogger("shop")
	log.SetLevel(core.LevelWarning)
	end := handler.Scope{Level: core.LevelDebug, Binding: core.Binding{Handler: printer{}}}.Begin(log)
	log.Debug("a closer look")
	_ = end()
	log.Debug("not any more")
	// Output: DEBUG a closer look
}
