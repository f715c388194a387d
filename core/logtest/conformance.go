package logtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// patience is how long a handler may take for what should be at once.
const patience = 20 * time.Second

// TestHandlerConformance checks a handler that works: that it can be used
// concurrently and closed twice, takes batches, odd records and cancelled contexts,
// changes no record and keeps none that may still change. newHandler returns a fresh
// handler for each check; it may register clean-up of its own, the handler itself is
// closed here. Run it under the race detector, in a package that looks for leaked
// goroutines.
func TestHandlerConformance(t *testing.T, newHandler func(t *testing.T) core.Handler) {
	t.Helper()
	checks := []struct {
		name  string
		check func(t *testing.T, h core.Handler)
	}{
		{"concurrent use", concurrentUse},
		{"closed twice", closedTwice},
		{"batches", batches},
		{"odd records", oddRecords},
		{"a cancelled context", cancelledContext},
		{"no record is changed", noRecordChanged},
		{"no record is kept as it is", noRecordKept},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			h := newHandler(t)
			defer func() {
				if err := core.Close(h); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			c.check(t, h)
		})
	}
}

// newRecord returns a frozen record as a dispatch would make it.
func newRecord(level core.Level, msg string, args ...any) *core.Record {
	r := &core.Record{
		Channel: "conformance", Level: level, Msg: msg, Args: args, Time: time.Now().UTC(), Seq: core.NextSeq(),
		Site: core.Site{File: "/srv/shop/cart.py", Line: 42, Function: "pay", Module: "shop"}, Extra: core.Extra("order", 4711),
	}
	r.Message()
	return r
}

// handle fails the test if h does not take r in time.
func handle(ctx context.Context, t *testing.T, h core.Handler, r *core.Record) error {
	t.Helper()
	return inTime(t, "Handle", func() error { return h.Handle(ctx, r) })
}

// inTime calls f and fails the test if it panics or takes too long.
func inTime(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("%s panics: %v", what, v)
				done <- nil
			}
		}()
		done <- f()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s takes longer than %v", what, patience)
		return nil
	}
}

func unexpected(err error) bool { return err != nil && !errors.Is(err, core.ErrPass) }

func concurrentUse(t *testing.T, h core.Handler) {
	const goroutines, records = 4, 25
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range records {
				if err := h.Handle(t.Context(), newRecord(core.LevelError, "{0} of {1}", i, g)); unexpected(err) {
					t.Errorf("Handle: %v", err)
					return
				}
			}
		})
	}
	_ = inTime(t, "concurrent use", func() error { wg.Wait(); return nil })
	if err := inTime(t, "Flush", func() error { return core.Flush(t.Context(), h) }); err != nil {
		t.Errorf("Flush: %v", err)
	}
}

func closedTwice(t *testing.T, h core.Handler) {
	if err := handle(t.Context(), t, h, newRecord(core.LevelError, "before")); unexpected(err) {
		t.Errorf("Handle: %v", err)
	}
	for _, when := range []string{"first", "second"} {
		if err := inTime(t, "Close", func() error { return core.Close(h) }); err != nil {
			t.Errorf("Close for the %s time: %v", when, err)
		}
	}
	// A record that comes too late may be refused, but not with a panic.
	_ = handle(t.Context(), t, h, newRecord(core.LevelError, "after"))
	_ = inTime(t, "Flush after Close", func() error { return core.Flush(t.Context(), h) })
}

