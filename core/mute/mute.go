// Package mute holds records back from the user for a while: this error, this
// channel, this source, or everything. Mutes are entries of a visible stack,
// each with an expiry and an undo; what one held back is counted and handed over
// when it ends.
package mute

import (
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Match says which records a mute is about. A record must match every field that is
// set; the zero Match matches all records.
type Match struct {
	// Fingerprint is that of the error, see package limit.
	Fingerprint string
	// Channel is the name of a channel: "shop" matches "shop" and "shop.cart",
	// not "shopping".
	Channel string
	// Source is the name of the subscriber that the records came in by.
	Source string
	// Filter is the source of Func where that was made of an expression: what can be
	// shown and kept. A Filter without a Func, which nobody has compiled yet, matches
	// nothing.
	Filter string
	// Func, if not nil, is asked last. It may be called concurrently.
	Func func(*core.Record) bool
}

// Everything reports whether m is about all records.
func (m *Match) Everything() bool {
	return m.Fingerprint == "" && m.Channel == "" && m.Source == "" && m.Filter == "" && m.Func == nil
}

// Matches reports whether m is about a record with this fingerprint.
func (m *Match) Matches(r *core.Record, fingerprint string) bool {
	switch {
	case m.Fingerprint != "" && m.Fingerprint != fingerprint:
		return false
	case m.Channel != "" && !inChannel(r.Channel, m.Channel):
		return false
	case m.Source != "" && m.Source != r.Source.Name:
		return false
	case m.Func == nil:
		return m.Filter == ""
	}
	return m.Func(r)
}

func inChannel(channel, prefix string) bool {
	rest, ok := strings.CutPrefix(channel, prefix)
	return ok && (rest == "" || rest[0] == '.' || strings.HasSuffix(prefix, "."))
}

// Mute is one entry of a [Stack].
type Mute struct {
	// ID identifies the entry, from 1 on. The stack sets it.
	ID uint64
	// Label says to the user what is muted: "shop.checkout", "everything".
	Label string
	// Owner names what has begun the mute if it was not the user, see [Standing].
	Owner string
	Match Match
	// Critical says that records of level [core.LevelCritical] and above are held
	// back too. Without it only a mute of one error, by its fingerprint, does so.
	Critical bool
	// Since is when it began, Until when it ends; a zero Until means never.
	Since, Until time.Time
	// Held is how many records were held back, Errors how many of them were
	// errors or worse. First and Last are when the first and the last arrived,
	// Newest is the latest.
	Held, Errors int
	First, Last  time.Time
	Newest       *core.Record
}

// Holds reports whether m holds back a record with this fingerprint, if it has not
// ended. It counts nothing.
func (m *Mute) Holds(r *core.Record, fingerprint string) bool {
	if r.Level >= core.LevelCritical && !m.Critical && m.Match.Fingerprint == "" {
		return false
	}
	return m.Match.Matches(r, fingerprint)
}

func (m *Mute) ended(now time.Time) bool { return !m.Until.IsZero() && !now.Before(m.Until) }
