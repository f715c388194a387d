package handler

import (
	"context"
	"errors"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

// Exception turns every record into an error: to have warnings fail a test or
// a batch job. It is Logbook's ExceptionHandler. Bind it with [NewRaising], or
// together with [core.Flags] that have [core.ErrorsRaise]; otherwise the error is
// only printed.
type Exception struct {
	// Formatter renders the text of the error; nil is [format.Default].
	Formatter format.Formatter
	// New, if not nil, makes the error from the text and the record, which it
	// must not keep. The default makes a [RecordError].
	New func(text string, r *core.Record) error
}

var _ core.Handler = Exception{}

// RecordError is a record that was logged where none should be.
type RecordError struct {
	// Record is the record, kept.
	Record *core.Record
	// Text is what the error says.
	Text string
}

// Error returns the text.
func (e *RecordError) Error() string { return e.Text }

// Unwrap returns the error that was attached to the record, if there is one.
func (e *RecordError) Unwrap() error {
	if e.Record.Exception == nil {
		return nil
	}
	return e.Record.Exception.Err
}

// Handle returns an error made of r.
func (e Exception) Handle(_ context.Context, r *core.Record) error {
	f := e.Formatter
	if f == nil {
		f = format.Default()
	}
	text, err := f.Append(nil, r)
	if e.New != nil {
		return errors.Join(e.New(string(text), r), err)
	}
	return errors.Join(&RecordError{r.Keep(), string(text)}, err)
}

// NewRaising returns a setup that turns records from a level up into errors, which
// are returned to the caller: by [core.Logger.Log], and by the end of the binding.
func NewRaising(level core.Level, e Exception) core.Setup {
	return core.Setups{
		core.Flags{Errors: core.ErrorsRaise},
		core.Binding{Handler: e, Level: level, Name: "exception"},
	}
}
