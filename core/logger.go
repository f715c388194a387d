package core

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// GenericChannel is the channel of the package-level functions.
const GenericChannel = "Generic"

// Logger logs records on one channel: an area of a program, such as "shop.cart".
// Loggers are plain values, made where they are needed; two loggers of the
// same name have nothing to do with each other. What becomes of their records
// is a matter of the stack, see [Bind] and [Install].
//
// All methods are safe for concurrent use.
//
// The level methods ([Logger.Debug] to [Logger.Critical]) take a message and
// its arguments. The message is a new-style format string of Python: "{0}" and "{}"
// stand for positional arguments, "{name}" for an argument made by [Kw]. [Extra]
// among the arguments adds to the record's extra data, [Exc] attaches an
// error. Without any arguments the message is taken literally.
type Logger struct {
	name     string
	level    atomic.Int64 // own level, or unset
	disabled atomic.Int32 // own flag: unset, 1 off, 2 on
	group    atomic.Pointer[LoggerGroup]

	mu       sync.Mutex
	handlers atomic.Pointer[[]Binding]
	proc     atomic.Pointer[Processor]
}

// unset in Logger.level: the level of the group, or NotSet.
const unset = -1 << 62

// NewLogger returns a logger for the channel. An empty name is allowed.
func NewLogger(channel string) *Logger {
	l := &Logger{name: channel}
	l.level.Store(unset)
	return l
}

// Name returns the channel.
func (l *Logger) Name() string { return l.name }

// Level returns the lowest level that is logged: the one that was set, else that of the
// group, else [LevelNotSet].
func (l *Logger) Level() Level {
	if v := l.level.Load(); v != unset {
		return Level(v)
	}
	if g := l.group.Load(); g != nil {
		return g.Level()
	}
	return LevelNotSet
}

// OwnLevel returns the level that was set with [Logger.SetLevel], and whether one
// was: for code that changes the level for a while and puts back what there was.
func (l *Logger) OwnLevel() (level Level, set bool) {
	if v := l.level.Load(); v != unset {
		return Level(v), true
	}
	return LevelNotSet, false
}

// SetLevel sets the lowest level that is logged and stops following that of
// the group.
func (l *Logger) SetLevel(level Level) { l.level.Store(int64(level)) }

// ResetLevel goes back to following the level of the group.
func (l *Logger) ResetLevel() { l.level.Store(unset) }

// Disabled reports whether the logger drops all records: because it was disabled, or
// because its group is and it was not enabled itself.
func (l *Logger) Disabled() bool {
	switch l.disabled.Load() {
	case 1:
		return true
	case 2:
		return false
	}
	g := l.group.Load()
	return g != nil && g.Disabled()
}

// Disable makes the logger drop all records.
func (l *Logger) Disable() { l.disabled.Store(1) }

// Enable makes the logger log again, whatever its group says.
func (l *Logger) Enable() { l.disabled.Store(2) }

// ResetDisabled goes back to following the group.
func (l *Logger) ResetDisabled() { l.disabled.Store(0) }

// Group returns the group the logger belongs to; nil if it has none.
func (l *Logger) Group() *LoggerGroup { return l.group.Load() }

// Handlers returns the bindings that see this logger's records before the
// stack does.
func (l *Logger) Handlers() []Binding { return slices.Clone(l.own()) }

// SetHandlers replaces the bindings that see this logger's records before the stack
// does, first to last.
func (l *Logger) SetHandlers(bindings ...Binding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(bindings)
	l.handlers.Store(&list)
}

// AddHandler adds a binding behind those that are there.
func (l *Logger) AddHandler(b Binding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := append(slices.Clone(l.own()), b)
	l.handlers.Store(&list)
}

func (l *Logger) own() []Binding {
	if list := l.handlers.Load(); list != nil {
		return *list
	}
	return nil
}

// SetProcessor sets a function that sees every record of this logger that
// somebody is going to handle. It replaces the standard processing of Logbook's
// process_record, which is to run the processor of the group; call
// [LoggerGroup.Process] from p to keep that. nil restores it.
func (l *Logger) SetProcessor(p Processor) {
	if p == nil {
		l.proc.Store(nil)
		return
	}
	l.proc.Store(&p)
}

// processor returns what processes the records of this logger; nil for
// nothing.
func (l *Logger) processor() Processor {
	if p := l.proc.Load(); p != nil {
		return *p
	}
	if g := l.group.Load(); g != nil {
		if p := g.proc.Load(); p != nil {
			return *p
		}
	}
	return nil
}

// Enabled reports whether a record of this level would reach a handler. Use it
// to skip work that only serves a log call.
func (l *Logger) Enabled(ctx context.Context, level Level) bool {
	return level >= l.Level() && !l.Disabled() && wanted(ctx, l.own(), level)
}
