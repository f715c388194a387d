package core

import (
	"context"
	"runtime"
	"sync"
)

// Deprecations tells the callers of outdated functions so, each place in the
// source once. It is Logbook's log_deprecation_message. The zero value is ready to
// use and logs on the channel "deprecation":
//
//	var deprecations core.Deprecations
//
//	// Pay is outdated.
//	func Pay() {
//		deprecations.Warn("use Charge instead of Pay")
//		...
//	}
//
// All methods are safe for concurrent use.
type Deprecations struct {
	// Logger logs the warnings; nil stands for the channel "deprecation". It
	// must not be changed after the first call.
	Logger *Logger

	once sync.Once
	log  *Logger
	seen sync.Map // the places that were told
}

// Warn logs "Deprecation message: message" at level [LevelWarning], unless it
// has done so for the same caller of its caller. The record is attributed to that
// place.
func (d *Deprecations) Warn(message string) {
	var pcs [1]uintptr
	runtime.Callers(3, pcs[:])
	frame, _ := runtime.CallersFrames(pcs[:]).Next()
	if _, seen := d.seen.LoadOrStore(Site{File: frame.File, Line: frame.Line}, true); seen {
		return
	}
	d.once.Do(func() {
		if d.log = d.Logger; d.log == nil {
			d.log = NewLogger("deprecation")
		}
	})
	if d.log.on(LevelWarning) {
		_ = d.log.logAt(context.Background(), pcs[0], LevelWarning, "Deprecation message: {0}", []any{message})
	}
}
