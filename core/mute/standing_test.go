package mute_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

// The bubble of synctest begins at midnight UTC of 2000-01-01, a Saturday.
func night() []mute.Hours {
	return []mute.Hours{{From: 22 * 60, To: 7 * 60, Location: time.UTC}}
}

// quiet runs quiet hours on s and returns a function that ends them.
func quiet(t *testing.T, s *mute.Stack, q mute.QuietHours) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var owner sync.WaitGroup
	owner.Go(func() { q.Run(ctx, s) })
	return func() {
		cancel()
		owner.Wait()
	}
}

func TestQuietHoursBeginAndEndByThemselves(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		defer quiet(t, s, mute.QuietHours{Hours: night()})()
		time.Sleep(time.Hour)
		list := s.List()
		if len(list) != 1 || list[0].Label != "quiet hours" || list[0].Owner != mute.OwnerQuietHours || list[0].Until.Hour() != 7 {
			t.Fatalf("at one o'clock: %+v", list)
		}
		if !s.Hold(record("shop", core.LevelError), "") || s.Hold(record("shop", core.LevelCritical), "") {
			t.Error("an error is held back, what is critical is not")
		}
		time.Sleep(7 * time.Hour)
		if s.Hold(record("shop", core.LevelError), "") || len(s.List()) != 0 {
			t.Error("held back at eight o'clock")
		}
		time.Sleep(15 * time.Hour)
		for range 2 {
			s.Hold(record("shop", core.LevelError), "")
		}
		time.Sleep(10 * time.Hour)
		want := []string{"quiet hours held 1 (1 errors) after 7h0m0s", "quiet hours held 2 (2 errors) after 31h0m0s"}
		if diff := cmp.Diff(want, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
	})
}

func TestQuietHoursCanHoldBackWhatIsCritical(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, _ func() []string) {
		defer quiet(t, s, mute.QuietHours{Hours: night(), Critical: true})()
		time.Sleep(time.Hour)
		if !s.Hold(record("shop", core.LevelCritical), "") {
			t.Error("not held back")
		}
	})
}

func TestQuietHoursThatTheUserHasEndedStayEndedUntilTheNextNight(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, _ func() []string) {
		defer quiet(t, s, mute.QuietHours{Hours: night()})()
		time.Sleep(time.Hour)
		if _, ok := s.Undo(); !ok {
			t.Fatal("nothing to undo")
		}
		time.Sleep(5 * time.Hour)
		if len(s.List()) != 0 {
			t.Error("they came back in the same night")
		}
		time.Sleep(17 * time.Hour)
		if len(s.List()) != 1 {
			t.Error("they did not come back the next night")
		}
	})
}

func TestQuietHoursGoOnAfterAReload(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		stop := quiet(t, s, mute.QuietHours{Hours: night()})
		time.Sleep(time.Hour)
		s.Hold(record("shop", core.LevelError), "")
		stop()
		later := []mute.Hours{{From: 22 * 60, To: 9 * 60, Location: time.UTC}}
		stop = quiet(t, s, mute.QuietHours{Hours: later, Critical: true})
		time.Sleep(time.Hour)
		if l := s.List(); len(l) != 1 || l[0].Held != 1 || l[0].Until.Hour() != 9 || !l[0].Critical {
			t.Errorf("after a reload: %+v", l)
		}
		stop()
		defer quiet(t, s, mute.QuietHours{})() // taken out of the file
		if diff := cmp.Diff([]string{"quiet hours held 1 (1 errors) after 2h0m0s"}, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
	})
}

func TestQuietHoursCanBeAppliedOnce(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, _ func() []string) {
		q := mute.QuietHours{Hours: night()}
		q.Apply(s)
		if l := s.List(); len(l) != 1 || l[0].Owner != mute.OwnerQuietHours || l[0].Until.Hour() != 7 {
			t.Errorf("in the night: %+v", l)
		}
		s.Clear()
		s.Push(mute.Mute{Label: mute.OwnerQuietHours, Owner: mute.OwnerQuietHours}) // kept by an earlier run
		time.Sleep(12 * time.Hour)
		q.Apply(s)
		if l := s.List(); len(l) != 0 {
			t.Errorf("at noon: %+v", l)
		}
	})
}

func TestQuietHoursWithoutAnEndGoOn(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		defer quiet(t, s, mute.QuietHours{Hours: []mute.Hours{{To: mute.DayEnd, Location: time.UTC}}})()
		time.Sleep(30 * 24 * time.Hour)
		if l := s.List(); len(l) != 1 || len(ended()) != 0 {
			t.Errorf("after a month: %+v, ended %v", l, ended())
		}
	})
}

func TestAStandingMuteIsBegunOnce(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		st := s.Standing(mute.Mute{Label: "do not disturb", Owner: "desktop"})
		st.End()
		st.Begin(time.Time{})
		st.Begin(time.Time{})
		if l := s.List(); len(l) != 1 || !l[0].Until.IsZero() {
			t.Errorf("begun twice: %+v", l)
		}
		st.End()
		st.End()
		if diff := cmp.Diff([]string{"do not disturb held 0 (0 errors) after 0s"}, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
		st.Begin(time.Time{})
		if len(s.List()) != 1 {
			t.Error("not begun again")
		}
	})
}

func TestAStandingMuteThatTheUserHasEndedStaysOffWhileItIsOn(t *testing.T) {
	s := mute.NewStack(nil)
	st := s.Standing(mute.Mute{Label: "do not disturb", Owner: "desktop"})
	st.Begin(time.Time{})
	s.Undo()
	st.Begin(time.Time{})
	if l := s.List(); len(l) != 0 {
		t.Errorf("it came back: %+v", l)
	}
	st.End()
	st.Begin(time.Time{})
	if len(s.List()) != 1 {
		t.Error("not begun again")
	}
}
