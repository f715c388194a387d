package core

import (
	"context"
	"fmt"
	"slices"
)

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
		err = &traced{err, stackText(callStack(3))}
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

// logPanic logs the panic v that is being recovered, attributed to the code that
// panicked.
func (l *Logger) logPanic(ctx context.Context, v any, msg string, args []any) {
	own := l.own()
	if !l.on(LevelError) || !wanted(ctx, own, LevelError) {
		return
	}
	if msg == "" {
		msg = DefaultExceptionMessage
	}
	err, ok := v.(error)
	if !ok {
		err = fmt.Errorf("panic: %v", v)
	}
	calls := panicStack()
	r := l.record(LevelError, msg, args)
	r.Exception = NewException(&traced{err, stackText(calls)})
	r.SetPC(0)
	if len(calls) > 0 && introspection(ctx) {
		r.Site = SiteOf(calls[0])
	}
	_ = dispatch(ctx, l, own, r)
}

// traced is an error with the stack of the place where it was logged.
type traced struct {
	error
	stack string
}

func (t *traced) Unwrap() error { return t.error }
