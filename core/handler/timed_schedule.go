package handler

import (
	"fmt"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/strftime"
)

// schedule knows when the time of a file is over. It never goes back.
type schedule interface {
	start(at time.Time)
	// advance reports whether a record of this time begins another file, and
	// returns the stamp of the one that ended.
	advance(at time.Time) (ended string, over bool)
	stamp() string
}

func newSchedule(o *TimedRotatingFileOptions) (schedule, error) {
	if o.When != "" {
		return newIntervals(o)
	}
	if o.DateFormat == "" {
		o.DateFormat = DefaultDateFormat
	}
	return &dates{format: o.DateFormat, loc: o.Location}, nil
}

// dates is Logbook's schedule: a file lasts while the formatted date is the same.
type dates struct {
	format  string
	loc     *time.Location
	newest  time.Time
	current string
}

func (d *dates) text(at time.Time) string {
	return string(strftime.Append(nil, d.format, at.In(d.loc)))
}

func (d *dates) start(at time.Time) { d.newest, d.current = at, d.text(at) }

func (d *dates) stamp() string { return d.current }

func (d *dates) advance(at time.Time) (string, bool) {
	if !at.After(d.newest) {
		return "", false
	}
	d.newest = at
	ended, text := d.current, d.text(at)
	d.current = text
	return ended, text != ended
}

// intervals is Python's schedule: a file lasts so many units of time.
type intervals struct {
	o       TimedRotatingFileOptions
	unit    time.Duration // of seconds to days; 0 for days that begin at a time
	weekday time.Weekday  // -1 for every day
	begun   time.Time
	end     time.Time
}

func newIntervals(o *TimedRotatingFileOptions) (schedule, error) {
	if o.Interval < 0 || o.AtTime < 0 || o.AtTime >= 24*time.Hour {
		return nil, fmt.Errorf("interval %d must be positive and at_time %v within a day", o.Interval, o.AtTime)
	}
	o.Interval = max(o.Interval, 1)
	s := &intervals{weekday: -1}
	format := "%Y-%m-%d"
	switch when := strings.ToUpper(o.When); {
	case when == "S":
		s.unit, format = time.Second, "%Y-%m-%d_%H-%M-%S"
	case when == "M":
		s.unit, format = time.Minute, "%Y-%m-%d_%H-%M"
	case when == "H":
		s.unit, format = time.Hour, "%Y-%m-%d_%H"
	case when == "D":
		s.unit = 24 * time.Hour
	case when == "MIDNIGHT":
	case len(when) == 2 && when[0] == 'W' && when[1] >= '0' && when[1] <= '6':
		s.weekday, o.Interval = time.Weekday((when[1]-'0'+1)%7), 1 // Python's week begins on Monday
	default:
		return nil, fmt.Errorf("when %q: want S, M, H, D, midnight, or W0 (Monday) to W6", o.When)
	}
	if o.DateFormat == "" {
		o.DateFormat = format
	}
	if o.RolloverFormat == "" {
		o.RolloverFormat = "{basename}{ext}.{timestamp}"
	}
	o.CurrentUndated = true
	s.o = *o
	return s, nil
}

func (s *intervals) start(at time.Time) {
	s.begun, s.end = at, s.next(at)
	if s.unit == 0 { // a day that was joined in the middle began at its beginning
		s.begun = s.end.AddDate(0, 0, -s.days())
	}
}

// days is how many days a file lasts that begins at a time of day.
func (s *intervals) days() int {
	if s.weekday >= 0 {
		return 7
	}
	return s.o.Interval
}

// next returns the end of a file that begins at a time.
func (s *intervals) next(at time.Time) time.Time {
	if s.unit > 0 {
		return at.Add(time.Duration(s.o.Interval) * s.unit)
	}
	local := at.In(s.o.Location)
	for day := 0; ; day++ {
		end := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, 0, int(s.o.AtTime), s.o.Location)
		if end.After(at) && (s.weekday < 0 || end.Weekday() == s.weekday) {
			return end.AddDate(0, 0, s.o.Interval-1)
		}
	}
}

func (s *intervals) stamp() string {
	return string(strftime.Append(nil, s.o.DateFormat, s.begun.In(s.o.Location)))
}

func (s *intervals) advance(at time.Time) (string, bool) {
	if at.Before(s.end) {
		return "", false
	}
	ended := s.stamp()
	if s.unit > 0 { // whole intervals, so that the files of a busy program line up
		step := time.Duration(s.o.Interval) * s.unit
		at = s.end.Add(at.Sub(s.end).Truncate(step))
	}
	s.start(at)
	return ended, true
}
