package handler_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroken = errors.New("broken")

// sink records what it is given, batches apart from single records. While fail
// is set it takes nothing.
type sink struct {
	mu      sync.Mutex
	got     []string // messages; "a+b+c!escalation" for a batch
	batches int
	flushed int
	closed  int
	fail    error
}

func (s *sink) Handle(_ context.Context, r *core.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.got = append(s.got, r.Message())
	return nil
}

func (s *sink) HandleBatch(_ context.Context, rs []*core.Record, why core.BatchReason) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	text := ""
	for i, r := range rs {
		if i > 0 {
			text += "+"
		}
		text += r.Message()
	}
	s.got = append(s.got, text+"!"+string(why))
	s.batches++
	return nil
}

func (s *sink) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed++
	return nil
}
func (s *sink) Close() error { s.mu.Lock(); defer s.mu.Unlock(); s.closed++; return nil }

func (s *sink) setFail(err error) { s.mu.Lock(); defer s.mu.Unlock(); s.fail = err }

func (s *sink) want(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}

// single hides that sink takes batches.
type single struct{ *sink }

func (s single) HandleBatch() {} // another signature: no core.BatchHandler

var now = time.Date(2026, 11, 20, 21, 3, 41, 769068000, time.UTC)

// rec makes a record as it comes from the wire.
func rec(level core.Level, channel, msg string) *core.Record {
	r := &core.Record{Level: level, Channel: channel, Msg: msg, Time: now, Process: core.Process{ID: 7}}
	r.Message()
	return core.NewReceived(r, core.Source{Name: "test"}, now)
}

func at(level core.Level, msg string, when time.Time) *core.Record {
	r := rec(level, "testlogger", msg)
	r.Time = when
	return r
}

func handle(t *testing.T, h core.Handler, rs ...*core.Record) {
	t.Helper()
	for _, r := range rs {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatalf("handle %q: %v", r.Message(), err)
		}
	}
}

func debug(msg string) *core.Record   { return rec(core.LevelDebug, "shop.cart", msg) }
func info(msg string) *core.Record    { return rec(core.LevelInfo, "shop.cart", msg) }
func warning(msg string) *core.Record { return rec(core.LevelWarning, "shop.cart", msg) }
func failed(msg string) *core.Record  { return rec(core.LevelError, "shop.pay", msg) }

// short is the format of Logbook's own file tests.
func short(t *testing.T) format.Formatter {
	t.Helper()
	f, err := format.NewString("{record.level_name}:{record.channel}:{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func messageOnly(t *testing.T) format.Formatter {
	t.Helper()
	f, err := format.NewString("{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// syncBuffer is a buffer for concurrent writers that counts writes.
type syncBuffer struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	writes int
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.buf.String() }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
