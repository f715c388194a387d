package pickle

import (
	"fmt"
	"strconv"
	"time"
)

// zone is a datetime.timezone.
type zone struct{ offset time.Duration }

// span is a datetime.timedelta.
type span struct{ days, seconds, micros int64 }

func (s span) duration() time.Duration {
	return time.Duration(s.seconds)*time.Second + time.Duration(s.micros)*time.Microsecond + time.Duration(s.days)*24*time.Hour
}

// String is str(timedelta).
func (s span) String() string {
	text := fmt.Sprintf("%d:%02d:%02d", s.seconds/3600, s.seconds/60%60, s.seconds%60)
	if s.micros != 0 {
		text += fmt.Sprintf(".%06d", s.micros)
	}
	switch s.days {
	case 0:
		return text
	case 1, -1:
		return strconv.FormatInt(s.days, 10) + " day, " + text
	}
	return strconv.FormatInt(s.days, 10) + " days, " + text
}

// datetime makes the values of the datetime module. Points in time become text of ISO
// 8601.
func datetime(name string, args []any) (any, bool) {
	switch name {
	case "timedelta":
		return timedelta(args)
	case "timezone":
		if len(args) >= 1 {
			if s, ok := args[0].(span); ok {
				return zone{s.duration()}, true
			}
		}
	case "datetime", "date", "time":
		if len(args) == 0 {
			return nil, false
		}
		b, ok := asBytes(args[0])
		if !ok {
			return nil, false
		}
		switch {
		case name == "datetime" && len(b) == 10:
			return isoDate(b[:4]) + "T" + isoClock(b[4:]) + isoZone(args), true
		case name == "date" && len(b) == 4:
			return isoDate(b), true
		case name == "time" && len(b) == 6:
			return isoClock(b) + isoZone(args), true
		}
	}
	return nil, false
}

func timedelta(args []any) (any, bool) {
	var s span
	for i, to := range []*int64{&s.days, &s.seconds, &s.micros} {
		if i < len(args) {
			n, ok := args[i].(int64)
			if !ok || n > 1e9 || n < -1e9 {
				return nil, false
			}
			*to = n
		}
	}
	return s, true
}

func isoDate(b string) string {
	month := b[2] & 0x7f // the high bit says which of two equal times is meant
	return fmt.Sprintf("%04d-%02d-%02d", int(b[0])<<8|int(b[1]), month, b[3])
}

func isoClock(b string) string {
	text := fmt.Sprintf("%02d:%02d:%02d", b[0]&0x7f, b[1], b[2])
	if micros := int(b[3])<<16 | int(b[4])<<8 | int(b[5]); micros != 0 {
		text += fmt.Sprintf(".%06d", micros)
	}
	return text
}

func isoZone(args []any) string {
	if len(args) < 2 {
		return ""
	}
	z, ok := args[1].(zone)
	if !ok { // a class of some library, of which the offset is not known
		return ""
	}
	sign := '+'
	minutes := int(z.offset / time.Minute)
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	return fmt.Sprintf("%c%02d:%02d", sign, minutes/60, minutes%60)
}
