package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/expression"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

// sections are the keys of the file that concern the whole program.
type sections struct {
	Window struct {
		Records int         `yaml:"records"`
		Bytes   config.Size `yaml:"bytes"`
	} `yaml:"window"`
	Rejected     keepRejected `yaml:"rejected"`
	QuietHours   quietHours   `yaml:"quiet_hours"`
	DoNotDisturb doNotDisturb `yaml:"do_not_disturb"`
	Mutes        []fileMute   `yaml:"mutes"`
}

// Sections returns the keys of the file that concern the whole program, to be decoded.
// It is for tests that keep the documentation complete.
func Sections() any { return new(sections) }

// SectionKeys returns the options of one of them, for the same tests.
func SectionKeys(name string) []string {
	switch s := new(sections); name {
	case "window":
		return config.Keys(&s.Window)
	case "rejected":
		return config.Keys(&s.Rejected)
	case "quiet_hours":
		return append(config.Keys(&s.QuietHours), config.Keys(new(hours))...)
	case "mutes":
		return config.Keys(new(fileMute))
	}
	return nil
}

// readSections returns the sections of a file; what there are mistakes in is left out.
func readSections(tree *config.Tree) *sections {
	s := &sections{DoNotDisturb: follow, Rejected: keepRejected{Enabled: true}}
	_ = config.Decode(tree.Root, "the configuration", s) // the keys of the pipeline are unknown here
	return s
}

// doNotDisturb says what to make of the desktop's own setting of that name.
type doNotDisturb string

// The values of do_not_disturb.
const (
	follow doNotDisturb = "follow"
	ignore doNotDisturb = "ignore"
)

var errUnknownValue = errors.New("unknown value")

// UnmarshalText reads follow or ignore.
func (d *doNotDisturb) UnmarshalText(text []byte) error {
	switch v := doNotDisturb(text); v {
	case follow, ignore:
		*d = v
		return nil
	}
	return fmt.Errorf("%w %q (one of %s, %s)", errUnknownValue, text, follow, ignore)
}

// quietHours are hours of the week in which nothing is shown.
type quietHours struct {
	TimeZone zone    `yaml:"time_zone"`
	Critical bool    `yaml:"critical"`
	Hours    []hours `yaml:"hours,required"`
}

type hours struct {
	Days []days     `yaml:"days"`
	From mute.Clock `yaml:"from,required"`
	To   mute.Clock `yaml:"to,required"`
}

// days are a day of the week, or several in a row.
type days []time.Weekday

// UnmarshalText reads what [mute.ParseDays] does.
func (d *days) UnmarshalText(text []byte) (err error) {
	*d, err = mute.ParseDays(string(text))
	return err
}

// zone is a time zone; nil for that of this computer.
type zone struct{ *time.Location }

// UnmarshalText reads utc, local, or a name.
func (z *zone) UnmarshalText(text []byte) error {
	switch name := string(text); name {
	case "local":
		z.Location = nil
	case "utc":
		z.Location = time.UTC
	default:
		loc, err := time.LoadLocation(name)
		if err != nil {
			return fmt.Errorf("unknown time zone %q (utc, local, or a name such as Europe/Vienna)", name)
		}
		z.Location = loc
	}
	return nil
}

// quiet returns what the section asks for.
func (q *quietHours) quiet() mute.QuietHours {
	out := mute.QuietHours{Critical: q.Critical}
	for _, h := range q.Hours {
		one := mute.Hours{From: h.From, To: h.To, Location: q.TimeZone.Location}
		for _, d := range h.Days {
			one.Days = append(one.Days, d...)
		}
		out.Hours = append(out.Hours, one)
	}
	return out
}

// fileMute is a mute that stands in the file.
type fileMute struct {
	Label       string       `yaml:"label"`
	Channel     string       `yaml:"channel"`
	Source      string       `yaml:"source"`
	Fingerprint string       `yaml:"fingerprint"`
	Filter      *config.Node `yaml:"filter"`
	Critical    bool         `yaml:"critical"`
	Until       *config.Node `yaml:"until"`

	match func(*core.Record) bool
	until time.Time
}

var errNothingToMute = errors.New("says nothing about what to mute: channel, source, fingerprint or filter")

// Validate implements the check of [config.Decode].
func (m *fileMute) Validate() error {
	if m.Channel == "" && m.Source == "" && m.Fingerprint == "" && m.Filter.IsNull() {
		return errNothingToMute
	}
	var ds config.Diagnostics
	if !m.Filter.IsNull() {
		match, err := expression.Compile(m.Filter.Text())
		var at *expression.Error
		switch {
		case errors.As(err, &at):
			ds = append(ds, m.Filter.ErrorAt(at.From, at.Length, "filter: %v", err))
		case err != nil:
			ds = append(ds, m.Filter.Errorf("filter: %v", err))
		}
		m.match = match
	}
	if !m.Until.IsNull() {
		ds = append(ds, m.readUntil()...)
	}
	if len(ds) > 0 {
		return ds
	}
	return nil
}

func (m *fileMute) readUntil() config.Diagnostics {
	text := m.Until.Text()
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime, time.RFC3339} {
		until, err := time.ParseInLocation(layout, text, time.Local) //nolint:gosmopolitan // the user's own day
		if err != nil {
			continue
		}
		m.until = until
		if !until.After(time.Now()) {
			return config.Diagnostics{m.Until.Warnf("until: this mute is over")}
		}
		return nil
	}
	return config.Diagnostics{m.Until.Errorf("until: %q is not a date such as 2026-12-31 or 2026-12-31 18:00", text)}
}

func (m *fileMute) over() bool { return !m.until.IsZero() && !m.until.After(time.Now()) }

// ownerFile begins the [mute.Mute].Owner of mutes of the file.
const ownerFile = "configuration"

// mute returns the mute. Its owner is the same for the same entry of the next file.
func (m *fileMute) mute() mute.Mute {
	filter := m.Filter.Text()
	parts := []string{m.Label, m.Channel, m.Source, m.Fingerprint, filter, strconv.FormatBool(m.Critical)}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	out := mute.Mute{
		Label: m.Label, Owner: ownerFile + " " + hex.EncodeToString(sum[:8]), Critical: m.Critical, Until: m.until,
		Match: mute.Match{Fingerprint: m.Fingerprint, Channel: m.Channel, Source: m.Source, Filter: filter, Func: m.match},
	}
	if out.Label == "" {
		out.Label = muteLabel(&out.Match)
	}
	return out
}

// muteLabel says what a mute is about to whoever has begun it without a word.
func muteLabel(m *mute.Match) string {
	var parts []string
	if m.Fingerprint != "" {
		parts = append(parts, "error "+m.Fingerprint)
	}
	if m.Channel != "" {
		parts = append(parts, "channel "+m.Channel)
	}
	if m.Source != "" {
		parts = append(parts, "source "+m.Source)
	}
	if m.Filter != "" {
		parts = append(parts, m.Filter)
	}
	if len(parts) == 0 {
		return everything
	}
	return strings.Join(parts, ", ")
}

// compile makes the function of the filter of a mute, if it has one.
func compile(m *mute.Match) (err error) {
	if m.Filter != "" {
		m.Func, err = expression.Compile(m.Filter)
	}
	return err
}
