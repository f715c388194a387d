package core

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
)

// panicError is a panic of a handler, filter or processor, turned into an
// error.
type panicError struct {
	value any
	site  string // where it happened
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Unwrap returns the error that the panic was about, if it was one.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// recoverAs is deferred to turn a panic into an error, so that one faulty handler
// costs neither the program nor the other handlers.
func recoverAs(err *error) {
	if v := recover(); v != nil {
		*err = &panicError{v, panicSite(), debug.Stack()}
	}
}

// call hands r to h and turns a panic into an error.
func call(ctx context.Context, h Handler, r *Record) (err error) {
	defer recoverAs(&err)
	return h.Handle(ctx, r)
}

// panicSite returns the place of the panic that is being recovered.
func panicSite() string {
	if calls := panicStack(); len(calls) > 0 {
		return fmt.Sprintf("%s:%d", calls[0].File, calls[0].Line)
	}
	return ""
}

// culprit is what failed.
type culprit struct {
	binding *Binding // nil for a processor
	part    string   // of the binding, or what else it is
}

func (c culprit) String() string {
	switch {
	case c.binding == nil:
		return c.part
	case c.binding.Handler == nil:
		return c.part + "blackhole"
	case c.binding.Name != "":
		return fmt.Sprintf("%shandler %q (%T)", c.part, c.binding.Name, c.binding.Handler)
	}
	return fmt.Sprintf("%shandler %T", c.part, c.binding.Handler)
}

// report does with an error what the flags say, and returns it if it is to be
// raised.
func report(ctx context.Context, c culprit, r *Record, err error) error {
	mode, owner := errorFlags(ctx)
	switch mode {
	case ErrorsSilent:
		return nil
	case ErrorsRaise:
		err = fmt.Errorf("%s: %w", c, err)
		if owner != nil {
			owner.raise(err)
		}
		return err
	case ErrorsDefault, ErrorsPrint:
		printError(os.Stderr, &panicsSeen, c, r, err)
	}
	return nil
}

// printError writes what failed and for which record, in two lines. The message
// of the record is not shown: it may be secret, and another handler has it.
func printError(w io.Writer, seen *panicCounter, c culprit, r *Record, err error) {
	text := fmt.Sprintf("logbook: %s: %v\n", c, err)
	p, panicked := err.(*panicError) //nolint:errorlint // made by recoverAs, never wrapped here
	if panicked {
		n := seen.count(c.String() + " " + p.site)
		if n > 1 && !powerOfTen(n) {
			return
		}
		if n > 1 {
			text = fmt.Sprintf("logbook: %s: %v (%d times now)\n", c, err, n)
		}
		panicked = n == 1
	}
	text += "  while logging a record of level " + r.Level.String()
	if r.Channel != "" {
		text += fmt.Sprintf(" on channel %q", r.Channel)
	}
	if site := r.Caller(); site.File != "" {
		text += fmt.Sprintf(" from %s:%d", site.File, site.Line)
	}
	text += "\n"
	if panicked {
		text += string(p.stack)
	}
	_, _ = io.WriteString(w, text) // stderr itself failing leaves nobody to tell
}

func powerOfTen(n int) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}

// panicsSeen counts the panics of this process by kind, so that each is shown in
// full only once. It is process-wide because stderr is.
var panicsSeen panicCounter

// maxPanicKinds bounds the memory of a panicCounter.
const maxPanicKinds = 256

// panicCounter counts by kind. Its zero value is empty.
type panicCounter struct {
	mu    sync.Mutex
	kinds map[string]int
}

// count returns how often the kind was seen, this time included.
func (c *panicCounter) count(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil || len(c.kinds) >= maxPanicKinds && c.kinds[kind] == 0 {
		c.kinds = make(map[string]int) // start over
	}
	c.kinds[kind]++
	return c.kinds[kind]
}
