package mute_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func record(channel string, level core.Level) *core.Record {
	r := &core.Record{Channel: channel, Level: level, Source: core.Source{Name: "web"}}
	r.SetMessage("x")
	return r
}

func TestWhatAMuteHoldsBack(t *testing.T) {
	for _, test := range []struct {
		name  string
		mute  mute.Mute
		r     *core.Record
		print string
		want  bool
	}{
		{"everything", mute.Mute{}, record("shop", core.LevelError), "", true},
		{"everything but criticals", mute.Mute{}, record("shop", core.LevelCritical), "", false},
		{"criticals too", mute.Mute{Critical: true}, record("shop", core.LevelCritical), "", true},
		{"this error", mute.Mute{Match: mute.Match{Fingerprint: "a"}}, record("shop", core.LevelError), "a", true},
		{"this critical error", mute.Mute{Match: mute.Match{Fingerprint: "a"}}, record("shop", core.LevelCritical), "a", true},
		{"another error", mute.Mute{Match: mute.Match{Fingerprint: "a"}}, record("shop", core.LevelError), "b", false},
		{"this channel", mute.Mute{Match: mute.Match{Channel: "shop"}}, record("shop", core.LevelError), "", true},
		{"a channel below", mute.Mute{Match: mute.Match{Channel: "shop"}}, record("shop.cart", core.LevelError), "", true},
		{"a channel that begins alike", mute.Mute{Match: mute.Match{Channel: "shop"}}, record("shopping", core.LevelError), "", false},
		{"this source", mute.Mute{Match: mute.Match{Source: "web"}}, record("shop", core.LevelError), "", true},
		{"another source", mute.Mute{Match: mute.Match{Source: "db"}}, record("shop", core.LevelError), "", false},
		{"all must match", mute.Mute{Match: mute.Match{Source: "web", Channel: "db"}}, record("shop", core.LevelError), "", false},
		{"a function", mute.Mute{Match: mute.Match{Func: func(r *core.Record) bool { return r.Message() == "x" }}}, record("shop", core.LevelError), "", true},
		{"a function that says no", mute.Mute{Match: mute.Match{Func: func(*core.Record) bool { return false }}}, record("shop", core.LevelError), "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := mute.NewStack(nil)
			s.Push(test.mute)
			if m, got := s.Holder(test.r, test.print); got != test.want || got != (m.ID == 1) || s.List()[0].Held != 0 {
				t.Errorf("Holder = %+v, %v, want %v, and nothing counted", m, got, test.want)
			}
			if got := s.Hold(test.r, test.print); got != test.want {
				t.Errorf("Hold = %v, want %v", got, test.want)
			}
		})
	}
}

// running runs a stack in a bubble with a fake clock.
func running(t *testing.T, f func(t *testing.T, s *mute.Stack, ended func() []string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var list []string
		start := time.Now()
		s := mute.NewStack(func(m mute.Mute) {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, fmt.Sprintf("%s held %d (%d errors) after %v", m.Label, m.Held, m.Errors, time.Since(start)))
		})
		ctx, cancel := context.WithCancel(t.Context())
		var owner sync.WaitGroup
		owner.Go(func() { s.Run(ctx) })
		f(t, s, func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return list
		})
		cancel()
		owner.Wait()
	})
}

func TestAMuteEndsInTimeAndTellsWhatItHeldBack(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		m := s.Push(mute.Mute{Label: "shop", Match: mute.Match{Channel: "shop"}, Until: time.Now().Add(time.Hour)})
		s.Push(mute.Mute{Label: "forever", Match: mute.Match{Channel: "db"}})
		s.Push(mute.Mute{Label: "short", Match: mute.Match{Channel: "mail"}, Until: time.Now().Add(time.Minute)})
		for range 3 {
			s.Hold(record("shop", core.LevelError), "")
		}
		s.Hold(record("shop", core.LevelWarning), "")
		if l := s.List(); len(l) != 3 || l[2].ID != m.ID || l[2].Held != 4 || l[2].Newest.Level != core.LevelWarning {
			t.Errorf("list: %+v", l)
		}
		time.Sleep(2 * time.Hour)
		want := []string{"short held 0 (0 errors) after 1m0s", "shop held 4 (3 errors) after 1h0m0s"}
		if diff := cmp.Diff(want, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
		if s.Hold(record("shop", core.LevelError), "") {
			t.Error("held back after the end")
		}
		if l := s.List(); len(l) != 1 || l[0].Label != "forever" {
			t.Errorf("left: %+v", l)
		}
	})
}

