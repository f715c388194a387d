package core

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

// ErrorMode says what happens to an error that a handler returns.
type ErrorMode uint8

const (
	// ErrorsDefault leaves the choice to the flags further down the stack;
	// without any it is [ErrorsPrint].
	ErrorsDefault ErrorMode = iota
	// ErrorsPrint writes the error to stderr.
	ErrorsPrint
	// ErrorsSilent ignores it.
	ErrorsSilent
	// ErrorsRaise returns it to the caller: to who called [Dispatch] or
	// [Logger.Log] directly, and to who bound the flags, when the
	// binding ends.
	ErrorsRaise
)

// Switch is a setting that can be on, off, or left to whatever is further
// down the stack.
type Switch uint8

// The positions of a [Switch].
const (
	Unset Switch = iota
	On
	Off
)

// Flags changes how logging itself behaves. It is a [Setup]; each setting is
// taken from the newest flags that have it.
type Flags struct {
	// Errors says what happens to errors of handlers.
	Errors ErrorMode
	// Introspection says whether the place in the source is looked up
	// ([Record.Caller]). It is on by default and costs some 200 ns a record.
	Introspection Switch
}

func errorFlags(ctx context.Context) (ErrorMode, *bound) {
	w := walk(ctx)
	for f := w.next(kindFlags); f != nil; f = w.next(kindFlags) {
		if f.flags.Errors != ErrorsDefault {
			return f.flags.Errors, f.owner
		}
	}
	return ErrorsPrint, nil
}

func introspection(ctx context.Context) bool {
	w := walk(ctx)
	for f := w.next(kindFlags); f != nil; f = w.next(kindFlags) {
		if f.flags.Introspection != Unset {
			return f.flags.Introspection == On
		}
	}
	return true
}

// panicError is a panic of a handler, turned into an error.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// call hands r to h and turns a panic into an error, so that one faulty
// handler costs neither the program nor the other handlers.
func call(ctx context.Context, h Handler, r *Record) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return h.Handle(ctx, r)
}

// panicsSeen holds the kinds of panic that were printed with their stack.
var panicsSeen sync.Map

// report does with the error of a handler what the flags say, and returns it if
// it is to be raised.
func report(ctx context.Context, h Handler, r *Record, err error) error {
	mode, owner := errorFlags(ctx)
	switch mode {
	case ErrorsSilent:
		return nil
	case ErrorsRaise:
		if owner != nil {
			owner.raise(err)
		}
		return err
	case ErrorsDefault, ErrorsPrint:
		printError(os.Stderr, h, r, err)
	}
	return nil
}

func printError(w io.Writer, h Handler, r *Record, err error) {
	site := r.Caller()
	text := fmt.Sprintf("logbook: %T: %v\n  while logging %s from %s:%d\n", h, err, r.Level, site.File, site.Line)
	if p, ok := err.(*panicError); ok { //nolint:errorlint // made by call, never wrapped
		kind := fmt.Sprintf("%T: %v", h, p.value)
		if _, seen := panicsSeen.LoadOrStore(kind, true); !seen {
			text += string(p.stack)
		}
	}
	_, _ = io.WriteString(w, text) // stderr itself failing leaves nobody to tell
}
