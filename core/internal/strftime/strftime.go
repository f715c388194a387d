// Package strftime formats times by the directives of Python's and glibc's
// strftime, in the C locale: names are English.
package strftime

import (
	"bytes"
	"strconv"
	"time"
)

// Append appends t by the format to dst. %f is the microsecond in six digits, as
// in Python; %z is "+0100" and %:z is "+01:00". The flags "-" (no padding), "_"
// (blanks), "0" (zeros) and "^" (upper case) of glibc may follow the percent
// sign. An unknown directive is copied as it is.
func Append(dst []byte, format string, t time.Time) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			dst = append(dst, format[i])
			continue
		}
		start := i
		i++
		var flag byte
		if i < len(format) && bytes.IndexByte([]byte("-_0^:"), format[i]) >= 0 {
			flag = format[i]
			i++
		}
		if i == len(format) {
			return append(dst, format[start:]...)
		}
		before := len(dst)
		var ok bool
		if flag != ':' || format[i] == 'z' {
			dst, ok = directive(dst, format[i], flag, t)
		}
		if !ok {
			dst = append(dst, format[start:i+1]...)
		} else if flag == '^' {
			copy(dst[before:], bytes.ToUpper(dst[before:])) // ASCII only
		}
	}
	return dst
}

func directive(dst []byte, c, flag byte, t time.Time) ([]byte, bool) {
	if out, ok := date(dst, c, flag, t); ok {
		return out, true
	}
	if out, ok := clock(dst, c, flag, t); ok {
		return out, true
	}
	if format, ok := compound(c); ok {
		return Append(dst, format, t), true
	}
	switch c {
	case 'n':
		return append(dst, '\n'), true
	case 't':
		return append(dst, '\t'), true
	case '%':
		return append(dst, '%'), true
	}
	return dst, false
}

// compound returns what a directive is short for.
func compound(c byte) (format string, ok bool) {
	switch c {
	case 'c':
		return "%a %b %e %H:%M:%S %Y", true
	case 'x', 'D':
		return "%m/%d/%y", true
	case 'X', 'T':
		return "%H:%M:%S", true
	case 'F':
		return "%Y-%m-%d", true
	case 'R':
		return "%H:%M", true
	case 'r':
		return "%I:%M:%S %p", true
	}
	return "", false
}

func date(dst []byte, c, flag byte, t time.Time) ([]byte, bool) {
	switch c {
	case 'a':
		return append(dst, t.Weekday().String()[:3]...), true
	case 'A':
		return append(dst, t.Weekday().String()...), true
	case 'b', 'h':
		return append(dst, t.Month().String()[:3]...), true
	case 'B':
		return append(dst, t.Month().String()...), true
	case 'd':
		return number(dst, t.Day(), 2, '0', flag), true
	case 'e':
		return number(dst, t.Day(), 2, ' ', flag), true
	case 'm':
		return number(dst, int(t.Month()), 2, '0', flag), true
	case 'y':
		return number(dst, mod(t.Year(), 100), 2, '0', flag), true
	case 'Y':
		return number(dst, t.Year(), 1, '0', flag), true
	case 'C':
		return number(dst, (t.Year()-mod(t.Year(), 100))/100, 2, '0', flag), true
	case 'j':
		return number(dst, t.YearDay(), 3, '0', flag), true
	}
	return week(dst, c, flag, t)
}

// week holds the directives about weeks: %U counts from the first Sunday of
// the year, %W from the first Monday, %V, %G and %g are ISO 8601.
func week(dst []byte, c, flag byte, t time.Time) ([]byte, bool) {
	year, iso := t.ISOWeek()
	switch c {
	case 'u':
		return number(dst, mod(int(t.Weekday())-1, 7)+1, 1, '0', flag), true
	case 'w':
		return number(dst, int(t.Weekday()), 1, '0', flag), true
	case 'U':
		return number(dst, (t.YearDay()+6-int(t.Weekday()))/7, 2, '0', flag), true
	case 'W':
		return number(dst, (t.YearDay()+6-mod(int(t.Weekday())-1, 7))/7, 2, '0', flag), true
	case 'V':
		return number(dst, iso, 2, '0', flag), true
	case 'G':
		return number(dst, year, 1, '0', flag), true
	case 'g':
		return number(dst, mod(year, 100), 2, '0', flag), true
	}
	return dst, false
}

func clock(dst []byte, c, flag byte, t time.Time) ([]byte, bool) {
	switch c {
	case 'H':
		return number(dst, t.Hour(), 2, '0', flag), true
	case 'k':
		return number(dst, t.Hour(), 2, ' ', flag), true
	case 'I':
		return number(dst, mod(t.Hour()-1, 12)+1, 2, '0', flag), true
	case 'l':
		return number(dst, mod(t.Hour()-1, 12)+1, 2, ' ', flag), true
	case 'M':
		return number(dst, t.Minute(), 2, '0', flag), true
	case 'S':
		return number(dst, t.Second(), 2, '0', flag), true
	case 'f':
		return number(dst, t.Nanosecond()/1000, 6, '0', 0), true
	case 's':
		return strconv.AppendInt(dst, t.Unix(), 10), true
	case 'p':
		return append(dst, half(t, "AM", "PM")...), true
	case 'P':
		return append(dst, half(t, "am", "pm")...), true
	case 'z':
		return offset(dst, t, flag == ':'), true
	case 'Z':
		name, _ := t.Zone()
		return append(dst, name...), true
	}
	return dst, false
}

func half(t time.Time, before, after string) string {
	if t.Hour() < 12 {
		return before
	}
	return after
}

func offset(dst []byte, t time.Time, colon bool) []byte {
	_, seconds := t.Zone()
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	dst = append(dst, sign)
	dst = number(dst, seconds/3600, 2, '0', 0)
	if colon {
		dst = append(dst, ':')
	}
	dst = number(dst, seconds/60%60, 2, '0', 0)
	if seconds %= 60; seconds != 0 { // zones of long ago
		if colon {
			dst = append(dst, ':')
		}
		dst = number(dst, seconds, 2, '0', 0)
	}
	return dst
}

// number appends n with at least width digits.
func number(dst []byte, n, width int, pad, flag byte) []byte {
	switch flag {
	case '-':
		width = 1
	case '_':
		pad = ' '
	case '0':
		pad = '0'
	}
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	for least := power(width - 1); least > n && least > 1; least /= 10 {
		dst = append(dst, pad)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// power returns 10 to the n.
func power(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// mod is the remainder that is never negative.
func mod(a, b int) int { return (a%b + b) % b }
