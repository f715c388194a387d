package format

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// DefaultTemplate is the format string of handlers that are not given one.
// It is Logbook's, without the offset that is always +0000 there.
const DefaultTemplate = "[{record.time:%Y-%m-%d %H:%M:%S.%f}] {record.level_name}: {record.channel}: {record.message}"

// Options changes how [String] renders. The zero value is ready to use.
type Options struct {
	// Location is the time zone in which times are shown; nil is UTC, which
	// is Logbook's default. time.Local is the zone of the machine.
	Location *time.Location
	// NoException leaves out the traceback that otherwise follows the text
	// on lines of its own.
	NoException bool
}

// String formats records by a format string like Logbook's StringFormatter.
type String struct {
	template string
	options  Options
}

// NewString parses a format string such as [DefaultTemplate].
func NewString(template string, o Options) (*String, error) {
	return &String{template: template, options: o}, nil
}

// Default returns the formatter of [DefaultTemplate].
func Default() *String { return &String{template: DefaultTemplate} }

// Template returns the format string.
func (s *String) Template() string { return s.template }

// Append renders r.
func (s *String) Append(dst []byte, r *core.Record) ([]byte, error) {
	rest := s.template
	for rest != "" {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			break
		}
		dst = append(dst, rest[:open]...)
		end := strings.IndexByte(rest[open:], '}')
		if end < 0 {
			return dst, fmt.Errorf("format string %q: '{' without '}'", s.template)
		}
		name, spec, _ := strings.Cut(rest[open+1:open+end], ":")
		dst = s.field(dst, r, strings.TrimPrefix(name, "record."), spec)
		rest = rest[open+end+1:]
	}
	dst = append(dst, rest...)
	if !s.options.NoException && r.Exception != nil && r.Exception.Traceback != "" {
		dst = append(append(dst, '\n'), r.Exception.Traceback...)
	}
	return dst, nil
}

func (s *String) field(dst []byte, r *core.Record, name, spec string) []byte {
	switch name {
	case "level_name":
		return append(dst, r.Level.String()...)
	case "channel":
		return append(dst, r.Channel...)
	case "message":
		return append(dst, r.Message()...)
	case "process":
		return strconv.AppendInt(dst, int64(r.Process.ID), 10)
	case "time":
		at := r.Time
		if s.options.Location != nil {
			at = at.In(s.options.Location)
		}
		if spec == "" {
			return at.AppendFormat(dst, "2006-01-02 15:04:05.000000")
		}
		layout := strings.NewReplacer("%Y", "2006", "%m", "01", "%d", "02", "%H", "15", "%M", "04", "%S", "05", ".%f", ".000000", "%z", "-0700").Replace(spec)
		return at.AppendFormat(dst, layout)
	case "filename":
		return append(dst, r.Caller().File...)
	case "lineno":
		return strconv.AppendInt(dst, int64(r.Caller().Line), 10)
	case "func_name":
		return append(dst, r.Caller().Function...)
	case "module":
		return append(dst, r.Caller().Module...)
	}
	if key, ok := strings.CutPrefix(name, "extra["); ok {
		return fmt.Append(dst, r.Extra.Get(strings.TrimSuffix(key, "]")))
	}
	return dst
}
