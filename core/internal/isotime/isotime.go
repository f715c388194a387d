// Package isotime reads and writes the ISO 8601 times of log records, Logbook's
// among them. It knows nothing of records.
package isotime

import (
	"errors"
	"time"
)

// ErrSyntax is returned for text that is not a time.
var ErrSyntax = errors.New("not an ISO 8601 time")

// Fraction says how to read a fraction of a second.
type Fraction uint8

const (
	// Logbook reads 1 to 5 digits before a Z as a whole number of microseconds,
	// which is what Logbook writes in all its versions: "59.2000Z" is two
	// milliseconds past 59. Everything else is a decimal fraction.
	Logbook Fraction = iota
	// Decimal reads every fraction as what it says.
	Decimal
)

// Parse reads "2026-11-20T21:21:05.636109Z" and its relatives: a blank or t for
// the T, no seconds, no fraction or one with up to any number of digits (those beyond
// nanoseconds are cut off), a comma for the point, Z, an offset with or without
// a colon, or none, the compact form "20261120T212105Z", and a date alone.
//
// zone is where the clock of a sender runs that gives no offset or a Z;
// nil stands for UTC. The result is in UTC. Errors are [ErrSyntax].
func Parse(s string, f Fraction, zone *time.Location) (time.Time, error) {
	p := parser{s: s, ok: true}
	year, month, day := p.date()
	var hour, minute, sec, nanos, digits int
	if p.i < len(s) {
		if c := s[p.i]; c != 'T' && c != ' ' && c != 't' {
			return time.Time{}, ErrSyntax
		}
		p.i++
		hour, minute, sec = p.clock()
		nanos, digits = p.fraction()
	}
	z, offset := p.zone()
	if !p.ok || p.i != len(s) || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || sec > 60 {
		return time.Time{}, ErrSyntax
	}
	if f == Logbook && z && digits > 0 && digits < 6 {
		nanos = microsWritten(nanos, digits)
	}
	if zone == nil || offset != 0 || p.offset {
		t := time.Date(year, time.Month(month), day, hour, minute, sec, nanos, time.UTC)
		if offset != 0 {
			t = t.Add(-time.Duration(offset) * time.Second)
		}
		return t, nil
	}
	return time.Date(year, time.Month(month), day, hour, minute, sec, nanos, zone).UTC(), nil
}

// microsWritten turns the nanoseconds that digits digits were read as into what
// they mean when they are a count of microseconds.
func microsWritten(nanos, digits int) int {
	for ; digits < 9; digits++ {
		nanos /= 10
	}
	return nanos * 1000
}

// Append writes t in UTC with exactly six digits of fraction and a Z: the one
// form that every version of Logbook reads right. Years outside 1 to 9999 are moved
// to the nearest time that can be written.
func Append(dst []byte, t time.Time) []byte {
	t = t.UTC()
	switch y := t.Year(); {
	case y < 1:
		t = time.Time{}
	case y > 9999:
		t = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
}

type parser struct {
	s      string
	i      int
	ok     bool
	offset bool // a numeric offset was there
}

// digits reads exactly n digits.
func (p *parser) digits(n int) int {
	if len(p.s)-p.i < n {
		p.ok = false
		return 0
	}
	v := 0
	for _, c := range []byte(p.s[p.i : p.i+n]) {
		d := c - '0'
		if d > 9 {
			p.ok = false
		}
		v = v*10 + int(d)
	}
	p.i += n
	return v
}

// accept steps over c if it is next.
func (p *parser) accept(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) date() (year, month, day int) {
	year = p.digits(4)
	dashed := p.accept('-')
	month = p.digits(2)
	if p.accept('-') != dashed {
		p.ok = false
	}
	return year, month, p.digits(2)
}

func (p *parser) clock() (hour, minute, sec int) {
	hour = p.digits(2)
	colons := p.accept(':')
	minute = p.digits(2)
	switch {
	case colons && p.accept(':'), !colons && p.i < len(p.s) && p.s[p.i]-'0' <= 9:
		sec = p.digits(2)
	}
	return hour, minute, sec
}

func (p *parser) fraction() (nanos, digits int) {
	if !p.accept('.') && !p.accept(',') {
		return 0, 0
	}
	for p.i < len(p.s) && p.s[p.i]-'0' <= 9 {
		if digits < 9 {
			nanos = nanos*10 + int(p.s[p.i]-'0')
		}
		digits++
		p.i++
	}
	if digits == 0 {
		p.ok = false
	}
	for n := digits; n < 9; n++ {
		nanos *= 10
	}
	return nanos, digits
}

// zone reads what follows the clock: z if it was a Z, and the seconds east of UTC.
func (p *parser) zone() (z bool, offset int) {
	if p.i >= len(p.s) || !p.ok {
		return false, 0
	}
	sign := 1
	switch p.s[p.i] {
	case 'Z', 'z':
		p.i++
		return true, 0
	case '-':
		sign = -1
	case '+':
	default:
		p.ok = false
		return false, 0
	}
	p.i++
	p.offset = true
	hours := p.digits(2)
	minutes := 0
	if p.accept(':') || p.i < len(p.s) {
		minutes = p.digits(2)
	}
	if hours > 23 || minutes > 59 {
		p.ok = false
	}
	return false, sign * (hours*3600 + minutes*60)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
