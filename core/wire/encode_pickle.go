package wire

import (
	"math"
	"path"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire/pickle"
)

// AppendPickle appends r to dst as the pickled dictionary that Python's SocketHandler
// sends, without its length, for receivers that make a record of it with
// logging.makeLogRecord. The message is formatted, extra data stand among the other
// attributes under names that are free; NOTICE is 25 and TRACE 5. The error is that of
// [Append].
func AppendPickle(dst []byte, r *core.Record) ([]byte, error) {
	return appendPickled(dst, stdlibFields(r.Keep()))
}

// LoggingFields returns the attributes that r has as a record of Python's logging package, as
// [AppendPickle] sends them.
func LoggingFields(r *core.Record) core.Fields { return stdlibFields(r.Keep()) }

// AppendPickledDict appends r to dst as the pickled dictionary that Logbook's
// MultiProcessingHandler puts into a queue. The error is that of [Append].
func AppendPickledDict(dst []byte, r *core.Record) ([]byte, error) {
	d := r.Keep().ToDict()
	if d["filename"] == nil {
		d["filename"] = ""
	}
	return appendPickled(dst, d)
}

func appendPickled(dst []byte, v any) ([]byte, error) {
	start := len(dst)
	out := pickle.Append(dst, v)
	if n := len(out) - start; n > DefaultMaxSize {
		return dst, tooLarge(n, DefaultMaxSize)
	}
	return out, nil
}

// stdlibNumber is the opposite of [StdlibLevel].
func stdlibNumber(l core.Level) int {
	switch l {
	case core.LevelTrace:
		return 5
	case core.LevelNotice:
		return 25
	case core.LevelDebug:
		return 10
	case core.LevelInfo:
		return 20
	case core.LevelWarning:
		return 30
	case core.LevelError:
		return 40
	case core.LevelCritical:
		return 50
	}
	return int(l)
}

// stdlibFields are the attributes of a record of Python's logging package.
func stdlibFields(r *core.Record) core.Fields {
	site := r.Caller()
	file := site.File
	if i := strings.LastIndexAny(file, `/\`); i >= 0 {
		file = file[i+1:]
	}
	created := float64(r.Time.UnixMicro()) / 1e6
	f := core.Fields{
		{Key: "name", Value: r.Channel},
		{Key: "msg", Value: r.Message()},
		{Key: "args", Value: nil},
		{Key: "levelname", Value: r.Level.String()},
		{Key: "levelno", Value: stdlibNumber(r.Level)},
		{Key: "pathname", Value: site.File},
		{Key: "filename", Value: file},
		{Key: "module", Value: strings.TrimSuffix(file, path.Ext(file))},
		{Key: "exc_info", Value: nil},
		{Key: "exc_text", Value: nil},
		{Key: "stack_info", Value: nil},
		{Key: "lineno", Value: site.Line},
		{Key: "funcName", Value: site.Function},
		{Key: "created", Value: created},
		{Key: "msecs", Value: math.Floor((created - math.Floor(created)) * 1000)},
		{Key: "relativeCreated", Value: 0.0},
		{Key: "thread", Value: r.Thread.ID},
		{Key: "threadName", Value: r.Thread.Name},
		{Key: "processName", Value: r.Process.Name},
		{Key: "process", Value: r.Process.ID},
	}
	if e := r.Exception; e != nil {
		text := e.Traceback
		if text == "" {
			text = strings.TrimPrefix(e.Name+": "+e.Message, ": ")
		}
		f.Set("exc_text", text)
	}
	return appendExtra(f, r.Extra)
}

// appendExtra adds extra data under names that no record of the logging package has,
// which Python itself insists on.
func appendExtra(f, extra core.Fields) core.Fields {
	taken := map[string]bool{"message": true, "asctime": true, "taskName": true}
	for i := range f {
		taken[f[i].Key] = true
	}
	for _, e := range extra {
		for taken[e.Key] {
			e.Key += "_"
		}
		taken[e.Key] = true
		f = append(f, e)
	}
	return f
}
