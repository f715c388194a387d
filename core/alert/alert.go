package alert

import (
	"errors"
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// State says what became of an alert.
type State uint8

// The states of an [Alert].
const (
	New   State = iota // shown, or about to be, and not looked at yet
	Seen               // the user has looked at it or dismissed it
	Muted              // held back by a mute
)

// ErrUnknownState is wrapped by the errors of [State.UnmarshalText].
var ErrUnknownState = errors.New("unknown state of an alert")

// String returns "new", "seen" or "muted".
func (s State) String() string {
	switch s {
	case New:
		return "new"
	case Seen:
		return "seen"
	case Muted:
		return "muted"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// MarshalText is [State.String].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String returns; other errors wrap
// [ErrUnknownState].
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{New, Seen, Muted} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("%w: %q (one of new, seen, muted)", ErrUnknownState, text)
}

// Alert is a notification as the program remembers it. Alerts that a [List]
// hands out are copies; the records in them are frozen and may be shared.
type Alert struct {
	// ID identifies the alert, from 1 on; it is never used again, not even
	// after a restart where a store keeps the alerts.
	ID uint64
	// Fingerprint is equal for repeats of the same error.
	Fingerprint string
	// Trigger is the record that caused the alert, Newest its latest repeat;
	// the same as Trigger if there was none.
	Trigger, Newest *core.Record
	// Context holds the records that led up to the alert, oldest first, and
	// the trigger itself, last if it was an escalation.
	Context []*core.Record
	// Omitted is how many records of the context were dropped, the oldest first,
	// to stay within the bounds of the list.
	Omitted int
	// Count is how often it happened, the first time included.
	Count int
	// First and Last are the times of arrival of the first and the latest of
	// them.
	First, Last time.Time
	State       State
	// Title and Body are the text of the notification, without the count.
	Title, Body string
	// Escalated names the escalations that have handed the alert on.
	Escalated []string
	// Failures says who could not tell the user about it, the latest last. Who has told
	// the user after all is not among them.
	Failures []Failure
}

// Failure is a notification that could not be delivered.
type Failure struct {
	// By is the name of the handler.
	By string `json:"handler"`
	// Reason says why; it holds no secrets.
	Reason string `json:"reason"`
	// At is when it was given up.
	At time.Time `json:"at"`
}

// MaxFailures is how many handlers can have failed at an alert, and MaxReason how many
// bytes of each reason are kept.
const (
	MaxFailures = 20
	MaxReason   = 500
)
