package handler

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// Scope says what [Scope.Begin] changes about a logger.
type Scope struct {
	// Level is the level of the logger while the scope lasts;
	// [core.LevelNotSet] leaves it as it is.
	Level core.Level
	// Binding, if it has a handler, sees the records of the logger first.
	Binding core.Binding
	// KeepOpen leaves the handler open at the end; otherwise it is closed.
	KeepOpen bool
}

// Begin changes a logger for a while, such as to look at one part of a program more
// closely; end puts everything back. It changes the logger for everybody: a
// handler for one request or goroutine alone is bound with [core.Bind]. It is the
// context manager for selective logging of Python's logging cookbook.
//
// end returns the errors of flushing and closing the handler; further calls do
// nothing. Scopes of the same logger end in the reverse order.
func (s Scope) Begin(l *core.Logger) (end func() error) {
	level, had := l.OwnLevel()
	if s.Level != core.LevelNotSet {
		l.SetLevel(s.Level)
	}
	mark := &Wrapper{Next: s.Binding.Handler} // a pointer, to find it again
	if s.Binding.Handler != nil {
		b := s.Binding
		b.Handler = mark
		l.SetHandlers(slices.Insert(l.Handlers(), 0, b)...)
	}
	return sync.OnceValue(func() error {
		switch {
		case s.Level == core.LevelNotSet:
		case had:
			l.SetLevel(level)
		default:
			l.ResetLevel()
		}
		if s.Binding.Handler == nil {
			return nil
		}
		l.SetHandlers(slices.DeleteFunc(l.Handlers(), func(b core.Binding) bool {
			w, ok := b.Handler.(*Wrapper)
			return ok && w == mark
		})...)
		err := mark.Flush(context.Background())
		if !s.KeepOpen {
			err = errors.Join(err, mark.Close())
		}
		return err
	})
}
