package mute_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core/mute"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func clock(t testing.TB, text string) mute.Clock {
	t.Helper()
	c, err := mute.ParseClock(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var workdays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}

func TestWhenHoursBeginAndEnd(t *testing.T) {
	const layout = "2006-01-02 15:04 MST"
	for _, test := range []struct {
		name       string
		days       []time.Weekday
		from, to   string
		now        string
		begin, end string
	}{
		{"later today", nil, "12:00", "13:00", "2026-06-01 09:00", "2026-06-01 12:00 CEST", "2026-06-01 13:00 CEST"},
		{"now", nil, "12:00", "13:00", "2026-06-01 12:00", "2026-06-01 12:00 CEST", "2026-06-01 13:00 CEST"},
		{"over for today", nil, "12:00", "13:00", "2026-06-01 13:00", "2026-06-02 12:00 CEST", "2026-06-02 13:00 CEST"},
		{"before midnight", nil, "22:00", "07:00", "2026-06-01 23:00", "2026-06-01 22:00 CEST", "2026-06-02 07:00 CEST"},
		{"after midnight", nil, "22:00", "07:00", "2026-06-02 06:59", "2026-06-01 22:00 CEST", "2026-06-02 07:00 CEST"},
		{"the night of a Friday ends on Saturday", workdays, "22:00", "07:00", "2026-06-06 03:00", "2026-06-05 22:00 CEST", "2026-06-06 07:00 CEST"},
		{"the night of a Saturday is not meant", workdays, "22:00", "07:00", "2026-06-06 23:00", "2026-06-08 22:00 CEST", "2026-06-09 07:00 CEST"},
		{"a weekend is one time", []time.Weekday{time.Saturday, time.Sunday}, "00:00", "24:00", "2026-06-03 12:00", "2026-06-06 00:00 CEST", "2026-06-08 00:00 CEST"},
		{"equal times are a whole day", []time.Weekday{time.Monday}, "08:00", "08:00", "2026-06-01 09:00", "2026-06-01 08:00 CEST", "2026-06-02 08:00 CEST"},
		{"once a week, just missed", []time.Weekday{time.Monday}, "08:00", "09:00", "2026-06-01 09:00", "2026-06-08 08:00 CEST", "2026-06-08 09:00 CEST"},
		{"the night is short in spring", nil, "22:00", "07:00", "2026-03-28 23:00", "2026-03-28 22:00 CET", "2026-03-29 07:00 CEST"},
		{"the night is long in autumn", nil, "22:00", "07:00", "2026-10-24 23:00", "2026-10-24 22:00 CEST", "2026-10-25 07:00 CET"},
		{"an end that the clock jumps over", nil, "22:00", "02:30", "2026-03-28 23:00", "2026-03-28 22:00 CET", "2026-03-29 03:00 CEST"},
		{"a begin that the clock jumps over", nil, "02:30", "06:00", "2026-03-29 01:00", "2026-03-29 03:00 CEST", "2026-03-29 06:00 CEST"},
		{"a begin that the clock shows twice", nil, "02:30", "06:00", "2026-10-25 01:00", "2026-10-25 02:30 CEST", "2026-10-25 06:00 CET"},
		{"an end that the clock shows twice", nil, "01:00", "02:30", "2026-10-25 01:30", "2026-10-25 01:00 CEST", "2026-10-25 02:30 CEST"},
		{"all of it is jumped over", nil, "02:10", "02:50", "2026-03-29 00:00", "2026-03-30 02:10 CEST", "2026-03-30 02:50 CEST"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now, err := time.ParseInLocation("2006-01-02 15:04", test.now, berlin(t))
			if err != nil {
				t.Fatal(err)
			}
			h := mute.Hours{Days: test.days, From: clock(t, test.from), To: clock(t, test.to), Location: berlin(t)}
			begin, end, ok := mute.Next([]mute.Hours{h}, now.UTC())
			if got := begin.Format(layout); !ok || got != test.begin {
				t.Errorf("begin %s, %v; want %s", got, ok, test.begin)
			}
			if got := end.Format(layout); got != test.end {
				t.Errorf("end %s, want %s", got, test.end)
			}
		})
	}
}

