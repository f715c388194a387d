package mute_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

// memory is a [mute.Memory] in memory.
type memory struct {
	mu    sync.Mutex
	saves int
	kept  []mute.Mute
	err   error
}

func (m *memory) LoadMutes(context.Context) ([]mute.Mute, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept, nil
}

func (m *memory) SaveMutes(_ context.Context, mutes []mute.Mute) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	if m.err == nil {
		m.kept = mutes
	}
	return m.err
}

func keep(t *testing.T, s *mute.Stack, m mute.Memory, o mute.KeepOptions) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var owner sync.WaitGroup
	owner.Go(func() { s.Keep(ctx, m, o) })
	synctest.Wait()
	return func() {
		cancel()
		owner.Wait()
	}
}

func labels(mutes []mute.Mute) []string {
	var out []string
	for _, m := range mutes {
		out = append(out, m.Label)
	}
	return out
}

func TestMutesOutliveTheProgram(t *testing.T) {
	var kept memory
	running(t, func(t *testing.T, s *mute.Stack, _ func() []string) {
		stop := keep(t, s, &kept, mute.KeepOptions{})
		s.Push(mute.Mute{Label: "old", Match: mute.Match{Channel: "shop"}, Until: time.Now().Add(time.Hour)})
		s.Push(mute.Mute{Label: "an expression", Match: mute.Match{Func: func(*core.Record) bool { return false }}})
		s.Push(mute.Mute{Label: "new", Match: mute.Match{Channel: "db"}})
		s.Hold(record("shop", core.LevelError), "")
		stop()
	})
	if diff := cmp.Diff([]string{"new", "old"}, labels(kept.kept)); diff != "" {
		t.Fatalf("kept (-want +got):\n%s", diff)
	}
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		s.Restore(kept.kept)
		if diff := cmp.Diff(kept.kept, s.List(), cmp.Comparer(func(a, b *core.Record) bool { return a == b })); diff != "" {
			t.Errorf("restored (-want +got):\n%s", diff)
		}
		s.Hold(record("shop", core.LevelError), "")
		if m := s.Push(mute.Mute{Label: "newest"}); m.ID != 4 {
			t.Errorf("the next ID is %d", m.ID)
		}
		time.Sleep(2 * time.Hour)
		if diff := cmp.Diff([]string{"old held 2 (2 errors) after 1h0m0s"}, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
	})
}

func TestAMuteThatEndedWhileTheProgramWasOffTellsWhatItHeldBack(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		s.Restore([]mute.Mute{{ID: 7, Label: "over", Until: time.Now().Add(-time.Hour), Held: 3, Errors: 1}})
		if s.Hold(record("shop", core.LevelError), "") {
			t.Error("it still holds back")
		}
		if diff := cmp.Diff([]string{"over held 3 (1 errors) after 0s"}, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
	})
}

func TestRestoredMutesLieBelowThoseThatAreThere(t *testing.T) {
	s := mute.NewStack(nil)
	s.Push(mute.Mute{Label: "top"})
	s.Restore([]mute.Mute{{ID: 1, Label: "the same ID"}, {Label: "no ID"}, {ID: 5, Label: "bottom"}})
	list := s.List()
	if diff := cmp.Diff([]string{"top", "the same ID", "no ID", "bottom"}, labels(list)); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	ids := map[uint64]bool{}
	for _, m := range list {
		ids[m.ID] = true
	}
	if len(ids) != 4 || ids[0] || list[3].ID != 5 {
		t.Errorf("IDs: %v", ids)
	}
	s.Restore(make([]mute.Mute, mute.Max))
	if len(s.List()) != mute.Max {
		t.Errorf("%d mutes", len(s.List()))
	}
}

func TestManyChangesAreWrittenTogetherAndFailuresTriedAgain(t *testing.T) {
	running(t, func(t *testing.T, s *mute.Stack, _ func() []string) {
		kept := memory{err: errors.New("disk full")}
		var errs []error
		defer keep(t, s, &kept, mute.KeepOptions{OnError: func(err error) { errs = append(errs, err) }})()
		s.Push(mute.Mute{Label: "everything"})
		synctest.Wait()
		for range 10_000 {
			s.Hold(record("shop", core.LevelError), "")
		}
		kept.mu.Lock()
		kept.err = nil
		kept.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if kept.saves != 3 || len(errs) != 2 || len(kept.kept) != 1 || kept.kept[0].Held != 10_000 {
			t.Errorf("%d writes, errors %v, kept %+v", kept.saves, errs, kept.kept)
		}
	})
}

func TestQuietHoursGoOnAfterARestart(t *testing.T) {
	var kept memory
	running(t, func(t *testing.T, s *mute.Stack, _ func() []string) {
		stop := keep(t, s, &kept, mute.KeepOptions{})
		stopQuiet := quiet(t, s, mute.QuietHours{Hours: night()})
		time.Sleep(time.Hour)
		s.Hold(record("shop", core.LevelError), "")
		stopQuiet()
		stop()
	})
	running(t, func(t *testing.T, s *mute.Stack, ended func() []string) {
		s.Restore(kept.kept)
		defer quiet(t, s, mute.QuietHours{Hours: night()})()
		time.Sleep(time.Hour)
		s.Hold(record("shop", core.LevelError), "")
		time.Sleep(10 * time.Hour)
		if diff := cmp.Diff([]string{"quiet hours held 2 (2 errors) after 7h0m0s"}, ended()); diff != "" {
			t.Errorf("ended (-want +got):\n%s", diff)
		}
	})
}
