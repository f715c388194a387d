package core

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
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

// Kw makes a named argument of the message.
func Kw(name string, value any) Field { return Field{name, value} }

// Extra makes extra data from alternating keys and values. A key that is not
// a string is converted to one; a value that is missing at the end is "".
func Extra(keysAndValues ...any) Fields {
	f := make(Fields, 0, (len(keysAndValues)+1)/2)
	for i := 0; i < len(keysAndValues); i += 2 {
		key, ok := keysAndValues[i].(string)
		if !ok {
			key = fmt.Sprint(keysAndValues[i])
		}
		var value any = ""
		if i+1 < len(keysAndValues) {
			value = keysAndValues[i+1]
		}
		f.Set(key, value)
	}
	return f
}

// Attached is an error that a log call attaches to its record; see [Exc].
type Attached struct{ err error }

// Exc attaches an error to the record, Logbook's exc_info. A nil error
// attaches nothing.
func Exc(err error) Attached { return Attached{err} }

// log is the common path of all log calls; skip is the number of callers
// between it and the code that logs. It must copy args: only then does the
// slice of a disabled call stay on the caller's stack.
func (l *Logger) log(ctx context.Context, level Level, skip int, msg string, args []any) error {
	own := l.own()
	if len(own) == 0 && noneTakes(ctx, level) || !wanted(ctx, own, level) {
		return nil
	}
	r := l.record(level, msg, args)
	r.SetPC(caller(ctx, skip+1))
	return dispatch(ctx, l, own, r)
}

// caller returns the program counter skip callers above its own caller; 0 if the
// flags say not to look. It is called as near to that place as can be, since what
// it costs is the frames between.
func caller(ctx context.Context, skip int) uintptr {
	if !introspection(ctx) {
		return 0
	}
	var pcs [1]uintptr
	runtime.Callers(skip+2, pcs[:])
	return pcs[0]
}

// LogAt is [Logger.Log] on behalf of the code at the program counter pc, as
// [runtime.Callers] returns it; 0 says that the place is unknown.
func (l *Logger) LogAt(ctx context.Context, pc uintptr, level Level, msg string, args ...any) error {
	if !l.on(level) {
		return nil
	}
	return l.logAt(ctx, pc, level, msg, args)
}

func (l *Logger) logAt(ctx context.Context, pc uintptr, level Level, msg string, args []any) error {
	own := l.own()
	if !wanted(ctx, own, level) {
		return nil
	}
	r := l.record(level, msg, args)
	if !introspection(ctx) {
		pc = 0
	}
	r.SetPC(pc)
	return dispatch(ctx, l, own, r)
}

// record makes a record of the arguments of a log call.
func (l *Logger) record(level Level, msg string, args []any) *Record {
	r := &Record{Channel: l.name, Level: level, Msg: msg}
	if l != generic {
		r.Dispatcher = l
	}
	for _, a := range args {
		switch a := a.(type) {
		case Field:
			r.Kwargs.Set(a.Key, a.Value)
		case Fields:
			if r.Extra == nil {
				r.Extra = a.Clone()
				continue
			}
			for i := range a {
				r.Extra.Set(a[i].Key, a[i].Value)
			}
		case Attached:
			if a.err != nil {
				r.Exception = NewException(a.err)
			}
		default:
			if r.Args == nil {
				r.Args = make([]any, 0, len(args))
			}
			r.Args = append(r.Args, a)
		}
	}
	return r
}

// noContext is the context of log calls without one: what is bound to the
// application alone.
var noContext context.Context

func (l *Logger) on(level Level) bool { return level >= l.Level() && !l.Disabled() }

// Trace logs at level [LevelTrace].
func (l *Logger) Trace(msg string, args ...any) {
	if l.on(LevelTrace) {
		_ = l.log(noContext, LevelTrace, 1, msg, args)
	}
}

// Debug logs at level [LevelDebug].
func (l *Logger) Debug(msg string, args ...any) {
	if l.on(LevelDebug) {
		_ = l.log(noContext, LevelDebug, 1, msg, args)
	}
}

// Info logs at level [LevelInfo].
func (l *Logger) Info(msg string, args ...any) {
	if l.on(LevelInfo) {
		_ = l.log(noContext, LevelInfo, 1, msg, args)
	}
}

// Notice logs at level [LevelNotice].
func (l *Logger) Notice(msg string, args ...any) {
	if l.on(LevelNotice) {
		_ = l.log(noContext, LevelNotice, 1, msg, args)
	}
}

// Warn logs at level [LevelWarning].
func (l *Logger) Warn(msg string, args ...any) {
	if l.on(LevelWarning) {
		_ = l.log(noContext, LevelWarning, 1, msg, args)
	}
}

// Error logs at level [LevelError].
func (l *Logger) Error(msg string, args ...any) {
	if l.on(LevelError) {
		_ = l.log(noContext, LevelError, 1, msg, args)
	}
}

// Critical logs at level [LevelCritical].
func (l *Logger) Critical(msg string, args ...any) {
	if l.on(LevelCritical) {
		_ = l.log(noContext, LevelCritical, 1, msg, args)
	}
}

// TraceContext logs at level [LevelTrace] to the handlers bound to ctx and those
// of the application.
func (l *Logger) TraceContext(ctx context.Context, msg string, args ...any) {
	if l.on(LevelTrace) {
		_ = l.log(ctx, LevelTrace, 1, msg, args)
	}
}

