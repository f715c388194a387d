package app

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// apply does what a file asks for, as a reload does.
func apply(t *testing.T, s *standing, source string) {
	t.Helper()
	tree, ds := config.Parse("", []byte(source), config.Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	s.apply(t.Context(), tree.Root, readSections(tree))
	synctest.Wait()
}

// labels are what is muted, newest first.
func labels(s *mute.Stack) (list []string) {
	for _, m := range s.List() {
		list = append(list, m.Label)
	}
	return list
}

func TestOnlyTheSectionsThatHaveChangedBeginAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stack := mute.NewStack(nil)
		s := newStanding(stack)
		defer s.stop()
		var watched atomic.Int32
		s.watch = func(ctx context.Context, f func(bool)) error {
			watched.Add(1)
			f(true)
			<-ctx.Done()
			return ctx.Err()
		}
		const quiet = "quiet_hours: {time_zone: utc, hours: [{from: '00:00', to: '06:00'}]}\n" // it is midnight
		apply(t, s, quiet)
		first := stack.List()
		apply(t, s, quiet+"mutes: [{channel: shop}, {channel: shop}]\n")
		if watched.Load() != 1 || len(first) != 2 || len(stack.List()) != 3 {
			t.Errorf("watched %d times, mutes %q", watched.Load(), labels(stack))
		}
		for _, m := range first {
			if _, ok := stack.Pop(m.ID); !ok {
				t.Errorf("%s was begun anew", m.Label)
			}
		}
		apply(t, s, quiet+"mutes: [{channel: shop}]\n")
		if diff := cmp.Diff([]string{"channel shop"}, labels(stack)); diff != "" {
			t.Errorf("what the user has ended comes back with a reload (-want +got):\n%s", diff)
		}
		apply(t, s, "do_not_disturb: ignore\nmutes: [{label: db, channel: db}]\n")
		if diff := cmp.Diff([]string{"db"}, labels(stack)); diff != "" {
			t.Errorf("after another file (-want +got):\n%s", diff)
		}
		apply(t, s, "")
		if diff := cmp.Diff([]string{"do not disturb"}, labels(stack)); diff != "" || watched.Load() != 2 {
			t.Errorf("followed again, watched %d times (-want +got):\n%s", watched.Load(), diff)
		}
	})
}

func TestWhatAnEarlierRunHasBegunIsTakenOverOrEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended []string
		stack := mute.NewStack(func(m mute.Mute) { ended = append(ended, m.Label) })
		const file = "mutes: [{label: stays, channel: shop, filter: 'level > \"info\"'}]\n"
		s := newStanding(stack)
		s.watch = func(context.Context, func(bool)) error { return errors.ErrUnsupported }
		apply(t, s, file+"quiet_hours: {hours: [{from: '00:00', to: '24:00'}]}")
		s.stop()
		stack.Push(mute.Mute{Label: "do not disturb", Owner: ownerDesktop, Until: time.Time{}})
		stack.Push(mute.Mute{Label: "gone from the file", Owner: ownerFile + " 0123"})
		stack.Push(mute.Mute{Label: "the user's own"})
		s = newStanding(stack)
		s.watch = func(context.Context, func(bool)) error { return errors.ErrUnsupported }
		apply(t, s, file)
		s.stop()
		if diff := cmp.Diff([]string{"the user's own", "stays"}, labels(stack)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if len(ended) != 3 {
			t.Errorf("ended %q", ended)
		}
	})
}
