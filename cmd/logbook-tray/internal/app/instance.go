package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// Windows is what an [Instance] needs of the windows of the program.
type Windows interface {
	OpenLog()
	OpenAlert(id uint64) error
	Windows() ([]control.Window, error)
}

// ErrHeadless says that there are no windows.
var ErrHeadless = errors.New("this instance is headless and has no windows")

// Instance is an [App] as the control socket sees it.
type Instance struct {
	*App

	// Shown are the windows; nil for a headless instance.
	Shown Windows
}

var _ control.Instance = (*Instance)(nil)

// Status returns the state of the whole program.
func (i *Instance) Status() control.Status {
	s := control.Status{
		Version: i.o.Version, PID: os.Getpid(), Started: i.started.UTC(), Mode: i.o.Mode, Config: i.o.Config, ConfigSum: i.loadedSum(),
		Windows: []control.Window{},
		Alerts:  control.Alerts{Total: i.App.Alerts.Len(), Unseen: i.App.Alerts.Unseen(), Undelivered: i.App.Alerts.Undelivered()},
	}
	p := i.pipeline.Status()
	s.Pipeline = p
	held := i.Store.Stats()
	s.Records = control.Records{Held: held.Held, Evicted: held.Evicted}
	rejects := i.RejectedStats()
	s.Rejected = control.Rejects{
		Kept: rejects.Held, Bytes: rejects.Size, Limited: rejects.Limited, Dropped: rejects.Dropped, Failed: rejects.Failed,
	}
	if rejects.Err != nil {
		s.Rejected.Error = rejects.Err.Error()
	}
	s.Mutes, s.Inhibitions, s.Escalations = i.Mutes(), i.Routes.Inhibitions(), i.Routes.Escalations()
	if until, muted := i.Muted(); muted {
		s.Muted = true
		if !until.IsZero() {
			s.MutedUntil = &until
		}
	}
	if s.Problem = i.Problem(); s.Problem == "" {
		s.Problem = p.Problem()
	}
	if i.Shown != nil {
		windows, err := i.Shown.Windows()
		s.Windows = append(s.Windows, windows...)
		if err != nil {
			s.Problem = err.Error()
		}
	}
	return s
}

// Problem says why the last reload was refused; "" if it was not.
func (a *App) Problem() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.problem
}

// Counts returns how many records came in and how many of them were given to the
// handlers since the start.
func (a *App) Counts() (received, dispatched uint64) {
	totals := a.pipeline.Status().Totals
	return totals["received"], totals["dispatched"]
}

// Started returns when the program was started.
func (a *App) Started() time.Time { return a.started }

// Config returns the path of the configuration file, which need not exist.
func (a *App) Config() string { return a.o.Config }

// PipelineStatus returns the condition of the pipeline.
func (a *App) PipelineStatus() pipeline.Status { return a.pipeline.Status() }

// Dispatch sends a record of the program itself to the log window, and nowhere
// else: a handler that fails must not make it fail again.
func (a *App) Dispatch(ctx context.Context, r *core.Record) error { return a.Store.Handle(ctx, r) }

// Alerts lists the alerts without their contexts, newest first.
func (i *Instance) Alerts() []control.Alert {
	list := i.App.Alerts.List()
	out := make([]control.Alert, len(list))
	for n, a := range list {
		out[n] = forControl(a)
	}
	return out
}

func forControl(a alert.Alert) control.Alert {
	return control.Alert{
		ID: a.ID, State: a.State.String(), Channel: a.Trigger.Channel, Level: a.Trigger.Level.String(),
		Message: a.Trigger.Message(), Source: a.Trigger.Source.String(), Fingerprint: a.Fingerprint, Count: a.Count,
		First: a.First.UTC(), Last: a.Last.UTC(), Failures: a.Failures, Escalated: a.Escalated,
	}
}

// Alert returns one alert with its context.
func (i *Instance) Alert(id uint64) (control.Alert, bool) {
	a, ok := i.App.Alerts.Get(id)
	if !ok {
		return control.Alert{}, false
	}
	out := forControl(a)
	out.Context = control.JSONRecords(a.Context)
	return out, true
}

// OpenAlert shows the context of an alert.
func (i *Instance) OpenAlert(id uint64) error {
	if i.Shown == nil {
		return fmt.Errorf("%w; see: logbook-tray alerts show %d", ErrHeadless, id)
	}
	return i.Shown.OpenAlert(id)
}

