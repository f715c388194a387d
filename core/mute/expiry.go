package mute

import "time"

// Expiry is a usual time for a mute to end.
type Expiry uint8

// The expiries that are offered to the user.
const (
	TenMinutes Expiry = iota
	OneHour
	UntilTomorrow
	Forever
)

// Expiries returns all of them, the shortest first.
func Expiries() []Expiry { return []Expiry{TenMinutes, OneHour, UntilTomorrow, Forever} }

// String says what e is: "10 min", "1 h", "until tomorrow" or "forever".
func (e Expiry) String() string {
	switch e {
	case TenMinutes:
		return "10 min"
	case OneHour:
		return "1 h"
	case UntilTomorrow:
		return "until tomorrow"
	}
	return "forever"
}

// Until returns when a mute that begins now ends, for [Mute].Until: a zero time for
// never.
func (e Expiry) Until(now time.Time) time.Time {
	switch e {
	case TenMinutes:
		return now.Add(10 * time.Minute)
	case OneHour:
		return now.Add(time.Hour)
	case UntilTomorrow:
		return Tomorrow(now)
	}
	return time.Time{}
}

// morning is when a day begins for who has gone to bed.
const morning Clock = 8 * 60

// Tomorrow returns the next 08:00 after now, in the time zone of now: in the small
// hours that is one of the same date.
func Tomorrow(now time.Time) time.Time {
	year, month, day := now.Date()
	at := wall(year, month, day, morning, now.Location())
	if !at.After(now) {
		at = wall(year, month, day+1, morning, now.Location())
	}
	return at
}
