package app

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/notifiers/platform"
)

// standing are the mutes that come from the file. It is used by one goroutine at a
// time: [New], then whoever holds the lock of reloads.
type standing struct {
	stack *mute.Stack
	watch func(context.Context, func(inhibited bool)) error // for do not disturb
	tasks map[string]*task
	mutes map[string]*mute.Standing // of the file, by their owner
}

// task is a goroutine that does what a section of the file asks for.
type task struct {
	asked  string // what the section said, in its canonical form
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newStanding(s *mute.Stack) *standing {
	return &standing{stack: s, watch: platform.WatchInhibited, tasks: make(map[string]*task), mutes: make(map[string]*mute.Standing)}
}

// apply does what the sections ask for, until ctx ends. What has not changed goes on
// undisturbed.
func (s *standing) apply(ctx context.Context, root *config.Node, of *sections) {
	s.run(ctx, "quiet_hours", root.Get("quiet_hours").Canonical(), func(ctx context.Context) {
		of.QuietHours.quiet().Run(ctx, s.stack)
	})
	s.run(ctx, "do_not_disturb", string(of.DoNotDisturb), func(ctx context.Context) {
		m := s.stack.Standing(mute.Mute{Label: "do not disturb", Owner: ownerDesktop})
		if of.DoNotDisturb == ignore {
			m.End() // of an earlier run
			return
		}
		s.follow(ctx, m)
	})
	s.mute(of.Mutes)
}

// ownerDesktop is the [mute.Mute].Owner of what the desktop asks for.
const ownerDesktop = "desktop"

// follow mutes while the desktop wants no notifications, until ctx ends. The mute then
// stays, and the next run takes it over.
func (s *standing) follow(ctx context.Context, m *mute.Standing) {
	err := s.watch(ctx, func(inhibited bool) {
		if inhibited {
			m.Begin(time.Time{})
		} else {
			m.End()
		}
	})
	if errors.Is(err, errors.ErrUnsupported) {
		m.End()
	}
}

// run runs f until ctx ends or the section asks for something else.
func (s *standing) run(ctx context.Context, section, asked string, f func(context.Context)) {
	if t := s.tasks[section]; t != nil {
		if t.asked == asked {
			return
		}
		t.stop()
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &task{asked: asked, cancel: cancel}
	t.done.Go(func() { f(ctx) })
	s.tasks[section] = t
}

func (t *task) stop() {
	t.cancel()
	t.done.Wait()
}

// mute begins the mutes of the file that are not in force yet, and ends those that it
// does not have any more. One that the user has ended stays ended as long as its entry
// stays as it is and the program runs.
func (s *standing) mute(list []fileMute) {
	wanted := make(map[string]bool, len(list))
	for i := range list {
		if m := list[i].mute(); !list[i].over() {
			wanted[m.Owner] = true
			if s.mutes[m.Owner] == nil {
				s.mutes[m.Owner] = s.stack.Standing(m)
			}
			s.mutes[m.Owner].Begin(m.Until)
		}
	}
	for owner, m := range s.mutes {
		if !wanted[owner] {
			m.End()
			delete(s.mutes, owner)
		}
	}
	for _, m := range s.stack.List() { // of an earlier run
		if strings.HasPrefix(m.Owner, ownerFile+" ") && !wanted[m.Owner] {
			s.stack.Pop(m.ID)
		}
	}
}

// stop ends the goroutines. The mutes stay: the next run takes them over.
func (s *standing) stop() {
	for _, t := range s.tasks {
		t.stop()
	}
}

// Muted reports whether everything is muted, but perhaps for what is critical, and
// until when: zero for as long as nobody ends it.
func (a *App) Muted() (until time.Time, muted bool) { return a.Mutes.Everything() }
