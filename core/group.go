package core

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrInGroup is returned by [LoggerGroup.Add] for a logger that belongs to a
// group already.
var ErrInGroup = errors.New("logger already belongs to a group")

// LoggerGroup sets the level, the disabled flag and a processor for several
// loggers at once. What a logger has set itself goes before what its group says.
//
// All methods are safe for concurrent use. The zero value is an empty group.
type LoggerGroup struct {
	mu       sync.Mutex
	loggers  []*Logger
	level    atomic.Int64
	disabled atomic.Bool
	proc     atomic.Pointer[Processor]
}

// NewLoggerGroup returns a group of the given loggers. It panics if one of them
// belongs to another group; use [LoggerGroup.Add] where that can happen.
func NewLoggerGroup(loggers ...*Logger) *LoggerGroup {
	g := new(LoggerGroup)
	for _, l := range loggers {
		if err := g.Add(l); err != nil {
			panic(err)
		}
	}
	return g
}

// Add puts a logger into the group. A logger belongs to one group at most; otherwise
// the error is [ErrInGroup].
func (g *LoggerGroup) Add(l *Logger) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !l.group.CompareAndSwap(nil, g) {
		return ErrInGroup
	}
	g.loggers = append(g.loggers, l)
	return nil
}

// Remove takes a logger out of the group and reports whether it was in it.
func (g *LoggerGroup) Remove(l *Logger) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.loggers, l)
	if i < 0 {
		return false
	}
	g.loggers = slices.Delete(g.loggers, i, i+1)
	l.group.CompareAndSwap(g, nil)
	return true
}

// Loggers returns the members.
func (g *LoggerGroup) Loggers() []*Logger {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.loggers)
}

// Level returns the level that members follow.
func (g *LoggerGroup) Level() Level { return Level(g.level.Load()) }

// SetLevel sets the level that members follow.
func (g *LoggerGroup) SetLevel(l Level) { g.level.Store(int64(l)) }

// Disabled reports whether members that did not decide themselves drop all
// records.
func (g *LoggerGroup) Disabled() bool { return g.disabled.Load() }

// Disable makes members drop all records. force also takes back what members
// have decided themselves.
func (g *LoggerGroup) Disable(force bool) { g.set(true, force) }

// Enable makes members log again. force also takes back what members have
// decided themselves.
func (g *LoggerGroup) Enable(force bool) { g.set(false, force) }

func (g *LoggerGroup) set(disabled, force bool) {
	g.disabled.Store(disabled)
	if !force {
		return
	}
	for _, l := range g.Loggers() {
		l.ResetDisabled()
	}
}

// SetProcessor sets a function that sees the records of all members that
// somebody is going to handle; nil for none.
func (g *LoggerGroup) SetProcessor(p Processor) {
	if p == nil {
		g.proc.Store(nil)
		return
	}
	g.proc.Store(&p)
}

// Process runs the group's processor on r.
func (g *LoggerGroup) Process(r *Record) {
	if p := g.proc.Load(); p != nil {
		(*p)(r)
	}
}
