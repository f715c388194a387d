package dialect

import (
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/pytrace"
)

// reader makes one record.
type reader struct {
	recognizer *Recognizer
	row        *row
	r          *core.Record
	hasMessage bool
	hasLevel   bool
	line       string // of output
	tmpl       string
}

// role returns what a member means.
func (x *reader) role(key string) role {
	if to, ok := x.recognizer.mapped[key]; ok {
		return to
	}
	if to, ok := x.row.keys[key]; ok {
		return to
	}
	return common[key]
}

func (r *Recognizer) read(w *row, f core.Fields, inner func([]byte) (*core.Record, error)) *core.Record {
	x := &reader{recognizer: r, row: w, r: new(core.Record)}
	if w.nested || r.dotted() {
		f = flatten(f)
	}
	for i := range f {
		if !x.take(f[i].Key, f[i].Value) {
			x.r.Extra = append(x.r.Extra, f[i])
		}
	}
	switch {
	case x.line != "":
		x.output(inner)
	case x.tmpl != "":
		x.r.Msg = x.tmpl
		if !x.hasMessage {
			x.r.SetMessage(render(x.tmpl, x.r.Extra))
			x.hasMessage = true
		}
	}
	if !x.hasMessage {
		return nil
	}
	if !x.hasLevel {
		x.r.Level = w.unset
	}
	return x.r
}

// dotted reports whether a name in the map is one of a member of a member.
func (r *Recognizer) dotted() bool {
	for key := range r.mapped {
		if strings.Contains(key, ".") {
			return true
		}
	}
	return false
}

// take stores a member where it belongs and reports whether there is such a place.
func (x *reader) take(key string, v any) bool {
	switch to := x.role(key); to {
	case extra:
		return false
	case nothing:
		return true
	case message:
		return x.message(v)
	case level:
		return x.level(v)
	case when:
		return x.time(v)
	case caller:
		return x.caller(v)
	case failure:
		return x.failure(v)
	case template:
		s, ok := v.(string)
		x.tmpl = s
		return ok
	case text:
		s, ok := v.(string)
		x.line = s
		return ok
	case traceback:
		return x.traceback(v)
	default:
		return x.attribute(to, v)
	}
}

// attribute stores what Logbook has a key for.
func (x *reader) attribute(to role, v any) bool {
	key := map[role]string{
		channel: "channel", file: "filename", line: "lineno", function: "func_name", module: "module", pid: "process",
		process: "process_name", thread: "thread_name", errorName: "exception_name", errorText: "exception_message",
	}[to]
	switch v.(type) {
	case []any, map[string]any:
		return false
	}
	if to == channel && x.r.Channel != "" {
		return false
	}
	return x.r.SetAttribute(key, v)
}

// message takes the first of several candidates; the others stay extra data.
func (x *reader) message(v any) bool {
	switch v.(type) {
	case []any, map[string]any, nil:
		return false
	}
	if x.hasMessage {
		return false
	}
	x.hasMessage = x.r.SetAttribute("msg", v)
	x.r.SetMessage(x.r.Msg)
	return x.hasMessage
}

func (x *reader) level(v any) bool {
	l, ok := core.LevelNotSet, false
	if s, named := v.(string); named {
		if l, ok = Level(s); !ok {
			if n, err := strconv.ParseFloat(s, 64); err == nil {
				v = n
			}
		}
	}
	if n, numeric := number(v); numeric && !ok {
		levels := x.row.levels
		if levels == nil {
			levels = anyNumber
		}
		l, ok = levels(n)
	}
	if ok {
		x.r.Level, x.hasLevel = l, true
	}
	return ok
}

func (x *reader) time(v any) bool {
	if !x.r.Time.IsZero() {
		return false
	}
	t, ok := readTime(v)
	x.r.Time = t
	return ok
}

// caller reads "dir/file.go:12", or an object as slog, bunyan and Google Cloud have
// it.
func (x *reader) caller(v any) bool {
	switch v := v.(type) {
	case string:
		i := strings.LastIndexByte(v, ':')
		if i < 0 {
			return false
		}
		n, err := strconv.Atoi(v[i+1:])
		if err != nil || n < 0 {
			return false
		}
		x.r.Site.File, x.r.Site.Line = v[:i], n
		return true
	case map[string]any:
		if _, ok := v["file"].(string); !ok {
			return false
		}
		x.r.SetAttribute("filename", v["file"])
		x.r.SetAttribute("lineno", v["line"])
		for _, key := range []string{"function", "func"} {
			if s, ok := v[key].(string); ok {
				x.r.Site.Function = s
			}
		}
		return true
	}
	return false
}

