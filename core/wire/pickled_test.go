package wire_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func pickles(t testing.TB, folders ...string) []fixture {
	t.Helper()
	out := fixturesOf(t, []string{".frame", ".dgram", ".pickle"}, folders...)
	for i := range out {
		out[i].unframe()
	}
	return out
}

// unframe takes the length from the front of a frame.
func (f *fixture) unframe() {
	if filepath.Ext(f.File) != ".pickle" && len(f.body) >= 4 {
		f.body = f.body[4:]
	}
}

// logRecord are the attributes that every record of the logging package has.
const logRecord = " args asctime created exc_info exc_text filename funcName levelname levelno lineno message module msecs msg name " +
	"pathname process processName relativeCreated stack_info taskName thread threadName "

func checkPickled(t *testing.T, r *core.Record, want map[string]any) {
	t.Helper()
	if s, ok := want["msg"].(string); ok {
		message, _, _ := strings.Cut(s, "\nTraceback (most recent")
		message, _, _ = strings.Cut(message, "\nStack (most recent")
		equal(t, "message", r.Message(), message)
	}
	equal(t, "channel", r.Channel, want["name"])
	equal(t, "filename", r.Site.File, text(want["pathname"]))
	equal(t, "func_name", r.Site.Function, text(want["funcName"]))
	equal(t, "lineno", int64(r.Site.Line), want["lineno"])
	equal(t, "process_name", r.Process.Name, text(want["processName"]))
	equal(t, "thread_name", r.Thread.Name, text(want["threadName"]))
	equal(t, "thread", r.Thread.ID, want["thread"])
	n, _ := want["levelno"].(int64)
	equal(t, "level", r.Level, wire.StdlibLevel(int(n)))
	created, _ := want["created"].(float64)
	if off := math.Abs(float64(r.Time.UnixNano())/1e9 - created); off > 1e-6 {
		t.Errorf("time %v is %g s off", r.Time, off)
	}
	if trace := text(want["exc_text"]); trace != "" && (r.Exception == nil || r.Exception.Traceback != trace || r.Exception.Name == "") {
		t.Errorf("exception %+v, want %s", r.Exception, trace)
	}
	for key, v := range want {
		if strings.Contains(logRecord, " "+key+" ") {
			continue
		}
		got, ok := r.Extra.Lookup(key)
		if !ok {
			t.Errorf("extra has no %q", key)
		}
		checkValue(t, key, got, v)
	}
}

// checkValue compares a value, of which the list of expectations may only
// describe what JSON cannot hold.
func checkValue(t *testing.T, what string, got, want any) {
	t.Helper()
	if m, ok := want.(map[string]any); ok {
		switch {
		case m["__tuple__"] != nil:
			want = m["__tuple__"]
		case m["__len__"] != nil:
			list, _ := got.([]any)
			dict, _ := got.(map[string]any)
			equal(t, what+" length", int64(len(list)+len(dict)), m["__len__"])
			return
		case m["__class__"] != nil, m["__bytes_hex__"] != nil:
			if got == nil || got == "" {
				t.Errorf("%s is empty", what)
			}
			return
		}
	}
	if what == "enum" || what == "af" || what == "mystr" || what == "nt" || want == "<recursive>" { // placeholders, see package pickle
		return
	}
	switch want := want.(type) {
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
		for i := range want {
			checkValue(t, what, list[i], want[i])
		}
	case map[string]any:
		dict, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		for key, v := range want {
			checkValue(t, what+"."+key, dict[key], v)
		}
	default:
		equal(t, what, got, want)
	}
}

// checkPickledLogbook compares a record with the attributes of one of Logbook's as far as the
// list has them.
func checkPickledLogbook(t *testing.T, r *core.Record, f *fixture) {
	t.Helper()
	want := f.Expected
	equal(t, "level", int64(r.Level), newLevel(want["level"]))
	for key, got := range map[string]any{"channel": r.Channel, "message": r.Message(), "func_name": r.Site.Function, "filename": r.Site.File} {
		if v, ok := want[key]; ok {
			equal(t, key, got, text(v))
		}
	}
	if extra, ok := want["extra"].(map[string]any); ok {
		for key, v := range extra {
			checkValue(t, key, r.Extra.Get(key), orEmpty(v, r.Extra, key))
		}
	}
	checkTime(t, f, r)
	if want["exception_message"] != nil {
		equal(t, "exception", r.Exception.Message, want["exception_message"])
	}
	if r.Time.IsZero() {
		t.Error("no time")
	}
}

// orEmpty is v, apart from a nil that is there.
func orEmpty(v any, f core.Fields, key string) any {
	if _, ok := f.Lookup(key); ok || v != nil {
		return v
	}
	return ""
}

func TestPicklesArePythonsWhateverTheDialect(t *testing.T) {
	f := pickles(t, "stdlib-socket")[0]
	for _, o := range []wire.Options{{Dialect: "pino"}, {Dialect: "logbook"}, {Map: map[string]string{"level": "lineno"}}} {
		r, err := decoder(t, o).DecodePickle(f.body)
		if err != nil {
			t.Fatal(err)
		}
		checkPickled(t, r, f.Expected)
	}
}
