package core

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// LogIfSlow logs a message if what follows takes longer than the threshold: at
// that moment, while it still runs. It is Logbook's logged_if_slow. The
// function it returns must be called at the end of what is watched:
//
//	defer log.LogIfSlow(ctx, time.Second, core.LevelDebug, "checking {0}...", name)()
//
// The record is attributed to the caller of LogIfSlow. After the returned
// function has returned, nothing is logged any more; it may be called twice.
func (l *Logger) LogIfSlow(ctx context.Context, threshold time.Duration, level Level, msg string, args ...any) (done func()) {
	if !l.Enabled(ctx, level) {
		return func() {}
	}
	args = slices.Clone(args)
	var pcs [1]uintptr
	runtime.Callers(2, pcs[:])
	logged := make(chan struct{})
	timer := time.AfterFunc(threshold, func() {
		defer close(logged)
		_ = l.logAt(ctx, pcs[0], level, msg, args)
	})
	return sync.OnceFunc(func() {
		if !timer.Stop() {
			<-logged
		}
	})
}
