package core

import "context"

// generic is the logger of the package-level functions. Its records carry no
// dispatcher, as in Logbook.
var generic = NewLogger(GenericChannel)

// Trace logs at level [LevelTrace] on the channel [GenericChannel].
func Trace(msg string, args ...any) {
	if generic.on(LevelTrace) {
		_ = generic.log(noContext, LevelTrace, 1, msg, args)
	}
}

// Debug logs at level [LevelDebug] on the channel [GenericChannel].
func Debug(msg string, args ...any) {
	if generic.on(LevelDebug) {
		_ = generic.log(noContext, LevelDebug, 1, msg, args)
	}
}

// Info logs at level [LevelInfo] on the channel [GenericChannel].
func Info(msg string, args ...any) {
	if generic.on(LevelInfo) {
		_ = generic.log(noContext, LevelInfo, 1, msg, args)
	}
}

// Notice logs at level [LevelNotice] on the channel [GenericChannel].
func Notice(msg string, args ...any) {
	if generic.on(LevelNotice) {
		_ = generic.log(noContext, LevelNotice, 1, msg, args)
	}
}

// Warn logs at level [LevelWarning] on the channel [GenericChannel].
func Warn(msg string, args ...any) {
	if generic.on(LevelWarning) {
		_ = generic.log(noContext, LevelWarning, 1, msg, args)
	}
}

// Error logs at level [LevelError] on the channel [GenericChannel].
func Error(msg string, args ...any) {
	if generic.on(LevelError) {
		_ = generic.log(noContext, LevelError, 1, msg, args)
	}
}

// Critical logs at level [LevelCritical] on the channel [GenericChannel].
func Critical(msg string, args ...any) {
	if generic.on(LevelCritical) {
		_ = generic.log(noContext, LevelCritical, 1, msg, args)
	}
}

// TraceContext is [Trace] with the handlers bound to ctx.
func TraceContext(ctx context.Context, msg string, args ...any) {
	if generic.on(LevelTrace) {
		_ = generic.log(ctx, LevelTrace, 1, msg, args)
	}
}

// DebugContext is [Debug] with the handlers bound to ctx.
func DebugContext(ctx context.Context, msg string, args ...any) {
	if generic.on(LevelDebug) {
		_ = generic.log(ctx, LevelDebug, 1, msg, args)
	}
}

// InfoContext is [Info] with the handlers bound to ctx.
func InfoContext(ctx context.Context, msg string, args ...any) {
	if generic.on(LevelInfo) {
		_ = generic.log(ctx, LevelInfo, 1, msg, args)
	}
}

// NoticeContext is [Notice] with the handlers bound to ctx.
func NoticeContext(ctx context.Context, msg string, args ...any) {
	if generic.on(LevelNotice) {
		_ = generic.log(ctx, LevelNotice, 1, msg, args)
	}
}

// WarnContext is [Warn] with the handlers bound to ctx.
func WarnContext(ctx context.Context, msg string, args ...any) {
	if generic.on(LevelWarning) {
		_ = generic.log(ctx, LevelWarning, 1, msg, args)
	}
}

// ErrorContext is [Error] with the handlers bound to ctx.
func ErrorContext(ctx context.Context, msg string, args ...any) {
	if generic.on(LevelError) {
		_ = generic.log(ctx, LevelError, 1, msg, args)
	}
}

// CriticalContext is [Critical] with the handlers bound to ctx.
func CriticalContext(ctx context.Context, msg string, args ...any) {
	if generic.on(LevelCritical) {
		_ = generic.log(ctx, LevelCritical, 1, msg, args)
	}
}

// Log logs at any level on the channel [GenericChannel], see [Logger.Log].
func Log(ctx context.Context, level Level, msg string, args ...any) error {
	if !generic.on(level) {
		return nil
	}
	return generic.log(ctx, level, 1, msg, args)
}

// LogException logs err on the channel [GenericChannel], see [Logger.Exception].
func LogException(err error, msg string, args ...any) {
	generic.exception(context.Background(), err, msg, args)
}

// LogExceptionContext is [LogException] with the handlers bound to ctx.
func LogExceptionContext(ctx context.Context, err error, msg string, args ...any) {
	generic.exception(ctx, err, msg, args)
}

// CatchPanics runs f and logs its panic on the channel [GenericChannel], see
// [Logger.CatchPanics].
func CatchPanics(ctx context.Context, f func(), msg string, args ...any) (panicked bool) {
	defer func() {
		if v := recover(); v != nil {
			panicked = true
			generic.logPanic(ctx, v, msg, args)
		}
	}()
	f()
	return false
}
