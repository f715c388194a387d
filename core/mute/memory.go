package mute

import (
	"context"
	"slices"
	"time"
)

// Memory keeps mutes across a restart. The methods are called one at a time.
type Memory interface {
	// LoadMutes returns what SaveMutes has kept, the newest first.
	LoadMutes(ctx context.Context) ([]Mute, error)
	// SaveMutes replaces what LoadMutes returns. Of a function it gets [Match].Filter,
	// which is to be compiled anew.
	SaveMutes(ctx context.Context, mutes []Mute) error
}

// DefaultDelay is the default of [KeepOptions].Delay.
const DefaultDelay = time.Second

// KeepOptions are the settings of [Stack.Keep]. The zero value is useful.
type KeepOptions struct {
	// Delay is the least time between two writes; 0 means DefaultDelay.
	Delay time.Duration
	// OnError, if not nil, is told about changes that could not be written. They are
	// tried again with the next change. It is called by the goroutine of Keep.
	OnError func(error)
}

// Restore puts mutes of an earlier run back, in the order of [Stack.List], below those
// that are there already. They keep what they have held back, and their IDs unless
// these are taken. Those whose time is over are ended by [Stack.Run], and then tell
// what they held back like any other.
func (s *Stack) Restore(mutes []Mute) {
	s.mu.Lock()
	taken := make(map[uint64]bool, len(s.mutes))
	for _, m := range s.mutes {
		taken[m.ID] = true
	}
	mutes = mutes[:min(len(mutes), Max-len(s.mutes))]
	for _, m := range mutes {
		s.lastID = max(s.lastID, m.ID)
	}
	restored := make([]*Mute, 0, len(mutes)+len(s.mutes))
	for _, m := range slices.Backward(mutes) {
		if m.ID == 0 || taken[m.ID] {
			s.lastID++
			m.ID = s.lastID
		}
		taken[m.ID] = true
		restored = append(restored, &m)
	}
	s.mutes = append(restored, s.mutes...)
	s.any.Store(len(s.mutes) > 0)
	s.mu.Unlock()
	s.rouse()
	s.changed()
}

// saveTimeout bounds one write.
const saveTimeout = 10 * time.Second

// Keep writes the mutes to m whenever they or their counts change, until ctx ends, and
// the last of them then. Mutes with a [Match].Func that no [Match].Filter stands for are
// left out, since a function cannot be written down: they end with the program.
func (s *Stack) Keep(ctx context.Context, m Memory, o KeepOptions) {
	if o.Delay <= 0 {
		o.Delay = DefaultDelay
	}
	changes, cancel := s.Subscribe()
	defer cancel()
	pause := time.NewTimer(0)
	defer pause.Stop()
	save := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
		defer cancel()
		list := slices.DeleteFunc(s.List(), func(m Mute) bool { return m.Match.Func != nil && m.Match.Filter == "" })
		if err := m.SaveMutes(ctx, list); err != nil && o.OnError != nil {
			o.OnError(err)
		}
	}
	save()
	for {
		select {
		case <-ctx.Done():
			save()
			return
		case <-changes:
		}
		save()
		pause.Reset(o.Delay)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}
