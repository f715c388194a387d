package handler

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/strftime"
)

// stampPattern makes the names of dated files and recognizes them.
type stampPattern struct {
	base, ext, rollover string
	dateFormat          string
	loc                 *time.Location
	re                  *regexp.Regexp
}

func newStampPattern(o TimedRotatingFileOptions) (*stampPattern, error) {
	if strings.Count(o.RolloverFormat, "{timestamp}") != 1 {
		return nil, fmt.Errorf("rollover format %q must have {timestamp} once", o.RolloverFormat)
	}
	if strings.ContainsAny(o.DateFormat, `/\`) {
		return nil, fmt.Errorf("date format %q must not have a path separator", o.DateFormat)
	}
	ext := filepath.Ext(o.File.Path)
	p := &stampPattern{
		base: strings.TrimSuffix(o.File.Path, ext), ext: ext, rollover: o.RolloverFormat,
		dateFormat: o.DateFormat, loc: o.Location,
	}
	stamp, err := dateRegexp(o.DateFormat)
	if err != nil {
		return nil, err
	}
	before, after, _ := strings.Cut(p.name("\x00"), "\x00")
	p.re, err = regexp.Compile(`^` + regexp.QuoteMeta(before) + `(?P<stamp>` + stamp + `)` + regexp.QuoteMeta(after) + `$`)
	if err != nil {
		return nil, fmt.Errorf("date format %q: a directive may occur once: %w", o.DateFormat, err)
	}
	return p, nil
}

// name returns the path of the file of a time.
func (p *stampPattern) name(stamp string) string {
	return strings.NewReplacer("{basename}", p.base, "{ext}", p.ext, "{timestamp}", stamp).Replace(p.rollover)
}

// match reports whether path is a name this pattern makes. exact says that its
// time is in it; it is not where the format leaves that open.
func (p *stampPattern) match(path string) (at time.Time, exact, ok bool) {
	m := p.re.FindStringSubmatch(path)
	if m == nil {
		return time.Time{}, false, false
	}
	field := func(name string) (int, bool) {
		i := p.re.SubexpIndex(name)
		if i < 0 {
			return 0, false
		}
		n, err := strconv.Atoi(m[i])
		return n, err == nil
	}
	or := func(name string, otherwise int) int {
		if n, ok := field(name); ok {
			return n
		}
		return otherwise
	}
	year, haveYear := field("Y")
	if !haveYear {
		return time.Time{}, false, true
	}
	month, day := or("m", 1), or("d", 1)
	if n, ok := field("j"); ok {
		month, day = 1, n
	}
	at = time.Date(year, time.Month(month), day, or("H", 0), or("M", 0), or("S", 0), or("f", 0)*1000, p.loc)
	// What does not come out the same has directives that were not read, or
	// is not a date at all, like 2026-99-99.
	same := string(strftime.Append(nil, p.dateFormat, at)) == m[p.re.SubexpIndex("stamp")]
	if same {
		return at, true, true
	}
	return time.Time{}, false, p.hasUnread()
}

// hasUnread reports whether the format has directives that match does not read.
func (p *stampPattern) hasUnread() bool {
	for i := 0; i+1 < len(p.dateFormat); i++ {
		if p.dateFormat[i] == '%' {
			i++
			if !strings.ContainsRune("YmdHMSjf%", rune(p.dateFormat[i])) {
				return true
			}
		}
	}
	return false
}

// dateRegexp turns a strftime format into a regular expression.
func dateRegexp(format string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteString(regexp.QuoteMeta(format[i : i+1]))
			continue
		}
		i++
		if i == len(format) {
			return "", fmt.Errorf("date format %q ends with a single %%", format)
		}
		switch c := format[i]; c {
		case '%':
			b.WriteByte('%')
		case 'Y', 'G':
			fmt.Fprintf(&b, `(?P<%c>\d{4})`, c)
		case 'm', 'd', 'H', 'M', 'S', 'y', 'I', 'U', 'W', 'V':
			fmt.Fprintf(&b, `(?P<%c>\d{2})`, c)
		case 'j':
			b.WriteString(`(?P<j>\d{3})`)
		case 'f':
			b.WriteString(`(?P<f>\d{6})`)
		case 'u', 'w':
			fmt.Fprintf(&b, `(?P<%c>\d)`, c)
		case 'b', 'a', 'B', 'A':
			b.WriteString(`[A-Z][a-z]{2,8}`)
		case 'p':
			b.WriteString(`[AP]M`)
		default:
			return "", fmt.Errorf("date format %q: %%%c cannot be recognized in a file name", format, c)
		}
	}
	return b.String(), nil
}
