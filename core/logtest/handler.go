package logtest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// Formatter renders a record for [TestHandler.Formatted]. Every formatter of
// core/format is one.
type Formatter interface {
	Append(dst []byte, r *core.Record) ([]byte, error)
}

// TestHandler keeps the records it is given, so that a test can ask for them.
// It is Logbook's TestHandler. All methods are safe for concurrent use. The zero
// value is ready to use:
//
//	var logs logtest.TestHandler
//	err := core.Do(ctx, core.Binding{Handler: &logs}, func(ctx context.Context) error {
//		return pay(ctx, order)
//	})
//	if !logs.HasWarning("declined") { ... }
type TestHandler struct {
	// Formatter renders the records for Formatted; nil gives
	// "[WARNING] channel: message" and the exception on further lines. It must
	// not be changed after the first record.
	Formatter Formatter

	mu        sync.Mutex
	records   []*core.Record
	formatted []string // of the first len(formatted) records
	resets    int
}

var (
	_ core.Handler      = (*TestHandler)(nil)
	_ core.BatchHandler = (*TestHandler)(nil)
)

// Handle keeps r.
func (h *TestHandler) Handle(_ context.Context, r *core.Record) error {
	kept := r.Keep()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = append(h.records, kept)
	return nil
}

// HandleBatch keeps the records like single ones.
func (h *TestHandler) HandleBatch(ctx context.Context, rs []*core.Record, _ core.BatchReason) error {
	for _, r := range rs {
		_ = h.Handle(ctx, r) // never fails
	}
	return nil
}

// Records returns the records so far, oldest first.
func (h *TestHandler) Records() []*core.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.records)
}

// Len returns how many records there are.
func (h *TestHandler) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.records)
}

// Last returns the newest record; nil if there is none.
func (h *TestHandler) Last() *core.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.records) == 0 {
		return nil
	}
	return h.records[len(h.records)-1]
}

// Reset forgets all records.
func (h *TestHandler) Reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records, h.formatted = nil, nil
	h.resets++
}

// Formatted returns the records so far as text. Each record is formatted once,
// when it is first asked for.
func (h *TestHandler) Formatted() []string {
	h.mu.Lock()
	records, formatted, resets := h.records, slices.Clip(h.formatted), h.resets
	h.mu.Unlock()
	if len(formatted) == len(records) {
		return formatted
	}
	for _, r := range records[len(formatted):] {
		formatted = append(formatted, h.format(r))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.resets == resets && len(h.formatted) < len(formatted) {
		h.formatted = formatted
	}
	return slices.Clip(formatted)
}

func (h *TestHandler) format(r *core.Record) string {
	if h.Formatter != nil {
		text, err := h.Formatter.Append(nil, r)
		if err != nil {
			return fmt.Sprintf("%s [%v]", text, err)
		}
		return string(text)
	}
	text := fmt.Sprintf("[%s] %s: %s", r.Level, r.Channel, r.Message())
	if r.Exception != nil && r.Exception.Traceback != "" {
		text += "\n" + r.Exception.Traceback
	}
	return text
}

// Query says which records [TestHandler.Find] is after. Fields that are zero do
// not matter.
type Query struct {
	Level   core.Level
	Channel string
	// Message is the whole message as a string, or a [*regexp.Regexp] that
	// must match some of it.
	Message any
}

// Find returns the oldest record that fits q; nil if there is none. It panics
// if q.Message is neither nil nor a string nor a *regexp.Regexp.
func (h *TestHandler) Find(q Query) *core.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.records, q.fits)
	if i < 0 {
		return nil
	}
	return h.records[i]
}

func (q Query) fits(r *core.Record) bool {
	if q.Level != core.LevelNotSet && q.Level != r.Level || q.Channel != "" && q.Channel != r.Channel {
		return false
	}
	switch m := q.Message.(type) {
	case nil:
		return true
	case string:
		return m == r.Message()
	case *regexp.Regexp:
		return m.MatchString(r.Message())
	}
	panic(fmt.Sprintf("logtest: message to look for is a %T, want a string or a *regexp.Regexp", q.Message))
}

// HasTraces reports whether there is any record of level [core.LevelTrace].
func (h *TestHandler) HasTraces() bool { return h.has(core.LevelTrace, nil) }

// HasDebugs reports whether there is any record of level [core.LevelDebug].
func (h *TestHandler) HasDebugs() bool { return h.has(core.LevelDebug, nil) }

// HasInfos reports whether there is any record of level [core.LevelInfo].
func (h *TestHandler) HasInfos() bool { return h.has(core.LevelInfo, nil) }

// HasNotices reports whether there is any record of level [core.LevelNotice].
func (h *TestHandler) HasNotices() bool { return h.has(core.LevelNotice, nil) }

// HasWarnings reports whether there is any record of level [core.LevelWarning].
func (h *TestHandler) HasWarnings() bool { return h.has(core.LevelWarning, nil) }

// HasErrors reports whether there is any record of level [core.LevelError].
func (h *TestHandler) HasErrors() bool { return h.has(core.LevelError, nil) }

// HasCriticals reports whether there is any record of level [core.LevelCritical].
func (h *TestHandler) HasCriticals() bool { return h.has(core.LevelCritical, nil) }

// HasTrace reports whether there is a record of level [core.LevelTrace] with
// this message: a string, or a [*regexp.Regexp] that matches some of it.
func (h *TestHandler) HasTrace(message any) bool { return h.has(core.LevelTrace, message) }

// HasDebug is [TestHandler.HasTrace] for [core.LevelDebug].
func (h *TestHandler) HasDebug(message any) bool { return h.has(core.LevelDebug, message) }

// HasInfo is [TestHandler.HasTrace] for [core.LevelInfo].
func (h *TestHandler) HasInfo(message any) bool { return h.has(core.LevelInfo, message) }

// HasNotice is [TestHandler.HasTrace] for [core.LevelNotice].
func (h *TestHandler) HasNotice(message any) bool { return h.has(core.LevelNotice, message) }

// HasWarning is [TestHandler.HasTrace] for [core.LevelWarning].
func (h *TestHandler) HasWarning(message any) bool { return h.has(core.LevelWarning, message) }

// HasError is [TestHandler.HasTrace] for [core.LevelError].
func (h *TestHandler) HasError(message any) bool { return h.has(core.LevelError, message) }

// HasCritical is [TestHandler.HasTrace] for [core.LevelCritical].
func (h *TestHandler) HasCritical(message any) bool { return h.has(core.LevelCritical, message) }

func (h *TestHandler) has(l core.Level, message any) bool {
	return h.Find(Query{Level: l, Message: message}) != nil
}
