// Package eventlog sends records to the event log of Windows. On other systems
// it builds, so that a configuration can name it, and says that there is none.
package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// DefaultFormat is the text of an event.
const DefaultFormat = `Message Level: {record.level_name}
Location: {record.filename}:{record.lineno}
Module: {record.module}
Function: {record.func_name}
Exact Time: {record.time:%Y-%m-%d %H:%M:%S}

Event provided Message:

{record.message}
`

// maxText is the longest text of an event, in UTF-16 units, with some to spare.
const maxText = 31_000

// ErrUnsupported is wrapped by the errors of [New], [Install] and [Remove] on
// systems other than Windows.
var ErrUnsupported = errors.New("the event log is there on Windows only")

// Options says what [New] makes. ApplicationName must be set.
type Options struct {
	// ApplicationName is the source of the events. It should have been installed with
	// [Install]; otherwise the viewer shows the text with an excuse.
	ApplicationName string
	// Formatter renders the text; nil is [DefaultFormat].
	Formatter format.Formatter
	// EventID is the number of the events, from 1, the default, to 1000.
	EventID uint32
	// MessageID, if not nil, chooses the number for a record. It must not keep or
	// change the record. Logbook: get_message_id.
	MessageID func(r *core.Record) uint32
}

// Handler sends records to the event log. It is Logbook's NTEventLogHandler.
type Handler struct {
	o         Options
	formatter format.Formatter

	mu  sync.Mutex
	log log // nil once closed
}

var (
	_ core.Handler = (*Handler)(nil)
	_ io.Closer    = (*Handler)(nil)
)

// log is what the system offers.
type log interface {
	Info(id uint32, text string) error
	Warning(id uint32, text string) error
	Error(id uint32, text string) error
	Close() error
}

// New opens the event log.
func New(o Options) (*Handler, error) {
	if o.ApplicationName == "" {
		return nil, errors.New("event log: no application name")
	}
	l, err := open(o.ApplicationName)
	if err != nil {
		return nil, fmt.Errorf("open event log for %q: %w", o.ApplicationName, err)
	}
	return newHandler(o, l)
}

func newHandler(o Options, l log) (*Handler, error) {
	if o.EventID == 0 {
		o.EventID = 1
	}
	h := &Handler{o: o, formatter: o.Formatter, log: l}
	if h.formatter == nil {
		f, err := format.NewString(DefaultFormat, format.Options{})
		if err != nil {
			return nil, err
		}
		h.formatter = f
	}
	return h, nil
}

// Handle writes r: errors and criticals as errors, warnings as warnings, and the
// rest as information.
func (h *Handler) Handle(_ context.Context, r *core.Record) error {
	b, ferr := h.formatter.Append(nil, r)
	text := clip(strings.ReplaceAll(string(b), "\x00", "\uFFFD"))
	id := h.o.EventID
	if h.o.MessageID != nil {
		id = h.o.MessageID(r)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.log == nil {
		return fmt.Errorf("event log: %w", handler.ErrClosed)
	}
	write := h.log.Info
	switch {
	case r.Level >= core.LevelError:
		write = h.log.Error
	case r.Level >= core.LevelWarning:
		write = h.log.Warning
	}
	if err := write(id, text); err != nil {
		return errors.Join(ferr, fmt.Errorf("write to event log: %w", err))
	}
	return ferr
}

// clip cuts a text to what an event can hold.
func clip(s string) string {
	units := 0
	for i, c := range s {
		if units++; c > 0xFFFF {
			units++
		}
		if units > maxText {
			return s[:i] + "..."
		}
	}
	return s
}

// Close closes the event log.
func (h *Handler) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.log == nil {
		return nil
	}
	err := h.log.Close()
	h.log = nil
	if err != nil {
		return fmt.Errorf("close event log: %w", err)
	}
	return nil
}
