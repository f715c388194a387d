package control

import (
	"context"
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/expression"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
)

// Status is what the running instance says of itself. Its JSON form is the
// output of "logbook-tray status --format json"; fields are only ever added.
type Status struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Mode    string    `json:"mode"` // "tray" or "headless"
	Config  string    `json:"config"`
	// ConfigSum is the SHA-256 of the content that was loaded; absent for the built-in one.
	ConfigSum string   `json:"config_sum,omitempty"`
	Problem   string   `json:"problem,omitempty"` // why the last reload was refused
	Windows   []Window `json:"windows"`
	Alerts    Alerts   `json:"alerts"`
	// Muted says that all notifications are held back, but perhaps critical ones.
	// MutedUntil is when they come again; absent while that is open.
	Muted      bool       `json:"muted"`
	MutedUntil *time.Time `json:"muted_until,omitempty"`
	// Mutes are all that is held back, newest first, with what each has held back.
	Mutes []Mute `json:"mutes"`
	// Inhibitions are the causes that hold their effects back just now, Escalations the
	// handlers that hand on what nobody looks at.
	Inhibitions []Inhibition `json:"inhibitions"`
	Escalations []Escalation `json:"escalations"`
	Records     Records      `json:"records"`
	Rejected    Rejects      `json:"rejected"`
	Pipeline    any          `json:"pipeline"`
}

// Inhibition is a record that explains others, which are held back.
type Inhibition struct {
	Handler string    `json:"handler"`
	Cause   string    `json:"cause"` // its message
	Same    string    `json:"same"`  // what the cause and its effects have in common
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Held    int       `json:"held"`
}

// Escalation is a handler that hands on alerts that nobody looks at.
type Escalation struct {
	Handler   string         `json:"handler"`
	After     string         `json:"after"`
	Escalated uint64         `json:"escalated"`
	Failed    uint64         `json:"failed"`
	Waiting   []WaitingAlert `json:"waiting"` // the next first
}

// WaitingAlert is an alert that is handed on when it is due, if nobody looks at it.
type WaitingAlert struct {
	Alert uint64    `json:"alert"`
	Due   time.Time `json:"due"`
}

// Window is an open window and what it shows.
type Window struct {
	Kind     string   `json:"kind"` // "log", "context", "status"
	Title    string   `json:"title"`
	Visible  bool     `json:"visible"`
	Alert    uint64   `json:"alert,omitempty"`
	Records  []string `json:"records,omitempty"`  // the messages a context window lists, in its order
	Selected string   `json:"selected,omitempty"` // the message of the selected record, or the rejected message that is shown
	Rows     int      `json:"rows"`
	Lines    []string `json:"lines,omitempty"`     // what the status window says of each source and handler
	OpenedIn string   `json:"opened_in,omitempty"` // from the click to the window being shown
}

// Alerts counts the alerts by their state.
type Alerts struct {
	Total  int `json:"total"`
	Unseen int `json:"unseen"`
	// Undelivered are those of the unseen that a handler could not tell the user about.
	Undelivered int `json:"undelivered"`
}

// Records counts what the log window holds.
type Records struct {
	Held    int    `json:"held"`
	Evicted uint64 `json:"evicted"`
}

// Alert is one alert in the output of "logbook-tray alerts".
type Alert struct {
	ID      uint64 `json:"id"`
	State   string `json:"state"`
	Channel string `json:"channel"`
	Level   string `json:"level"`
	Message string `json:"message"`
	Source  string `json:"source"`
	// Fingerprint is the same for alerts of the same error.
	Fingerprint string    `json:"fingerprint"`
	Count       int       `json:"count"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	// Failures says which handlers could not tell the user about it, and why.
	Failures []alert.Failure `json:"failures,omitempty"`
	// Escalated names the escalations that have handed it on.
	Escalated []string `json:"escalated,omitempty"`
	// Context holds the records that led up to the alert as Logbook's JSON,
	// oldest first, the trigger last.
	Context []jsonRecord `json:"context,omitempty"`
}

// Instance is what the control socket gives access to: the running program.
// Its methods are called from several goroutines.
type Instance interface {
	Status() Status
	// Alerts lists the alerts, newest first; one of them with its context.
	Alerts() []Alert
	Alert(id uint64) (Alert, bool)
	// OpenAlert shows the context of an alert, DismissAlert marks it as seen, or with id
	// 0 all that are new.
	OpenAlert(id uint64) error
	DismissAlert(id uint64) error
	// Show raises the log window.
	Show() error
	Reload(ctx context.Context) error
	// Mute holds notifications back, Mutes lists what is held back, newest first, and
	// Unmute ends one mute, or all with id 0.
	Mute(m Mute) error
	Mutes() []Mute
	Unmute(id uint64) error
	// Rejected lists the messages that are no record, newest first, each with its beginning;
	// one of them with its body.
	Rejected(q rejected.Query) []rejected.Entry
	RejectedMessage(id uint64) (rejected.Entry, error)
	// RetryRejected reads one again, or with id 0 all that q selects; what is a record now
	// goes the way of all. ClearRejected removes one, or with id 0 all that q selects.
	RetryRejected(ctx context.Context, id uint64, q rejected.Query) Retried
	ClearRejected(id uint64, q rejected.Query) (int, error)
	// Explain says what each handler would do with a record that came now.
	Explain(r *core.Record) []pipeline.Step
	// Tail calls f with each record as it comes in that is wanted, until ctx ends or f
	// returns an error. backlog is how many earlier ones of them come first. wanted is
	// called on one goroutine.
	Tail(ctx context.Context, backlog int, wanted func(*core.Record) bool, f func(*core.Record) error) error
}

// TailOptions say which records a [Client.Tail] is about. The zero value means all that
// come from now on.
type TailOptions struct {
	// Backlog is how many earlier records come first.
	Backlog int
	// Level is the lowest level.
	Level core.Level
	// Filter is an expression as in the configuration; "" means all.
	Filter string
}

// Selection returns what picks the records by level and filter. The error says what is
// wrong with the filter.
func (o TailOptions) Selection() (func(*core.Record) bool, error) {
	matches := func(*core.Record) bool { return true }
	if o.Filter != "" {
		var err error
		if matches, err = expression.Compile(o.Filter); err != nil {
			return nil, fmt.Errorf("the filter: %w", err)
		}
	}
	return func(r *core.Record) bool { return r.Level >= o.Level && matches(r) }, nil
}

// Mute is one mute. With no matcher set it is about everything.
type Mute struct {
	ID    uint64 `json:"id,omitempty"`
	Label string `json:"label,omitempty"`
	// Owner says what has begun the mute if it was not the user: "quiet hours",
	// "desktop", "configuration".
	Owner string `json:"owner,omitempty"`
	// Alert, Fingerprint, Channel, Source and Filter are the matchers; all that are
	// set must match. Alert stands for the error of the alert with that ID, and is
	// understood, but not said: Fingerprint is. Filter is an expression.
	Alert       uint64 `json:"alert,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Channel     string `json:"channel,omitempty"`
	Source      string `json:"source,omitempty"`
	Filter      string `json:"filter,omitempty"`
	// Critical says that critical records are held back too.
	Critical bool `json:"critical,omitempty"`
	// Since and Until are when it begins and ends; no Until means never.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Held is how many records were held back, Errors how many of them were errors.
	Held   int `json:"held"`
	Errors int `json:"errors"`
}