func (x *reader) exception() *core.Exception {
	if x.r.Exception == nil {
		x.r.Exception = new(core.Exception)
	}
	return x.r.Exception
}

// failure reads the error that a record reports.
func (x *reader) failure(v any) bool {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "\n") {
			e := x.exception()
			e.Traceback = strings.TrimRight(v, "\n")
			if name, message := pytrace.Last(v); e.Name == "" && name != "" && strings.Contains(v, "Traceback (") {
				e.Name, e.Message = name, message
			} else if e.Message == "" {
				e.Message, _, _ = strings.Cut(v, "\n")
			}
			return true
		}
		x.exception().Message = v
		return v != ""
	case map[string]any:
		var e core.Exception
		for _, m := range []struct {
			key string
			to  *string
		}{{"type", &e.Name}, {"name", &e.Name}, {"class", &e.Name}, {"message", &e.Message}, {"stack", &e.Traceback}} {
			if s, ok := v[m.key].(string); ok && *m.to == "" {
				*m.to = s
			}
		}
		if e == (core.Exception{}) || x.r.Exception != nil {
			return false
		}
		x.r.Exception = &e
		return true
	}
	return false
}

// traceback reads a stack: text, a list of lines, or one of zerolog's frames.
func (x *reader) traceback(v any) bool {
	switch v := v.(type) {
	case string:
		if v == "" {
			return true
		}
		e := x.exception()
		if e.Traceback != "" {
			return false
		}
		e.Traceback = strings.TrimRight(v, "\n")
		if x.row.name == "clef" { // the text of an exception of .NET
			first, _, _ := strings.Cut(v, "\n")
			e.Name, e.Message, _ = strings.Cut(strings.TrimRight(first, "\r"), ": ")
		} else if e.Name == "" && e.Message == "" && strings.HasPrefix(v, "Traceback") {
			e.Name, e.Message = pytrace.Last(v)
		}
		return true
	case []any:
		var b strings.Builder
		for _, e := range v {
			switch e := e.(type) {
			case string:
				b.WriteString(e + "\n")
			case map[string]any:
				for _, key := range []string{"func", "source", "line"} {
					if s, ok := e[key].(string); ok {
						b.WriteString(s + " ")
					}
				}
				b.WriteByte('\n')
			}
		}
		x.exception().Traceback = strings.TrimRight(b.String(), "\n")
		return b.Len() > 0
	}
	return false
}

// output makes the record of a line that a program printed: of the JSON in it, or with
// the line as its message.
func (x *reader) output(inner func([]byte) (*core.Record, error)) {
	line := strings.TrimRight(x.line, "\r\n")
	if strings.HasPrefix(strings.TrimSpace(line), "{") && inner != nil {
		if r, err := inner([]byte(line)); err == nil {
			if r.Time.IsZero() {
				r.Time = x.r.Time
			}
			for _, e := range x.r.Extra {
				if _, taken := r.Extra.Lookup(e.Key); !taken {
					r.Extra = append(r.Extra, e)
				}
			}
			x.r, x.hasMessage, x.hasLevel = r, true, true
			return
		}
	}
	x.r.Msg, x.hasMessage = line, true
	x.r.SetMessage(line)
	x.hasLevel = true
	x.r.Level = core.LevelInfo
	if x.r.Extra.Get("stream") == "stderr" {
		x.r.Level = core.LevelNotice
	}
}

// render fills a message template of Serilog: "Hello {@User}, {Count:000}".
func render(tmpl string, values core.Fields) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(tmpl, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(tmpl[open:], '}')
		if end < 0 {
			break
		}
		name := strings.TrimLeft(tmpl[open+1:open+end], "@$")
		if i := strings.IndexAny(name, ",:"); i >= 0 {
			name = name[:i]
		}
		b.WriteString(tmpl[:open])
		var one core.Record
		if v, ok := values.Lookup(name); ok && one.SetAttribute("channel", v) {
			b.WriteString(one.Channel)
		} else {
			b.WriteString(tmpl[open : open+end+1])
		}
		tmpl = tmpl[open+end+1:]
	}
	b.WriteString(tmpl)
	return b.String()
}

// flatten turns objects in objects into names with dots.
func flatten(f core.Fields) core.Fields {
	out := make(core.Fields, 0, len(f))
	seen := make(map[string]bool, len(f))
	var walk func(prefix string, v any, depth int)
	walk = func(key string, v any, depth int) {
		m, ok := v.(map[string]any)
		if ok && depth < 4 && len(m) > 0 {
			for _, name := range sortedKeys(m) {
				walk(key+"."+name, m[name], depth+1)
			}
			return
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, core.Field{Key: key, Value: v})
		}
	}
	for i := range f {
		walk(f[i].Key, f[i].Value, 0)
	}
	return out
}
