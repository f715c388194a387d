package wire

import (
	"path"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
	"github.com/logbook-tray/logbook-tray/core/internal/pytrace"
)

// StdlibLevel returns the level that stands for a level number of Python's
// logging package. That has DEBUG 10, INFO 20, WARNING 30, ERROR 40, CRITICAL 50 and
// lets programs use the numbers between: those become the named level below,
// and what lies between INFO and WARNING becomes NOTICE, which is where
// programs put their NOTICE and SUCCESS.
func StdlibLevel(n int) core.Level {
	switch {
	case n <= 0:
		return core.LevelNotSet
	case n < 10:
		return core.LevelTrace
	case n < 20:
		return core.LevelDebug
	case n == 20:
		return core.LevelInfo
	case n < 30:
		return core.LevelNotice
	case n < 40:
		return core.LevelWarning
	case n < 50:
		return core.LevelError
	}
	return core.LevelCritical
}

// stdlibName returns the name that the logging package gives its own numbers.
func stdlibName(n int) string {
	switch n {
	case 0:
		return "NOTSET"
	case 10:
		return "DEBUG"
	case 20:
		return "INFO"
	case 30:
		return "WARNING"
	case 40:
		return "ERROR"
	case 50:
		return "CRITICAL"
	}
	return ""
}

// logbookKey says which of Logbook's keys an attribute of a record of the
// logging package means.
func logbookKey(attribute string) string {
	switch attribute {
	case "name":
		return "channel"
	case "msg", "args", "process", "thread", "module", "lineno":
		return attribute
	case "created":
		return "time"
	case "pathname":
		return "filename"
	case "funcName":
		return "func_name"
	case "processName":
		return "process_name"
	case "threadName":
		return "thread_name"
	case "exc_text":
		return "formatted_exception"
	}
	return ""
}

// stdlib reads the dictionary of a record of Python's logging package, as
// SocketHandler pickles it, QueueHandlers send it as JSON, and HTTPHandler
// as a form. Attributes that the package does not know are the program's own extra
// data.
func (d *Decoder) stdlib(f core.Fields, k keys) *core.Record {
	r := new(core.Record)
	var extra fieldList
	for i := range f {
		key, v := f[i].Key, f[i].Value
		if key == "pathname" && (v == nil || v == "") { // filename may know better
			continue
		}
		if to := logbookKey(key); to != "" {
			if !r.SetAttribute(to, v) {
				extra.set(key, v)
			}
			continue
		}
		switch key {
		case "levelno", "levelname", "message", "msecs", "relativeCreated", "exc_info":
			continue // levels and message follow; the rest repeats created and exc_text
		case "stack_info", "taskName":
			if v == nil {
				continue
			}
		case "filename":
			if p, _ := k.text("pathname"); p == "" {
				r.SetAttribute("filename", v)
				continue
			} else if v == nil || v == pythonBase(p) {
				continue
			}
		}
		extra.set(key, v)
	}
	r.Extra = extra.fields
	d.stdlibTime(r)
	stdlibLevel(r, k)
	stdlibMessage(r, k)
	stdlibException(r)
	return r
}

// pythonBase is os.path.basename of the system the path comes from.
func pythonBase(p string) string {
	if i := strings.LastIndexByte(p, '\\'); i >= 0 && !strings.Contains(p, "/") {
		return p[i+1:]
	}
	return path.Base(p)
}

// stdlibTime takes the time from where JSON formatters put it if there is no
// created.
func (d *Decoder) stdlibTime(r *core.Record) {
	for _, key := range []string{"time", "timestamp", "@timestamp", "_created", "asctime"} {
		v, ok := r.Extra.Lookup(key)
		if !ok || !r.Time.IsZero() {
			continue
		}
		if s, isText := v.(string); isText {
			t, err := isotime.Parse(s, isotime.Decimal, d.zone)
			if err != nil {
				continue
			}
			v = t
		}
		if r.SetAttribute("time", v) && key != "asctime" {
			r.Extra.Delete(key)
		}
	}
}

// stdlibLevel sets the level.
func stdlibLevel(r *core.Record, k keys) {
	name, _ := k.text("levelname")
	levelno := k.get("levelno")
	var n core.Record
	valid := levelno != nil && n.SetAttribute("lineno", levelno)
	setStdlibLevel(r, n.Site.Line, valid, name)
}

// setStdlibLevel sets the level by its number, if that is valid, else by its name. It
// keeps a number or name of the program's own in the extra data.
func setStdlibLevel(r *core.Record, number int, valid bool, name string) {
	switch {
	case valid:
		r.Level = StdlibLevel(number)
		own := stdlibName(number)
		if own == "" {
			r.Extra.Set("levelno", int64(number))
		}
		if name != own && name != "" {
			r.Extra.Set("levelname", name)
		}
	case name != "":
		level, err := core.ParseLevel(name)
		r.Level = level
		if err != nil {
			r.Extra.Set("levelname", name)
		}
	}
}

// stdlibMessage sets the formatted message: message where an earlier formatter
// left one, else msg, with its arguments if they came along.
func stdlibMessage(r *core.Record, k keys) {
	if s, ok := k.text("message"); ok {
		if !k.has("msg") {
			r.Msg = s
		}
		r.SetMessage(s)
		return
	}
	text, ok := formatPercent(r.Msg, r.Args)
	if !ok && len(r.Args) > 0 {
		r.Extra.Set("args", r.Args)
	}
	r.SetMessage(text)
}

const (
	tracebackHead = "Traceback (most recent call last):\n"
	groupHead     = "  + Exception Group Traceback (most recent call last):\n"
	stackHead     = "Stack (most recent call last):\n"
)

// stdlibException completes the exception. QueueHandler appends the traceback and the
// stack to the message and clears exc_text, so that they are taken from there.
func stdlibException(r *core.Record) {
	message := r.Message()
	if r.Exception == nil && strings.IndexByte(message, '\n') < 0 {
		return
	}
	if at := lineStart(message, stackHead); at >= 0 {
		if _, taken := r.Extra.Lookup("stack_info"); !taken {
			r.Extra.Set("stack_info", message[at:])
			message = before(message, at)
		}
	}
	if r.Exception == nil {
		at := lineStart(message, tracebackHead)
		if g := lineStart(message, groupHead); g >= 0 && (at < 0 || g < at) {
			at = g
		}
		if at < 0 && len(message) == len(r.Message()) {
			return
		}
		if at >= 0 {
			r.Exception = &core.Exception{Traceback: strings.TrimRight(message[at:], "\n")}
			message = before(message, at)
		}
	}
	r.SetMessage(message)
	if e := r.Exception; e != nil && e.Name == "" {
		e.Name, e.Message = pytrace.Last(e.Traceback)
	}
}

// before returns what of s comes before position at and its line feed.
func before(s string, at int) string { return strings.TrimSuffix(s[:at], "\n") }

// lineStart returns where in s a line starts with head, -1 if none does.
func lineStart(s, head string) int {
	for at := 0; ; {
		i := strings.Index(s[at:], head)
		if i < 0 {
			return -1
		}
		if at += i; at == 0 || s[at-1] == '\n' {
			return at
		}
		at++
	}
}