// DismissAlert marks an alert as seen, or with id 0 all that are new, and takes their
// notifications away where that can be done.
func (i *Instance) DismissAlert(id uint64) error {
	if id == 0 {
		for _, seen := range i.App.Alerts.SeenAll() {
			i.takeAway(seen)
		}
		return nil
	}
	if !i.App.Alerts.Seen(id) {
		return noAlert(id)
	}
	i.takeAway(id)
	return nil
}

// takeAway takes the notification of an alert off the screen.
func (a *App) takeAway(id uint64) {
	d, ok := a.Notifier.(notifiers.Dismisser)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(a.ctx, notifiers.DefaultTimeout)
	defer cancel()
	_ = d.Dismiss(ctx, id) // it stays on the screen; that the alert was seen is what matters
}

func noAlert(id uint64) error {
	return fmt.Errorf("there is no alert %d; see: logbook-tray alerts list", id)
}

// Show raises the log window.
func (i *Instance) Show() error {
	if i.Shown == nil {
		return ErrHeadless
	}
	i.Shown.OpenLog()
	return nil
}

// Mute holds notifications back.
func (i *Instance) Mute(m control.Mute) error {
	entry := mute.Mute{
		Label: m.Label, Critical: m.Critical, Until: m.Until,
		Match: mute.Match{Fingerprint: m.Fingerprint, Channel: m.Channel, Source: m.Source, Filter: m.Filter},
	}
	if err := compile(&entry.Match); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	if m.Alert != 0 {
		a, ok := i.App.Alerts.Get(m.Alert)
		if !ok {
			return noAlert(m.Alert)
		}
		if entry.Label == "" {
			entry.Label = strings.TrimSuffix(fmt.Sprintf("alert %d, %s", m.Alert, muteLabel(&entry.Match)), ", "+everything)
		}
		entry.Match.Fingerprint = a.Fingerprint
		i.App.Alerts.Seen(m.Alert)
	}
	if entry.Label == "" {
		entry.Label = muteLabel(&entry.Match)
	}
	i.App.Mutes.Push(entry)
	i.o.Changed()
	return nil
}

// Mutes lists what is held back, newest first.
func (i *Instance) Mutes() []control.Mute {
	list := i.App.Mutes.List()
	out := make([]control.Mute, len(list))
	for n, m := range list {
		out[n] = control.Mute{
			ID: m.ID, Label: m.Label, Owner: OwnerOf(&m), Fingerprint: m.Match.Fingerprint,
			Channel: m.Match.Channel, Source: m.Match.Source, Filter: m.Match.Filter, Critical: m.Critical,
			Since: m.Since.UTC(), Until: m.Until.UTC(), Held: m.Held, Errors: m.Errors,
		}
		if m.Until.IsZero() {
			out[n].Until = time.Time{}
		}
	}
	return out
}

// OwnerOf returns how the owner of a mute is called outside of the program: "" for the
// user.
func OwnerOf(m *mute.Mute) string {
	if strings.HasPrefix(m.Owner, ownerFile+" ") {
		return ownerFile
	}
	return m.Owner
}

// Unmute ends one mute, or all with id 0.
func (i *Instance) Unmute(id uint64) error {
	if id == 0 {
		i.App.Mutes.Clear()
	} else if _, ok := i.App.Mutes.Pop(id); !ok {
		return fmt.Errorf("there is no mute %d; see: logbook-tray mute list", id)
	}
	i.o.Changed()
	return nil
}

// Tail calls f with each record as it comes in that is wanted, backlog earlier ones of
// them first.
func (i *Instance) Tail(ctx context.Context, backlog int, wanted func(*core.Record) bool, f func(*core.Record) error) error {
	changed, stop := i.Store.Watch()
	defer stop()
	next := backTo(i.Store.Snapshot(), backlog, wanted)
	for {
		snapshot := i.Store.Snapshot()
		for _, r := range snapshot.From(next) {
			if !wanted(r) {
				continue
			}
			if err := f(r); err != nil {
				return err
			}
		}
		next = snapshot.Next()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// backTo returns the position from which on there are n records that are wanted; that of
// the oldest record if there are not as many.
func backTo(s model.Snapshot, n int, wanted func(*core.Record) bool) uint64 {
	position := s.Next()
	for ; position > s.First() && n > 0; position-- {
		if wanted(s.Record(position - 1)) {
			n--
		}
	}
	return position
}
