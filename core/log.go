package core

import (
	"context"
	"runtime"
)

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