func batches(t *testing.T, h core.Handler) {
	for _, why := range []core.BatchReason{core.BatchBuffer, core.BatchEscalation, core.BatchGroup} {
		rs := []*core.Record{newRecord(core.LevelDebug, "first"), newRecord(core.LevelInfo, "second"), newRecord(core.LevelError, "third")}
		for n := len(rs); n >= 0; n-- { // the empty batch, too
			what := fmt.Sprintf("a batch of %d because of %s", n, why)
			err := inTime(t, what, func() error { return core.HandleBatch(t.Context(), h, rs[:n], why) })
			if unexpected(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

func oddRecords(t *testing.T, h core.Handler) {
	long := newRecord(core.LevelError, strings.Repeat("long ", 100_000))
	nested := newRecord(core.LevelError, "nested")
	ring := []any{1}
	ring[0] = ring
	nested.Extra = core.Extra("ring", ring, "f", func() {}, "nil", nil, "", map[string]any{"a": []any{1.5, nil}})
	withException := newRecord(core.LevelCritical, "exception")
	withException.Exception = &core.Exception{Name: "builtins.ValueError", Message: "two\nlines", Traceback: "Traceback:\n  x\n"}
	records := map[string]*core.Record{
		"empty":               {},
		"without a level":     newRecord(core.LevelNotSet, "x"),
		"an unknown level":    newRecord(37, "x"),
		"control characters":  newRecord(core.LevelError, "a\r\nSubject: b\x00\x1b[31m\u202e"),
		"invalid text":        newRecord(core.LevelError, "\xff\xfe"),
		"a wrong message":     newRecord(core.LevelError, "{0} {1}", "x"),
		"an argument is nil":  newRecord(core.LevelError, "{0}", nil),
		"a long message":      long,
		"nested extra data":   nested,
		"with an exception":   withException,
		"an empty exception":  {Level: core.LevelError, Exception: &core.Exception{}},
		"come from elsewhere": core.NewReceived(&core.Record{Level: core.LevelError, Msg: "x"}, core.Source{Name: "zmq", Peer: "::1"}, time.Now()),
	}
	for name, r := range records {
		r.Message()
		if err := handle(t.Context(), t, h, r); unexpected(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func cancelledContext(t *testing.T, h core.Handler) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// It may deliver or say that it did not; it may not hang.
	_ = handle(ctx, t, h, newRecord(core.LevelError, "x"))
	_ = inTime(t, "HandleBatch", func() error {
		return core.HandleBatch(ctx, h, []*core.Record{newRecord(core.LevelError, "x")}, core.BatchGroup)
	})
	_ = inTime(t, "Flush", func() error { return core.Flush(ctx, h) })
}

func noRecordChanged(t *testing.T, h core.Handler) {
	r := newRecord(core.LevelError, "{0}", []any{1})
	before := r.Clone()
	_ = handle(t.Context(), t, h, r)
	if !reflect.DeepEqual(before, r.Clone()) {
		t.Errorf("the record was %+v and is %+v", before, r)
	}
}

// probe is a value whose text may be asked for while a record is handled, but
// not later.
type probe struct {
	t    *testing.T
	late *atomic.Bool
}

func (p probe) String() string {
	if p.late.Load() {
		p.t.Error("a value of a record is looked at after Handle has returned: keep what Record.Keep returns")
	}
	return "probe"
}

func noRecordKept(t *testing.T, h core.Handler) {
	late := new(atomic.Bool)
	r := newRecord(core.LevelError, "{0}", probe{t, late})
	r.Extra.Set("probe", probe{t, late})
	_ = handle(t.Context(), t, h, r)
	late.Store(true)
	_ = inTime(t, "Flush", func() error { return core.Flush(t.Context(), h) })
	_ = handle(t.Context(), t, h, newRecord(core.LevelCritical, "what may set a buffer free"))
	_ = inTime(t, "Close", func() error { return core.Close(h) })
}

// TestHandlerFailure checks a handler that cannot deliver, because its disk is full or
// its server is gone: that it says so with an error in time, neither by a panic nor
// only by what it prints, and that the error gets to where [core.Flags] say. It
// returns the error for further checks. A handler that delivers later fails at Flush
// or Close.
func TestHandlerFailure(t *testing.T, newHandler func(t *testing.T) core.Handler) error {
	t.Helper()
	h := newHandler(t)
	var below TestHandler
	ctx, end := core.Bind(t.Context(), core.Setups{
		core.Binding{Handler: &below}, core.Binding{Handler: h, Bubble: true}, core.Flags{Errors: core.ErrorsRaise},
	})
	raised := inTime(t, "Log", func() error { return core.NewLogger("conformance").Log(ctx, core.LevelError, "x") })
	ended := inTime(t, "end", end)
	closed := inTime(t, "Close", func() error { return core.Close(h) })
	err := errors.Join(raised, ended, closed)
	if err == nil {
		t.Error("no error although it cannot deliver")
	}
	if raised != nil && ended == nil {
		t.Error("the error was not kept for who bound the flags")
	}
	if below.Len() != 1 {
		t.Errorf("the handler below has %d records, want 1", below.Len())
	}
	return err
}
