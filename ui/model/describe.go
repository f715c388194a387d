package model

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// Describe returns what is known of r, apart from its message, exception and own
// data: only what has a value. With now the age is told, unless now is zero.
func Describe(r *core.Record, now time.Time) []NamedValue {
	var out []NamedValue
	add := func(name, value string) {
		if value != "" {
			out = append(out, NamedValue{Name: name, Value: Printable(value)})
		}
	}
	add("level", r.Level.String())
	add("channel", r.Channel)
	if !r.Time.IsZero() {
		local := r.Time.Local().Format(TimeLayout + " -07:00")
		if !now.IsZero() {
			local += "  (" + Ago(now.Sub(r.Time)) + ")"
		}
		add("time", local)
		add("UTC", r.Time.UTC().Format(TimeLayout))
	}
	site := r.Caller()
	add("site", SiteText(site))
	add("function", site.Function)
	add("module", site.Module)
	add("process", ProcessText(r.Process))
	add("thread", threadText(r.Thread))
	add("source", r.Source.String())
	if !r.Received.IsZero() {
		received := r.Received.Local().Format(TimeLayout)
		if delay := r.Received.Sub(r.Time); delay.Abs() >= time.Millisecond && delay.Abs() < 1000*time.Hour {
			received += "  (" + delayText(delay) + ")"
		}
		add("received", received)
	}
	return out
}

func delayText(d time.Duration) string {
	if d < 0 {
		return "the sender's clock is " + (-d).Round(time.Millisecond).String() + " ahead"
	}
	return d.Round(time.Millisecond).String() + " later"
}

// SiteText returns "file:line", "" if the file is unknown.
func SiteText(s core.Site) string {
	if s.File == "" || s.Line <= 0 {
		return s.File
	}
	return s.File + ":" + strconv.Itoa(s.Line)
}

func threadText(t core.Thread) string {
	text := t.Name
	if t.ID != 0 {
		if text != "" {
			text += " "
		}
		text += strconv.FormatInt(t.ID, 10)
	}
	if t.Greenlet != 0 {
		text += fmt.Sprintf(" (greenlet %d)", t.Greenlet)
	}
	return text
}

// Ago says how long ago something was: "3 min ago".
func Ago(d time.Duration) string {
	switch {
	case d < -time.Second:
		return "in the future"
	case d < 2*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// Number returns n with a thin space between thousands: "12 345".
func Number[N int | uint64 | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	out := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			out = append(out, "\u2009"...)
		}
		out = append(out, s[i])
	}
	return string(out)
}
