package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// StateFailed is the state of a subscriber that could not be opened, or ended with
// an error; it is going to be tried again.
const StateFailed = "failed"

// source keeps one subscriber open.
type source struct {
	key, name, kind string
	opener          Opener
	self            *core.Logger
	min, max        time.Duration

	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex // guards what follows
	open    Subscriber // nil while it is not open
	failure error
}

func newSource(p *sourcePlan, o *Options) *source {
	return &source{
		key: p.key, name: p.name, kind: p.kind, opener: p.opener, self: o.Self,
		min: o.RetryMin, max: o.RetryMax, done: make(chan struct{}),
	}
}

// start opens the subscriber and dispatches on a goroutine. The first attempt to open
// is over when it returns.
func (s *source) start(ctx context.Context) {
	ctx, s.cancel = context.WithCancel(ctx)
	s.attempt(ctx)
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
}

// stop dispatches what was accepted, closes the subscriber, waits for the goroutine
// and returns the final counters.
func (s *source) stop() map[string]uint64 {
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	if open != nil {
		// Close drains: the goroutine goes on to dispatch until it is through.
		if err := open.Close(); err != nil {
			s.self.Warn("{name}: {error}", core.Kw("name", s.name), core.Kw("error", err.Error()))
		}
	}
	s.cancel()
	<-s.done
	// It may have been opened again in between.
	s.mu.Lock()
	again := s.open
	s.mu.Unlock()
	if again != nil && again != open {
		_ = again.Close() // nothing was dispatched from it
	}
	if open == nil {
		return nil
	}
	return open.Report().Counters
}

// run dispatches and opens again what failed, until ctx ends or the subscriber is
// closed.
func (s *source) run(ctx context.Context) {
	delay := s.min
	for ctx.Err() == nil {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		if open != nil {
			err := open.DispatchForever(ctx)
			if err == nil || ctx.Err() != nil {
				return
			}
			_ = open.Close() // it ended with err already
			s.set(nil, err)
			delay = s.min
		}
		t := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		delay = min(2*delay, s.max)
		s.attempt(ctx)
	}
}

func (s *source) attempt(ctx context.Context) {
	open, err := s.opener(ctx)
	s.set(open, err)
}

// set takes note of the subscriber being open or not, and logs the change.
func (s *source) set(open Subscriber, err error) {
	s.mu.Lock()
	old := s.failure
	s.open, s.failure = open, err
	s.mu.Unlock()
	name := core.Kw("name", s.name)
	switch {
	case err == nil && open != nil:
		s.self.Info("{name}: {detail}", name, core.Kw("detail", or(open.Report().Detail, "open")))
	case errors.Is(err, context.Canceled):
	case old == nil || old.Error() != err.Error():
		s.self.Error("{name}: {error}", name, core.Kw("error", err.Error()))
	}
}

func (s *source) status() SubscriberStatus {
	s.mu.Lock()
	open, failure := s.open, s.failure
	s.mu.Unlock()
	st := SubscriberStatus{Name: s.name, Type: s.kind}
	switch {
	case open != nil:
		st.Report = open.Report()
	case failure != nil:
		st.State, st.Error = StateFailed, failure.Error()
	}
	return st
}
