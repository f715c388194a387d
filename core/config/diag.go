package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Severity says whether a mistake keeps the configuration from being used.
type Severity uint8

const (
	// Error is a mistake; the configuration is not used.
	Error Severity = iota
	// Warning is something that is probably not meant; the configuration is
	// used.
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText returns what String does, for JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Diagnostic is one mistake in a configuration file and its place.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// File is the path as it was given to [Parse]; it may be empty.
	File string `json:"file"`
	// Line counts from 1. It is 0 for a mistake that has no place in the
	// file, such as a file that cannot be read.
	Line int `json:"line"`
	// Column counts characters (code points) from 1; EndColumn is the one
	// behind the last character, at most one beyond the end of the line.
	Column    int `json:"column"`
	EndColumn int `json:"end_column"`
	// Message says what is wrong, in lower case and without a full stop.
	Message string `json:"message"`
	// Hint says what to do about it; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// String returns "file:line:column: error: message", without the parts that
// are unknown.
func (d Diagnostic) String() string {
	return d.place() + d.Severity.String() + ": " + d.Message
}

func (d Diagnostic) place() string {
	switch {
	case d.Line > 0 && d.File != "":
		return fmt.Sprintf("%s:%d:%d: ", d.File, d.Line, d.Column)
	case d.Line > 0:
		return fmt.Sprintf("%d:%d: ", d.Line, d.Column)
	case d.File != "":
		return d.File + ": "
	}
	return ""
}

// Diagnostics are the mistakes found in a configuration. As an error they
// read as the first one and a count; [Diagnostics.Fprint] shows them all.
type Diagnostics []Diagnostic //nolint:errname // a list to show in the first place

// Error returns the first mistake and how many more there are.
func (ds Diagnostics) Error() string {
	errs := ds.Errors()
	if len(errs) == 0 {
		errs = ds
	}
	switch len(errs) {
	case 0:
		return "no mistakes"
	case 1:
		return errs[0].place() + errs[0].Message
	case 2:
		return errs[0].place() + errs[0].Message + " (and 1 more mistake)"
	}
	return fmt.Sprintf("%s%s (and %d more mistakes)", errs[0].place(), errs[0].Message, len(errs)-1)
}

// Errors returns those that are not mere warnings.
func (ds Diagnostics) Errors() Diagnostics {
	return slices.DeleteFunc(slices.Clone(ds), func(d Diagnostic) bool { return d.Severity != Error })
}

// HasErrors reports whether any of them is more than a warning.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Err returns ds as an error if it has errors, else nil.
func (ds Diagnostics) Err() error {
	if ds.HasErrors() {
		return ds
	}
	return nil
}

// Sorted returns them by file, place and message, each once.
func (ds Diagnostics) Sorted() Diagnostics {
	out := slices.Clone(ds)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(out)
}

// A FieldError is a mistake in the value of one option. Validate methods of
// options and constructors return it, joined with others if there are several,
// so that the mistake is shown at the option and not at the whole handler.
type FieldError struct {
	Field string // the key as written in the file
	Err   error
}

// At returns a [FieldError].
func At(field, format string, args ...any) error {
	return &FieldError{Field: field, Err: fmt.Errorf(format, args...)}
}

// Error returns "field: message".
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns the error without the field.
func (e *FieldError) Unwrap() error { return e.Err }

// Diagnose turns an error about the options in n into diagnostics: each
// [FieldError] in it at the value of that field, [Diagnostics] as they are,
// everything else at n. n may be nil.
func Diagnose(n *Node, err error) Diagnostics {
	var out Diagnostics
	for _, e := range flatten(err) {
		var ds Diagnostics
		var field *FieldError
		switch {
		case errors.As(e, &ds):
			out = append(out, ds...)
		case errors.As(e, &field) && n.Get(field.Field) != nil:
			out = append(out, n.Get(field.Field).Errorf("%s: %v", field.Field, field.Err))
		default:
			out = append(out, n.Errorf("%v", e))
		}
	}
	return out
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, flatten(e)...)
	}
	return out
}