// DebugContext logs at level [LevelDebug] to the handlers bound to ctx and those
// of the application.
func (l *Logger) DebugContext(ctx context.Context, msg string, args ...any) {
	if l.on(LevelDebug) {
		_ = l.log(ctx, LevelDebug, 1, msg, args)
	}
}

// InfoContext logs at level [LevelInfo] to the handlers bound to ctx and those of
// the application.
func (l *Logger) InfoContext(ctx context.Context, msg string, args ...any) {
	if l.on(LevelInfo) {
		_ = l.log(ctx, LevelInfo, 1, msg, args)
	}
}

// NoticeContext logs at level [LevelNotice] to the handlers bound to ctx and those
// of the application.
func (l *Logger) NoticeContext(ctx context.Context, msg string, args ...any) {
	if l.on(LevelNotice) {
		_ = l.log(ctx, LevelNotice, 1, msg, args)
	}
}

// WarnContext logs at level [LevelWarning] to the handlers bound to ctx and those
// of the application.
func (l *Logger) WarnContext(ctx context.Context, msg string, args ...any) {
	if l.on(LevelWarning) {
		_ = l.log(ctx, LevelWarning, 1, msg, args)
	}
}

// ErrorContext logs at level [LevelError] to the handlers bound to ctx and those
// of the application.
func (l *Logger) ErrorContext(ctx context.Context, msg string, args ...any) {
	if l.on(LevelError) {
		_ = l.log(ctx, LevelError, 1, msg, args)
	}
}

// CriticalContext logs at level [LevelCritical] to the handlers bound to ctx and
// those of the application.
func (l *Logger) CriticalContext(ctx context.Context, msg string, args ...any) {
	if l.on(LevelCritical) {
		_ = l.log(ctx, LevelCritical, 1, msg, args)
	}
}

// Log logs at any level and returns the errors that the flags say to raise
// ([ErrorsRaise]).
func (l *Logger) Log(ctx context.Context, level Level, msg string, args ...any) error {
	if !l.on(level) {
		return nil
	}
	return l.log(ctx, level, 1, msg, args)
}

// LogDepth is [Logger.Log] for functions that log on behalf of their caller:
// the record's place in the source is depth callers above the caller of
// LogDepth.
func (l *Logger) LogDepth(ctx context.Context, depth int, level Level, msg string, args ...any) error {
	if !l.on(level) {
		return nil
	}
	return l.log(ctx, level, 1+depth, msg, args)
}

// DefaultExceptionMessage is what [Logger.Exception] logs when it is given no
// message.
const DefaultExceptionMessage = "Uncaught exception occurred"

// Exception logs err at level [LevelError] with its type, text and a stack
// trace attached. Without msg it logs [DefaultExceptionMessage].
func (l *Logger) Exception(err error, msg string, args ...any) {
	l.exception(context.Background(), err, msg, args)
}

// ExceptionContext is [Logger.Exception] with the handlers bound to ctx.
func (l *Logger) ExceptionContext(ctx context.Context, err error, msg string, args ...any) {
	l.exception(ctx, err, msg, args)
}

func (l *Logger) exception(ctx context.Context, err error, msg string, args []any) {
	if !l.on(LevelError) || !wanted(ctx, l.own(), LevelError) {
		return
	}
	if msg == "" {
		msg = DefaultExceptionMessage
	}
	if err != nil {
		err = &traced{err, string(trimStack(debug.Stack(), 3))}
	}
	_ = l.log(ctx, LevelError, 2, msg, append(slices.Clone(args), Exc(err)))
}

// CatchPanics runs f. A panic of f is logged like an error by [Logger.Exception],
// with msg or [DefaultExceptionMessage], and ends f only. It reports whether f
// panicked. It is Logbook's catch_exceptions; runtime.Goexit passes through.
func (l *Logger) CatchPanics(ctx context.Context, f func(), msg string, args ...any) (panicked bool) {
	defer func() {
		if v := recover(); v != nil {
			panicked = true
			l.logPanic(ctx, v, msg, args)
		}
	}()
	f()
	return false
}

// RethrowPanics is [Logger.CatchPanics] for code that must not go on: the panic
// is logged and goes on.
func (l *Logger) RethrowPanics(ctx context.Context, f func(), msg string, args ...any) {
	defer func() {
		if v := recover(); v != nil {
			l.logPanic(ctx, v, msg, args)
			panic(v)
		}
	}()
	f()
}

func (l *Logger) logPanic(ctx context.Context, v any, msg string, args []any) {
	if !l.on(LevelError) {
		return
	}
	if msg == "" {
		msg = DefaultExceptionMessage
	}
	err, ok := v.(error)
	if !ok {
		err = fmt.Errorf("panic: %v", v)
	}
	err = &traced{err, string(trimStack(debug.Stack(), 4))}
	_ = l.log(ctx, LevelError, 3, msg, append(slices.Clone(args), Exc(err)))
}

// traced is an error with the stack of the place where it was logged.
type traced struct {
	error
	stack string
}

func (t *traced) Unwrap() error { return t.error }

// trimStack cuts the innermost n calls off a stack as debug.Stack returns it,
// which are those of this package.
func trimStack(stack []byte, n int) []byte {
	lines := strings.SplitAfter(string(stack), "\n")
	if len(lines) <= 1+2*n {
		return stack
	}
	return []byte(lines[0] + strings.Join(lines[1+2*n:], ""))
}