func TestHoursThatMeetAreOneTime(t *testing.T) {
	hours := []mute.Hours{
		{Days: workdays, From: clock(t, "22:00"), To: clock(t, "07:00"), Location: time.UTC},
		{Days: []time.Weekday{time.Saturday, time.Sunday}, From: 0, To: mute.DayEnd, Location: time.UTC},
	}
	begin, end, ok := mute.Next(hours, time.Date(2026, 6, 7, 12, 0, 0, 0, time.UTC))
	want := time.Date(2026, 6, 5, 22, 0, 0, 0, time.UTC)
	if !ok || !begin.Equal(want) || !end.Equal(time.Date(2026, 6, 8, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("from %v to %v, %v", begin, end, ok)
	}
	if _, _, ok := mute.Next(nil, time.Now()); ok {
		t.Error("no hours, and yet a time")
	}
}

// The clock on the wall says the same as Next, minute by minute.
func TestNextAgreesWithTheClockOnTheWall(t *testing.T) {
	zones := []*time.Location{time.UTC, berlin(t)}
	for _, name := range []string{"America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, loc)
	}
	rapid.Check(t, func(t *rapid.T) {
		h := mute.Hours{
			Days:     rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) time.Weekday { return time.Weekday(rapid.IntRange(0, 6).Draw(t, "day")) }), rapid.ID).Draw(t, "days"),
			From:     mute.Clock(rapid.IntRange(0, 24*60-1).Draw(t, "from")),
			To:       mute.Clock(rapid.IntRange(0, 24*60).Draw(t, "to")),
			Location: rapid.SampledFrom(zones).Draw(t, "zone"),
		}
		now := time.Unix(rapid.Int64Range(1262304000, 1893456000).Draw(t, "now")/60*60, 0).In(h.Location)
		for _, other := range []time.Duration{-25 * time.Hour, 25 * time.Hour} {
			if now.Add(other).Format("-07") != now.Format("-07") || now.Add(other).Format("-0700") != now.Format("-0700") {
				t.Skip("the changes of the clocks are a matter of the examples")
			}
		}
		in := func(t time.Time) bool {
			c := mute.Clock(t.Hour()*60 + t.Minute())
			day := func(back int) bool {
				return len(h.Days) == 0 || slices.Contains(h.Days, t.AddDate(0, 0, -back).Weekday())
			}
			if h.To > h.From {
				return day(0) && c >= h.From && c < h.To
			}
			return day(0) && c >= h.From || day(1) && c < h.To
		}
		begin, end, ok := mute.Next([]mute.Hours{h}, now)
		if !ok || !end.After(now) || !begin.Before(end) {
			t.Fatalf("from %v to %v, %v", begin, end, ok)
		}
		if got := !begin.After(now); got != in(now) {
			t.Fatalf("at %v: %v, want %v (from %v to %v)", now, got, in(now), begin, end)
		}
	})
}

func TestReadingATimeOfDay(t *testing.T) {
	for text, want := range map[string]string{"7:05": "07:05", "07:05": "07:05", "00:00": "00:00", "24:00": "24:00"} {
		if c, err := mute.ParseClock(text); err != nil || c.String() != want {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "7", "7:5", "24:01", "25:00", "12:60", "-1:00", "+1:00", "012:00", "12:00 ", "12:000"} {
		if c, err := mute.ParseClock(text); !errors.Is(err, mute.ErrClock) {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
}

func TestTheUsualExpiries(t *testing.T) {
	now := time.Date(2026, 6, 1, 14, 0, 0, 0, berlin(t))
	var got []string
	for _, e := range mute.Expiries() {
		until := "never"
		if u := e.Until(now); !u.IsZero() {
			until = u.Format("02 15:04")
		}
		got = append(got, e.String()+": "+until)
	}
	want := "10 min: 01 14:10, 1 h: 01 15:00, until tomorrow: 02 08:00, forever: never"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	for now, want := range map[string]string{
		"2026-06-01 02:00": "2026-06-01 08:00", "2026-06-01 08:00": "2026-06-02 08:00",
		"2026-03-28 20:00": "2026-03-29 08:00", "2026-12-31 23:59": "2027-01-01 08:00",
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", now, berlin(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := mute.Tomorrow(at).Format("2006-01-02 15:04"); got != want {
			t.Errorf("tomorrow at %s: %s, want %s", now, got, want)
		}
	}
}

func TestReadingDays(t *testing.T) {
	for text, want := range map[string]string{
		"mon": "[Monday]", "Friday": "[Friday]", "mon-fri": "[Monday Tuesday Wednesday Thursday Friday]", "sat - mon": "[Saturday Sunday Monday]",
	} {
		if got, err := mute.ParseDays(text); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "mo", "mon-", "-fri", "mon-fri-sun", "weekday"} {
		if got, err := mute.ParseDays(text); !errors.Is(err, mute.ErrDays) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
