package mute

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/recent"
)

// Max is how many mutes there are at most; beyond that the oldest ends early.
const Max = 1000

// Stack holds the mutes that are in force. [Stack.Run] ends them in time. All
// methods are safe for concurrent use. Make one with [NewStack].
type Stack struct {
	onEnd func(Mute)
	wake  chan struct{} // an end has come nearer
	any   atomic.Bool   // whether there are mutes: most of the time there are none

	mu      sync.Mutex
	lastID  uint64
	mutes   []*Mute    // oldest first
	counted recent.Map // the mute that counted a record
	readers map[chan struct{}]struct{}
}

// NewStack returns an empty stack. onEnd, if not nil, is called with each mute that has
// ended: by the goroutine of Run, or by whoever ended it.
func NewStack(onEnd func(Mute)) *Stack {
	return &Stack{onEnd: onEnd, wake: make(chan struct{}, 1), readers: make(map[chan struct{}]struct{})}
}

// Push puts a mute on top and returns it with its ID and, if it was zero, the time
// it begins.
func (s *Stack) Push(m Mute) Mute {
	if m.Since.IsZero() {
		m.Since = time.Now()
	}
	m.Until = m.Until.Round(0) // by the clock on the wall, also after the computer has slept
	m.Held, m.Errors, m.First, m.Last, m.Newest = 0, 0, time.Time{}, time.Time{}, nil
	s.mu.Lock()
	s.lastID++
	m.ID = s.lastID
	s.mutes = append(s.mutes, &m)
	var over []*Mute
	if len(s.mutes) > Max {
		over, s.mutes = s.mutes[:1:1], slices.Clone(s.mutes[1:])
	}
	s.any.Store(true)
	pushed := m
	s.mu.Unlock()
	s.rouse()
	s.ended(over)
	s.changed()
	return pushed
}

// rouse has Run look for the next end again.
func (s *Stack) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// SetUntil changes when a mute ends, a zero time for never, and reports whether it
// is in force.
func (s *Stack) SetUntil(id uint64, until time.Time) bool { return s.renew(id, nil, until) }

// renew is SetUntil; if of is not nil, the mute is about what of is about from now on.
func (s *Stack) renew(id uint64, of *Mute, until time.Time) bool {
	s.mu.Lock()
	i := slices.IndexFunc(s.mutes, func(m *Mute) bool { return m.ID == id })
	if i >= 0 {
		s.mutes[i].Until = until.Round(0)
		if of != nil {
			s.mutes[i].Label, s.mutes[i].Match, s.mutes[i].Critical = of.Label, of.Match, of.Critical
		}
	}
	s.mu.Unlock()
	if i >= 0 {
		s.rouse()
		s.changed()
	}
	return i >= 0
}

// Pop ends a mute and returns what it held back.
func (s *Stack) Pop(id uint64) (m Mute, ok bool) {
	ended := s.take(func(m *Mute) bool { return m.ID == id })
	if len(ended) == 0 {
		return Mute{}, false
	}
	return *ended[0], true
}

// Undo ends the newest mute.
func (s *Stack) Undo() (m Mute, ok bool) {
	s.mu.Lock()
	if len(s.mutes) == 0 {
		s.mu.Unlock()
		return Mute{}, false
	}
	id := s.mutes[len(s.mutes)-1].ID
	s.mu.Unlock()
	return s.Pop(id)
}

// Clear ends all mutes, the newest first, and returns how many there were.
func (s *Stack) Clear() int { return len(s.take(func(*Mute) bool { return true })) }

// List returns the mutes in force, the newest first.
func (s *Stack) List() []Mute {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Mute, 0, len(s.mutes))
	for _, m := range slices.Backward(s.mutes) {
		out = append(out, *m)
	}
	return out
}

// Everything reports whether everything is held back, but perhaps for what is critical,
// and until when: zero for as long as nobody ends it.
func (s *Stack) Everything() (until time.Time, muted bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mutes {
		if !m.Match.Everything() || m.ended(now) {
			continue
		}
		if m.Until.IsZero() {
			return time.Time{}, true
		}
		muted = true
		if m.Until.After(until) {
			until = m.Until
		}
	}
	return until, muted
}

// Hold reports whether a record with this fingerprint is held back, and counts it on
// the newest mute that does so: once, also if several handlers ask. r must be one that stays as it is
// ([core.Record.Keep]).
func (s *Stack) Hold(r *core.Record, fingerprint string) bool {
	if !s.any.Load() {
		return false
	}
	now := time.Now()
	for _, m := range s.candidates(now) {
		if !m.Holds(r, fingerprint) {
			continue
		}
		if s.count(m.ID, r, now) {
			return true
		}
	}
	return false
}

// Holder returns the mute that would hold back a record with this fingerprint. Unlike
// [Stack.Hold] it counts nothing.
func (s *Stack) Holder(r *core.Record, fingerprint string) (m Mute, held bool) {
	for _, m := range s.candidates(time.Now()) {
		if m.Holds(r, fingerprint) {
			return m, true
		}
	}
	return Mute{}, false
}

// candidates returns copies of the mutes, newest first, so that their functions are
// called without the lock.
func (s *Stack) candidates(now time.Time) []Mute {
	list := s.List()
	return slices.DeleteFunc(list, func(m Mute) bool { return m.ended(now) })
}

// count counts a record on a mute and reports whether that is still in force.
func (s *Stack) count(id uint64, r *core.Record, now time.Time) bool {
	s.mu.Lock()
	i := slices.IndexFunc(s.mutes, func(m *Mute) bool { return m.ID == id })
	by, counted := s.counted.Get(r.Seq)
	counted = counted && by == id
	if i >= 0 && !counted {
		s.counted.Put(r.Seq, id)
		m := s.mutes[i]
		if m.Held++; m.Held == 1 {
			m.First = now
		}
		if r.Level >= core.LevelError {
			m.Errors++
		}
		m.Last, m.Newest = now, r
	}
	s.mu.Unlock()
	if i >= 0 && !counted {
		s.changed()
	}
	return i >= 0
}

// Run ends the mutes whose time has come, until ctx ends.
func (s *Stack) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		now := time.Now()
		s.take(func(m *Mute) bool { return m.ended(now) })
		timer.Stop()
		if next := s.next(); !next.IsZero() {
			timer.Reset(min(time.Until(next), recheck))
		}
	}
}

// next returns when the next mute ends; zero if none does.
func (s *Stack) next() (at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mutes {
		if !m.Until.IsZero() && (at.IsZero() || m.Until.Before(at)) {
			at = m.Until
		}
	}
	return at
}

// take ends the mutes that f names and returns them, the newest first.
func (s *Stack) take(f func(*Mute) bool) []*Mute {
	var taken []*Mute
	s.mu.Lock()
	s.mutes = slices.DeleteFunc(s.mutes, func(m *Mute) bool {
		if f(m) {
			taken = append(taken, m)
			return true
		}
		return false
	})
	s.any.Store(len(s.mutes) > 0)
	s.mu.Unlock()
	slices.Reverse(taken)
	s.ended(taken)
	if len(taken) > 0 {
		s.changed()
	}
	return taken
}

func (s *Stack) ended(mutes []*Mute) {
	if s.onEnd == nil {
		return
	}
	for _, m := range mutes {
		s.onEnd(*m)
	}
}

// Subscribe returns a channel that gets a value after the stack or a count has
// changed; changes that come faster than they are received become one.
// cancel ends that.
func (s *Stack) Subscribe() (changes <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers[c] = struct{}{}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.readers, c)
	}
}

func (s *Stack) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.readers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
