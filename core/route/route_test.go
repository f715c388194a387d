package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/logtest"
	"github.com/logbook-tray/logbook-tray/core/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func record(source, message string) *core.Record {
	r := &core.Record{Channel: "shop", Level: core.LevelError}
	r.SetMessage(message)
	return core.NewReceived(r, core.Source{Name: source}, time.Now())
}

func says(text string) func(*core.Record) bool {
	return func(r *core.Record) bool { return strings.Contains(r.Message(), text) }
}

// sink writes down what it gets: "a" for a record, "group[a b]" for a batch.
type sink struct {
	mu      sync.Mutex
	got     []string
	records int
	err     error
	panics  bool
	closed  int
	late    int           // deliveries after Close
	hang    chan struct{} // if not nil, deliveries wait for it to be closed
}

func (s *sink) Handle(ctx context.Context, r *core.Record) error { return s.take(ctx, r.Message(), 1) }

func (s *sink) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	texts := make([]string, len(rs))
	for i, r := range rs {
		texts[i] = r.Message()
	}
	return s.take(ctx, fmt.Sprintf("%s%v", why, texts), len(rs))
}

func (s *sink) take(ctx context.Context, text string, n int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.hang != nil {
		<-s.hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, text)
	s.records += n
	if s.closed > 0 {
		s.late++
	}
	if s.panics {
		panic("boom")
	}
	return s.err
}

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

func (s *sink) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.got, ", ")
}

func handle(t *testing.T, h core.Handler, rs ...*core.Record) {
	t.Helper()
	for _, r := range rs {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func batch(t *testing.T, h core.Handler, why core.BatchReason, rs ...*core.Record) {
	t.Helper()
	if err := core.HandleBatch(t.Context(), h, rs, why); err != nil {
		t.Fatal(err)
	}
}

func TestTheHandlersConform(t *testing.T) {
	for name, h := range map[string]func() core.Handler{
		"inhibit": func() core.Handler {
			return route.NewInhibit(route.InhibitOptions{Handler: new(sink), Cause: says("first"), Effect: says("third")})
		},
		"wait":             func() core.Handler { return route.NewWait(route.WaitOptions{Handler: new(sink), For: time.Hour}) },
		"wait for nothing": func() core.Handler { return route.NewWait(route.WaitOptions{Handler: new(sink)}) },
	} {
		t.Run(name, func(t *testing.T) {
			logtest.TestHandlerConformance(t, func(*testing.T) core.Handler { return h() })
		})
	}
	t.Run("failing", func(t *testing.T) {
		full := errors.New("disk full")
		err := logtest.TestHandlerFailure(t, func(*testing.T) core.Handler {
			return route.NewWait(route.WaitOptions{Handler: &sink{err: full}, For: time.Hour})
		})
		if !errors.Is(err, full) {
			t.Errorf("error: %v", err)
		}
	})
}

func TestHandlersThatCannotWorkAreNotMade(t *testing.T) {
	for name, made := range map[string]func(){
		"inhibit":    func() { route.NewInhibit(route.InhibitOptions{Handler: new(sink)}) },
		"wait":       func() { route.NewWait(route.WaitOptions{}) },
		"escalation": func() { route.NewEscalation(route.EscalationOptions{Handler: new(sink)}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			made()
		})
	}
}
