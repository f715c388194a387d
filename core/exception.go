package core

import (
	"errors"
	"fmt"
	"strings"
)

// NewException describes err: its type, its text, and the chain of what it wraps.
// For an error made by [Logger.Exception] or a caught panic the traceback has
// the stack. It returns nil for nil.
func NewException(err error) *Exception {
	if err == nil {
		return nil
	}
	var stack string
	if t, ok := err.(*traced); ok { //nolint:errorlint // made by this package, outermost
		err, stack = t.error, t.stack
	}
	return &Exception{
		Name:      errorName(err),
		Message:   err.Error(),
		Traceback: traceback(err, stack),
		Err:       err,
	}
}

func errorName(err error) string { return fmt.Sprintf("%T", err) }

// traceback lays out the chain of causes like Python: innermost first, each
// followed by what it became, and the stack last.
func traceback(err error, stack string) string {
	var b strings.Builder
	for i, e := range chain(err, nil) {
		if i > 0 {
			b.WriteString("\n\nwhich was the cause of:\n\n")
		}
		fmt.Fprintf(&b, "%s: %s", errorName(e), e.Error())
	}
	if stack != "" {
		b.WriteString("\n\n")
		b.WriteString(strings.TrimRight(stack, "\n"))
	}
	return b.String()
}

// chain returns err and everything it wraps, innermost first. Errors that
// merely add text (fmt.Errorf, errors.Join) are part of it, so that each step is seen.
func chain(err error, out []error) []error {
	if len(out) > 100 { // an error that wraps itself
		return out
	}
	switch e := err.(type) { //nolint:errorlint // walks the chain by hand
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			out = chain(inner, out)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			out = chain(inner, out)
		}
	default:
		var none error
		if errors.Is(err, none) {
			return out
		}
	}
	return append(out, err)
}
