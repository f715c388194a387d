package mute

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Clock is a time of day, in minutes after midnight: from 0 to 24*60, which is the
// midnight at the end of the day.
type Clock int

// DayEnd is the midnight at the end of a day, "24:00".
const DayEnd Clock = 24 * 60

// ErrClock is wrapped by the errors of [ParseClock].
var ErrClock = errors.New("not a time of day")

// ParseClock reads a time of day such as "22:00" or "7:30", up to "24:00".
func ParseClock(text string) (Clock, error) {
	hour, minute, ok := strings.Cut(text, ":")
	h, errH := strconv.ParseUint(hour, 10, 8)
	m, errM := strconv.ParseUint(minute, 10, 8)
	c := Clock(h*60 + m) //nolint:gosec // at most 255*60 + 255
	if !ok || errH != nil || errM != nil || len(hour) > 2 || len(minute) != 2 || m > 59 || c > DayEnd {
		return 0, fmt.Errorf("%w: %q (such as 22:00)", ErrClock, text)
	}
	return c, nil
}

// String returns the time of day as "22:00".
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// UnmarshalText is [ParseClock].
func (c *Clock) UnmarshalText(text []byte) error {
	v, err := ParseClock(string(text))
	if err != nil {
		return err
	}
	*c = v
	return nil
}

// ErrDays is wrapped by the errors of [ParseDays].
var ErrDays = errors.New("not a day of the week")

// dayNames are the short names of the days; long ones are understood too.
func dayNames() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// ParseDays reads a day such as "mon" or "Monday", or several in a row: "mon-fri",
// "sat-sun".
func ParseDays(text string) ([]time.Weekday, error) {
	first, last, several := strings.Cut(text, "-")
	from, ok := parseDay(first)
	to, fine := from, ok
	if several {
		to, fine = parseDay(last)
	}
	if !ok || !fine {
		return nil, fmt.Errorf("%w: %q (one of %s, mon-fri)", ErrDays, text, strings.Join(dayNames(), ", "))
	}
	days := []time.Weekday{from}
	for from != to {
		from = (from + 1) % 7
		days = append(days, from)
	}
	return days, nil
}

func parseDay(text string) (time.Weekday, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	for i, short := range dayNames() {
		if day := time.Weekday(i); text == short || text == strings.ToLower(day.String()) {
			return day, true
		}
	}
	return 0, false
}

// Hours are hours of the week: from one time of day to another, on some days. Where
// the clocks are changed, they begin and end when the clock on the wall first shows
// that time or, where it jumps over it, a later one.
type Hours struct {
	// Days are the days on which they begin; none means every day.
	Days []time.Weekday
	// From and To are when they begin and end. If To is not after From, it is a
	// time of the next day; equal times are a whole day.
	From, To Clock
	// Location is the time zone; nil means that of this computer.
	Location *time.Location
}

// span is a time from begin to before end.
type span struct{ begin, end time.Time }

// horizon is how many days before and after a moment are looked at. More than a week,
// so that every weekday comes up.
const horizon = 8

// Next returns the first time that falls into hours and ends after now: the one that
// is going on, whose begin is not after now, or the next. Hours that overlap or meet
// are one time. Those without an end are cut about a week from now; ask
// again then. ok is false if there are none.
func Next(hours []Hours, now time.Time) (begin, end time.Time, ok bool) {
	var spans []span
	for i := range hours {
		spans = hours[i].appendSpans(spans, now)
	}
	slices.SortFunc(spans, func(a, b span) int { return a.begin.Compare(b.begin) })
	var s span
	for i, next := range spans {
		if i > 0 && !next.begin.After(s.end) {
			if next.end.After(s.end) {
				s.end = next.end
			}
			continue
		}
		if i > 0 && s.end.After(now) {
			break
		}
		s = next
	}
	return s.begin, s.end, s.end.After(now)
}

// appendSpans appends the times that fall into h around now.
func (h *Hours) appendSpans(spans []span, now time.Time) []span {
	loc := h.Location
	if loc == nil {
		loc = time.Local
	}
	year, month, today := now.In(loc).Date()
	for day := today - horizon; day <= today+horizon; day++ {
		// The weekday of a date is the same everywhere.
		weekday := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()
		if len(h.Days) > 0 && !slices.Contains(h.Days, weekday) {
			continue
		}
		last := day
		if h.To <= h.From {
			last++
		}
		s := span{wall(year, month, day, h.From, loc), wall(year, month, last, h.To, loc)}
		if s.begin.Before(s.end) {
			spans = append(spans, s)
		}
	}
	return spans
}

// wall returns the first moment at which the clock on the wall shows a time of day,
// or, if it jumps over it, the moment of that jump.
func wall(year int, month time.Month, day int, c Clock, loc *time.Location) time.Time {
	shown := time.Date(year, month, day, 0, int(c), 0, 0, time.UTC)
	_, before := shown.Add(-24 * time.Hour).In(loc).Zone()
	_, after := shown.Add(24 * time.Hour).In(loc).Zone()
	first := shown.Add(-time.Duration(max(before, after)) * time.Second).In(loc)
	second := shown.Add(-time.Duration(min(before, after)) * time.Second).In(loc)
	for _, t := range [...]time.Time{first, second} {
		if _, offset := t.Zone(); t.UTC().Add(time.Duration(offset) * time.Second).Equal(shown) {
			return t
		}
	}
	jump, _ := second.ZoneBounds()
	return jump
}