func TestUndoEndsTheNewestAndPopAnyOfThem(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		first := s.Push(mute.Mute{Label: "first"})
		s.Push(mute.Mute{Label: "second"})
		s.Push(mute.Mute{Label: "third"})
		s.Hold(record("shop", core.LevelError), "") // counted by the newest only
		if m, ok := s.Undo(); !ok || m.Label != "third" || m.Held != 1 {
			t.Errorf("undo: %+v, %v", m, ok)
		}
		if m, ok := s.Pop(first.ID); !ok || m.Label != "first" {
			t.Errorf("pop: %+v, %v", m, ok)
		}
		if _, ok := s.Pop(first.ID); ok {
			t.Error("popped twice")
		}
		if n := s.Clear(); n != 1 {
			t.Errorf("cleared %d", n)
		}
		if _, ok := s.Undo(); ok || s.Hold(record("shop", core.LevelError), "") {
			t.Error("the empty stack mutes")
		}
		want := []string{"third held 1 (1 errors) after 0s", "first held 0 (0 errors) after 0s", "second held 0 (0 errors) after 0s"}
		if diff := cmp.Diff(want, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
	})
}

func TestTheStackIsBounded(t *testing.T) {
	ended := 0
	s := mute.NewStack(func(mute.Mute) { ended++ })
	for range mute.Max + 3 {
		s.Push(mute.Mute{Match: mute.Match{Channel: "x"}})
	}
	if l := s.List(); len(l) != mute.Max || ended != 3 || l[len(l)-1].ID != 4 {
		t.Errorf("%d mutes, %d ended", len(l), ended)
	}
}

func TestARecordThatTwoHandlersAskAboutCountsOnce(t *testing.T) {
	s := mute.NewStack(nil)
	s.Push(mute.Mute{})
	r := record("shop", core.LevelError)
	r.Seq = 7
	if !s.Hold(r, "a") || !s.Hold(r, "b") || s.List()[0].Held != 1 {
		t.Errorf("held %d", s.List()[0].Held)
	}
}

func TestReadersHearOfChanges(t *testing.T) {
	s := mute.NewStack(nil)
	changes, cancel := s.Subscribe()
	m := s.Push(mute.Mute{})
	<-changes
	s.Hold(record("shop", core.LevelError), "")
	<-changes
	s.Pop(m.ID)
	<-changes
	cancel()
	s.Push(mute.Mute{})
	if len(changes) != 0 {
		t.Error("heard of a change after the end")
	}
}

func TestConcurrentRecordsAreCountedExactly(t *testing.T) {
	held := 0
	s := mute.NewStack(func(m mute.Mute) { held += m.Held })
	m := s.Push(mute.Mute{})
	var g sync.WaitGroup
	passed := make([]int, 4)
	for p := range passed {
		g.Go(func() {
			for i := range 1000 {
				if p == 0 && i == 500 {
					s.Pop(m.ID)
				}
				if !s.Hold(record("shop", core.LevelError), "") {
					passed[p]++
				}
			}
		})
	}
	g.Wait()
	if total := held + passed[0] + passed[1] + passed[2] + passed[3]; total != 4000 || held < 500 {
		t.Errorf("held %d, passed %v: %d in all", held, passed, total)
	}
}

func BenchmarkHoldWithoutMutes(b *testing.B) {
	s, r := mute.NewStack(nil), record("shop", core.LevelError)
	b.ReportAllocs()
	for b.Loop() {
		s.Hold(r, "a")
	}
}

func TestAFilterThatNobodyHasCompiledHoldsNothingBack(t *testing.T) {
	m := mute.Match{Filter: `level > "info"`}
	if m.Matches(record("shop", core.LevelError), "") || m.Everything() {
		t.Error("it mutes everything")
	}
	m.Func = func(r *core.Record) bool { return r.Channel == "shop" }
	if !m.Matches(record("shop", core.LevelError), "") || m.Matches(record("db", core.LevelError), "") {
		t.Error("the function is not asked")
	}
}

func TestTheStackKnowsWhetherEverythingIsMuted(t *testing.T) {
	s := mute.NewStack(nil)
	hour := time.Now().Add(time.Hour)
	s.Push(mute.Mute{Match: mute.Match{Channel: "shop"}})
	s.Push(mute.Mute{Until: time.Now().Add(-time.Hour)})
	if _, muted := s.Everything(); muted {
		t.Error("muted by a channel, or by what is over")
	}
	s.Push(mute.Mute{Label: "quiet hours", Until: hour})
	s.Push(mute.Mute{Until: hour.Add(-time.Minute)})
	if until, muted := s.Everything(); !muted || !until.Equal(hour) {
		t.Errorf("muted %v until %v, want until the last one ends", muted, until)
	}
	s.Push(mute.Mute{Label: "do not disturb"})
	if until, muted := s.Everything(); !muted || !until.IsZero() {
		t.Errorf("muted %v until %v, want no end", muted, until)
	}
}
