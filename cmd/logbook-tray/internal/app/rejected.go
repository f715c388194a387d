package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
)

// keepRejected is the section about the messages that are no record.
type keepRejected struct {
	Enabled  bool        `yaml:"enabled"`
	MaxCount int         `yaml:"max_count"`
	MaxSize  config.Size `yaml:"max_size"`
}

// The bounds of what may be kept.
const (
	mostRejected  = 100_000
	leastRejected = 64 << 10 // bytes
)

// Validate implements the check of [config.Decode].
func (k *keepRejected) Validate() error {
	var errs []error
	if k.MaxCount < 0 || k.MaxCount > mostRejected {
		errs = append(errs, config.At("max_count", "must be from 1 to %d", mostRejected))
	}
	if k.MaxSize != 0 && k.MaxSize < leastRejected {
		errs = append(errs, config.At("max_size", "must be 64KiB at least"))
	}
	return errors.Join(errs...)
}

func (k *keepRejected) limits() rejected.Limits {
	return rejected.Limits{Disabled: !k.Enabled, MaxCount: k.MaxCount, MaxSize: int(k.MaxSize)}
}

// RejectedDir returns the directory of the rejected messages, beside the state database.
func RejectedDir(state string) string { return filepath.Join(filepath.Dir(state), "rejected") }

func (a *App) openRejected(l rejected.Limits) {
	if a.o.State == "" {
		return
	}
	var err error
	a.rejected, err = rejected.Open(rejected.Options{
		Dir: RejectedDir(a.o.State), OnReport: a.reportRejected,
		OnError: func(err error) {
			if err != nil {
				a.Self.Warn("{error}", core.Kw("error", err.Error()))
				return
			}
			a.Self.Notice("rejected messages are kept again")
		},
	}, l)
	if err != nil {
		a.Self.Warn("{error}", core.Kw("error", err.Error()))
	}
}

// Reject takes a message of a source of this type that is no record. It does not block.
func (a *App) Reject(sourceType string, r queue.Rejection) {
	if a.rejected != nil {
		a.rejected.Add(sourceType, r)
	}
}

// maxDetail bounds what a record of ours repeats of an error, in characters.
const maxDetail = 200

// reportRejected says in the log that messages were no records.
func (a *App) reportRejected(r rejected.Report) {
	text := "{source}: rejected {count} messages: {reason}"
	if r.Count == 1 {
		text = "{source}: rejected a message: {reason}"
	}
	if r.Detail != "" {
		text += " ({detail})"
	}
	if r.ID != 0 {
		text += "; see: logbook-tray rejected show {id}"
	}
	a.Self.Warn(text, core.Kw("source", r.Source), core.Kw("count", r.Count), core.Kw("reason", r.Reason),
		core.Kw("detail", display.Line(r.Detail, maxDetail)), core.Kw("id", r.ID))
}

// RejectedStats counts what became of rejected messages.
func (a *App) RejectedStats() rejected.Stats {
	if a.rejected == nil {
		return rejected.Stats{}
	}
	return a.rejected.Stats()
}

// Rejected lists the rejected messages that are kept and selected by q, newest first, each
// with its beginning.
func (a *App) Rejected(q rejected.Query) []rejected.Entry {
	if a.rejected == nil {
		return nil
	}
	return a.rejected.List(q)
}

// RejectedMessage returns one of them, with its body.
func (a *App) RejectedMessage(id uint64) (rejected.Entry, error) {
	if a.rejected == nil {
		return rejected.Entry{}, control.NoRejected(id)
	}
	e, err := a.rejected.Get(id)
	if errors.Is(err, rejected.ErrNotFound) {
		err = control.NoRejected(id)
	}
	return e, err
}

// ClearRejected removes a message, or with id 0 all that q selects, and returns how many
// there were.
func (a *App) ClearRejected(id uint64, q rejected.Query) (int, error) {
	if id != 0 {
		return 1, a.removeRejected(id)
	}
	if a.rejected == nil {
		return 0, nil
	}
	return a.rejected.Clear(q)
}

func (a *App) removeRejected(id uint64) error {
	if a.rejected == nil {
		return control.NoRejected(id)
	}
	err := a.rejected.Remove(id)
	if errors.Is(err, rejected.ErrNotFound) {
		return control.NoRejected(id)
	}
	return err
}

// RetryRejected reads a message again with the configuration as it is now, or with id 0 all
// that q selects, the oldest first. What is a record now goes the way of all records, marked
// by its extra data, and the message is not kept any longer.
func (a *App) RetryRejected(ctx context.Context, id uint64, q rejected.Query) control.Retried {
	ids := []uint64{id}
	if id == 0 {
		ids = nil
		for _, e := range slices.Backward(a.Rejected(q)) {
			ids = append(ids, e.ID)
		}
	}
	var out control.Retried
	for _, id := range ids {
		if ctx.Err() != nil { // nobody waits for it any more
			break
		}
		r, err := a.retry(id)
		out.Add(id, r, err)
	}
	return out
}

func (a *App) retry(id uint64) (*core.Record, error) {
	e, err := a.RejectedMessage(id)
	if err != nil {
		return nil, err
	}
	r, err := a.decodeAgain(e)
	if err != nil {
		return nil, err
	}
	r.Extra.Set("retried", true)
	r = core.NewReceived(r, core.Source{Name: e.Source, Peer: e.Peer}, e.Time)
	if err := a.pipeline.Dispatch(r); errors.Is(err, pipeline.ErrClosed) {
		return nil, err
	}
	// Somebody may have removed it meanwhile.
	if err := a.rejected.Remove(id); err != nil && !errors.Is(err, rejected.ErrNotFound) {
		return nil, fmt.Errorf("it is a record now, and was handled, but %w", err)
	}
	return r, nil
}

// decodeAgain has a message decoded by the source that it came from.
func (a *App) decodeAgain(e rejected.Entry) (*core.Record, error) {
	if !e.Whole() {
		return nil, fmt.Errorf("only the first %d bytes of it are kept", e.Kept)
	}
	s, err := a.pipeline.Source(e.Source)
	if err != nil {
		return nil, err
	}
	d, ok := s.(queue.Decoder)
	if !ok {
		return nil, fmt.Errorf("source %q cannot read it again", e.Source)
	}
	return d.Decode(queue.Message{Body: e.Body, Format: e.Format, Peer: e.Peer})
}
