// Package format turns records into text: Logbook's format strings, JSON lines,
// logfmt, and colour for terminals. A formatter is safe for concurrent use and
// keeps nothing of a record.
//
// Handlers that write text take a [Formatter]. The template formatter on Jinja
// syntax is the package format/jinja, so that only who uses it pays for it.
package format

import "github.com/logbook-tray/logbook-tray/core"

// Formatter renders a record.
//
// Append appends the text of r to dst and returns the extended slice. The text
// has no trailing newline, but it may have newlines inside. On an error the
// returned slice still has whatever text could be made, so that a mistake in a
// format string costs a part of a line, never a record.
//
// Append may be called concurrently. It must not keep or change r.
type Formatter interface {
	Append(dst []byte, r *core.Record) ([]byte, error)
}

// Func is a function that serves as a [Formatter].
type Func func(dst []byte, r *core.Record) ([]byte, error)

// Append calls f.
func (f Func) Append(dst []byte, r *core.Record) ([]byte, error) { return f(dst, r) }
