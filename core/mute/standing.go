package mute

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Standing is a mute that is begun and ended by something else than the user, such
// as quiet hours, again and again. It is an entry of the stack while it is on, and
// the user can end it like any other: then it stays off until it is
// begun the next time. Make one with [Stack.Standing]. All methods are safe for
// concurrent use.
type Standing struct {
	stack *Stack
	mute  Mute

	mu sync.Mutex // serializes Begin and End
	id uint64     // of the entry; 0 for none
	on bool
}

// Standing returns a standing mute, which is off. The Owner of m must be set. An entry
// that this owner has on the stack already, from an earlier run or from before a
// reload, is taken over by the first Begin or End, with what it has held back; from then
// on it is about what m is about.
func (s *Stack) Standing(m Mute) *Standing {
	st := &Standing{stack: s, mute: m}
	for _, e := range s.List() {
		if m.Owner != "" && e.Owner == m.Owner {
			st.id = e.ID
			break
		}
	}
	return st
}

// Begin begins the mute, until the time given or, if that is zero, until [Standing.End].
// While it is on, Begin changes its end.
func (st *Standing) Begin(until time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	held := st.id != 0 && st.stack.renew(st.id, &st.mute, until)
	if !held && !st.on {
		m := st.mute
		m.Until = until
		st.id = st.stack.Push(m).ID
	}
	st.on = true
}

// End ends the mute. It does nothing while that is off.
func (st *Standing) End() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.id != 0 {
		st.stack.Pop(st.id)
	}
	st.id, st.on = 0, false
}

// QuietHours hold everything back during hours of the week.
type QuietHours struct {
	// Hours are when; overlapping ones are one time. None ends what an earlier run
	// has begun.
	Hours []Hours
	// Critical says that records of level [core.LevelCritical] and above are held
	// back too.
	Critical bool
}

// OwnerQuietHours is the [Mute].Owner of quiet hours.
const OwnerQuietHours = "quiet hours"

// recheck is the longest sleep until a time of day. Timers stand still while the
// computer sleeps, and the clock may be set.
const recheck = time.Minute

func (q QuietHours) standing(s *Stack) *Standing {
	return s.Standing(Mute{Label: OwnerQuietHours, Owner: OwnerQuietHours, Critical: q.Critical})
}

// Apply begins or ends the mute on s as it is to be just now, and leaves it at that.
func (q QuietHours) Apply(s *Stack) {
	now := time.Now().Round(0)
	if begin, end, ok := Next(slices.Clone(q.Hours), now); ok && !begin.After(now) {
		q.standing(s).Begin(end)
		return
	}
	q.standing(s).End()
}

// Run begins and ends the mute on s until ctx ends. It then leaves the mute where it
// is, and the next Run takes it over or ends it: so neither a reload nor a restart
// in the middle of the night sums up what was held back. [Stack.Run] must run too.
func (q QuietHours) Run(ctx context.Context, s *Stack) {
	hours := slices.Clone(q.Hours)
	mute := q.standing(s)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var current time.Time // the end that was set
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := time.Now().Round(0) // by the clock on the wall
		begin, end, ok := Next(hours, now)
		switch {
		case !ok:
			mute.End()
			return
		case begin.After(now):
			mute.End()
			current = time.Time{}
			timer.Reset(min(begin.Sub(now), recheck))
		default:
			if !end.Equal(current) {
				mute.Begin(end)
				current = end
			}
			timer.Reset(min(end.Sub(now), recheck))
		}
	}
}
