package core

import "context"

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
