package bridge

import (
	"log" //nolint:depguard // this is the one place that redirects it

	"github.com/logbook-tray/logbook-tray/core"
)

// callDepth is where the caller of package log is, seen from a Writer.
const callDepth = 3

// RedirectLog sends what is logged with l to Logbook, attributed to the code that
// called l; nil stands for the standard logger of package log. Its prefix goes into
// the message, date, time and file do not: records have their own. Lines are
// of level INFO, if o does not say otherwise.
//
// restore puts things back as they were. It may be called twice.
func RedirectLog(l *log.Logger, o WriterOptions) (restore func()) {
	if l == nil {
		l = log.Default()
	}
	if o.Logger == nil {
		o.Logger = core.NewLogger("log")
	}
	if o.Depth == 0 {
		o.Depth = callDepth
	}
	out, flags := l.Writer(), l.Flags()
	w := NewWriter(o)
	l.SetFlags(flags & log.Lmsgprefix)
	l.SetOutput(w)
	done := false
	return func() {
		if done {
			return
		}
		done = true
		l.SetOutput(out)
		l.SetFlags(flags)
		_ = w.Close()
	}
}

// NewStdLogger returns a logger of package log whose lines become records, for
// APIs that want one, such as http.Server.ErrorLog.
func NewStdLogger(o WriterOptions) *log.Logger {
	l := log.New(nil, "", 0)
	RedirectLog(l, o)
	return l
}
