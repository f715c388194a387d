package core

import (
	"fmt"
	"strings"

	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// NewException describes err: its type, its text, and the chain of what it wraps.
// For an error made by [Logger.Exception] or a caught panic the traceback has
// the stack. It returns nil for nil. A type whose Error method panics, as on
// a nil pointer, gets the text that package fmt gives it.
func NewException(err error) *Exception {
	if err == nil {
		return nil
	}
	var stack string
	if t, ok := err.(*traced); ok { //nolint:errorlint // made by this package, outermost
		err, stack = t.error, t.stack
	}
	c := causes{left: maxCauses}
	c.write(err, maxCauses)
	if stack != "" {
		c.text.WriteString("\n\n")
		c.text.WriteString(strings.TrimRight(stack, "\n"))
	}
	return &Exception{
		Name:      errorName(err),
		Message:   strformat.Str(err),
		Traceback: c.text.String(),
		Err:       err,
	}
}

func errorName(err error) string { return fmt.Sprintf("%T", err) }

// maxCauses bounds how many errors of a chain are shown; an error can wrap
// itself.
const maxCauses = 100

// causes lays out an error and what it wraps like Python: innermost first, each
// followed by what it became. Errors that merely add text (fmt.Errorf,
// errors.Join) are part of it, so that each step is seen.
type causes struct {
	text strings.Builder
	left int
}

func (c *causes) write(err error, depth int) {
	if depth == 0 || c.left == 0 {
		return
	}
	c.left--
	before := c.text.Len()
	switch e := err.(type) { //nolint:errorlint // walks the chain by hand
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			c.write(inner, depth-1)
		}
		c.separate(before, "which was the cause of:")
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			c.separate(before, "and:")
			c.write(inner, depth-1)
		}
		c.separate(before, "which together were the cause of:")
	}
	fmt.Fprintf(&c.text, "%s: %s", errorName(err), strformat.Str(err))
}

// separate writes how what follows relates to what was written since before.
func (c *causes) separate(before int, how string) {
	if c.text.Len() > before {
		c.text.WriteString("\n\n" + how + "\n\n")
	}
}
