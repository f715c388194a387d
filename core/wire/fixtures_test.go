package wire_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// A fixture is the bytes that a real sender sent, and what they mean.
type fixture struct {
	File      string         `json:"file"` // empty if the sender could not send it
	Failed    string         `json:"sender_failed"`
	Case      string         `json:"case"`
	Transport string         `json:"transport"`
	Exercises string         `json:"exercises"`
	Expected  map[string]any `json:"expected"`
	body      []byte
}

// readManifest reads the list of all fixtures once.
var readManifest = sync.OnceValues(func() (all []fixture, err error) {
	file, err := os.Open("testdata/manifest.json")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	err = decoder.Decode(&all)
	return all, err
})

// manifest returns all fixtures, without their bytes.
func manifest(t testing.TB) []fixture {
	t.Helper()
	all, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(all)
}

// load reads the bytes of a fixture. Long ones are compressed; the messages for syslog are
// where they are parsed.
func (f *fixture) load(t testing.TB) {
	t.Helper()
	f.Expected, _ = plain(f.Expected).(map[string]any)
	path := filepath.Join("testdata", f.File)
	for _, path := range []string{path, "../queue/syslog/testdata/messages/" + strings.ReplaceAll(f.File, "/", "-")} {
		body, err := os.ReadFile(path)
		if err == nil {
			f.body = body
			return
		}
	}
	packed, err := os.Open(path + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	if f.body, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
}

// fixtures returns the fixtures of some folders that are JSON.
func fixtures(t testing.TB, folders ...string) []fixture {
	t.Helper()
	return fixturesOf(t, []string{".json"}, folders...)
}

// fixturesOf returns those whose names end so.
func fixturesOf(t testing.TB, extensions []string, folders ...string) []fixture {
	t.Helper()
	var out []fixture
	for _, f := range manifest(t) {
		folder, _, _ := strings.Cut(f.File, "/")
		if slices.Contains(folders, folder) && slices.Contains(extensions, filepath.Ext(f.File)) {
			f.load(t)
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no fixtures in %v", folders)
	}
	return out
}

// plain turns what the list of expectations has for values that JSON cannot
// hold into what the decoder makes of them.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil && strings.ContainsAny(string(v), ".eE") {
			return f
		}
		return v
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case map[string]any:
		if s, ok := v["__float__"].(string); ok {
			return map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1)}[s]
		}
		if s, ok := v["__bigint__"].(string); ok {
			return plain(json.Number(s))
		}
		if s, ok := v["__lone_surrogates__"].(string); ok {
			return strings.ReplaceAll(s, `\udcff`, "\ufffd")
		}
		for key := range v {
			v[key] = plain(v[key])
		}
		return v
	}
	return v
}

// text is what a decoder makes of a value that should be text.
func text(v any) string {
	r := new(core.Record)
	r.UpdateFromDict(map[string]any{"channel": v})
	return r.Channel
}

func decode(t *testing.T, body []byte) *core.Record {
	t.Helper()
	r, err := wire.Decode(body)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return r
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if m, ok := want.(map[string]any); ok && m["__len__"] != nil {
		s, _ := got.(string)
		start, _ := m["starts"].(string)
		if int64(len([]rune(s))) != m["__len__"] || !strings.HasPrefix(s, start) {
			t.Errorf("%s: %d characters, want %v", what, len(s), m)
		}
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// checkLogbook compares a record with the attributes of one of Logbook's.
func checkLogbook(t *testing.T, r *core.Record, f *fixture) {
	t.Helper()
	want := f.Expected
	for key, got := range map[string]any{
		"channel": r.Channel, "msg": r.Msg, "message": r.Message(),
		"filename": r.Site.File, "func_name": r.Site.Function, "module": r.Site.Module,
		"process_name": r.Process.Name, "thread_name": r.Thread.Name,
	} {
		if m, ok := want[key].(map[string]any); ok && m["__len__"] != nil {
			equal(t, key, got, m)
		} else {
			equal(t, key, got, text(want[key]))
		}
	}
	checkValue(t, "args", r.Args, want["args"])
	equal(t, "kwargs", r.Kwargs.Map(), want["kwargs"])
	equal(t, "level", int64(r.Level), newLevel(want["level"]))
	if name, ok := r.Level.Name(); ok {
		equal(t, "level name", name, want["level_name"])
	}
	if n, ok := want["lineno"].(int64); ok {
		equal(t, "lineno", int64(r.Site.Line), n)
	}
	checkExtra(t, r, want)
	checkException(t, r, want)
	checkTime(t, f, r)
	if r.Process.ID == 0 || r.Thread.ID == 0 {
		t.Errorf("process %d, thread %d", r.Process.ID, r.Thread.ID)
	}
}

func newLevel(v any) int64 {
	n, _ := v.(int64)
	if n >= 1 && n <= 6 {
		n += 9
	}
	return n
}

func checkExtra(t *testing.T, r *core.Record, want map[string]any) {
	t.Helper()
	extra, _ := want["extra"].(map[string]any)
	got := r.Extra.Map()
	for key, v := range got { // attributes that somebody put on the record
		if _, ok := extra[key]; !ok {
			switch key {
			case "ticket_id", "obj", "late", "keep_open":
				delete(got, key)
			default:
				t.Errorf("extra has %q: %v", key, v)
			}
		}
	}
	equal(t, "extra", got, extra)
}

func checkException(t *testing.T, r *core.Record, want map[string]any) {
	t.Helper()
	if want["has_traceback"] != true {
		if r.Exception != nil {
			t.Errorf("unexpected exception %+v", r.Exception)
		}
		return
	}
	equal(t, "exception_name", r.Exception.Name, text(want["exception_name"]))
	equal(t, "exception_message", r.Exception.Message, text(want["exception_message"]))
	lines := strings.Split(r.Exception.Traceback, "\n")
	if first, ok := want["traceback_first_line"]; ok {
		equal(t, "first line of the traceback", lines[0], first)
		equal(t, "last line of the traceback", lines[len(lines)-1], want["traceback_last_line"])
	}
}

func checkTime(t *testing.T, f *fixture, r *core.Record) {
	t.Helper()
	s, ok := f.Expected["true_time_of_sender"].(string)
	if !ok {
		return
	}
	want, err := time.Parse("2006-01-02T15:04:05.999999999", strings.TrimSuffix(s, "+02:00"))
	if err != nil { // Logbook drops the offset of aware times: nothing can bring it back
		t.Fatal(err)
	}
	if !r.Time.Equal(want) {
		t.Errorf("time %v, want %v", r.Time, want)
	}
}

// checkStdlib compares a record with the attributes of a record of the logging
// package that came as JSON.
func checkStdlib(t *testing.T, r *core.Record, want map[string]any) {
	t.Helper()
	full := text(want["message"])
	message, rest, _ := strings.Cut(full, "\nStack (most recent")
	message, trace, raised := strings.Cut(message, "\nTraceback (most recent")
	equal(t, "message", r.Message(), message)
	equal(t, "msg", r.Msg, text(want["msg"]))
	if raised != (r.Exception != nil) {
		t.Fatalf("exception %+v, message %q", r.Exception, full)
	}
	if raised {
		equal(t, "traceback", r.Exception.Traceback, "Traceback (most recent"+trace)
		if r.Exception.Name == "" {
			t.Error("the exception has no name")
		}
	}
	if rest != "" {
		equal(t, "stack", r.Extra.Get("stack_info"), "Stack (most recent"+rest)
	}
	equal(t, "channel", r.Channel, want["name"])
	equal(t, "filename", r.Site.File, text(want["pathname"]))
	equal(t, "func_name", r.Site.Function, text(want["funcName"]))
	equal(t, "module", r.Site.Module, text(want["module"]))
	equal(t, "lineno", int64(r.Site.Line), want["lineno"])
	equal(t, "process", int64(r.Process.ID), want["process"])
	equal(t, "process_name", r.Process.Name, text(want["processName"]))
	equal(t, "thread", r.Thread.ID, want["thread"])
	equal(t, "thread_name", r.Thread.Name, text(want["threadName"]))
	created, _ := want["created"].(float64)
	if diff := math.Abs(float64(r.Time.UnixNano())/1e9 - created); diff > 1e-6 {
		t.Errorf("time %v is %g s off", r.Time, diff)
	}
	levelno, _ := want["levelno"].(int64)
	equal(t, "level", r.Level, wire.StdlibLevel(int(levelno)))
	for key, v := range want {
		switch key {
		case "ip", "count", "ok", "no", "none", "ratio", "nested", "neg", "t0", "t4", "l", "d", "s", "custom", "asctime":
			got, ok := r.Extra.Lookup(key)
			equal(t, key, got, v)
			if !ok {
				t.Errorf("extra has no %q", key)
			}
		}
	}
}

func TestALevelOfTheProgramsOwnKeepsItsNumberAndName(t *testing.T) {
	for _, f := range fixtures(t, "cookbook-zmq") {
		if f.Case != "level_custom25" {
			continue
		}
		r := decode(t, f.body)
		if r.Level != core.LevelNotice || r.Extra.Get("levelno") != int64(25) || r.Extra.Get("levelname") == "" {
			t.Errorf("level %v, extra %v", r.Level, r.Extra)
		}
		return
	}
	t.Error("no fixture")
}

// checkRedisHandler compares a record with one of Logbook's RedisHandler.
func checkRedisHandler(t *testing.T, r *core.Record, f *fixture) {
	t.Helper()
	want := f.Expected
	equal(t, "msg", r.Msg, want["message"])
	equal(t, "host", r.Extra.Get("host"), want["host"])
	at, err := time.Parse("2006-01-02T15:04:05.999999", text(want["time"]))
	if err != nil || !r.Time.Equal(at) {
		t.Errorf("time %v, want %v %v", r.Time, at, err)
	}
	if level, err := core.ParseLevel(text(want["level"])); err == nil {
		equal(t, "level", r.Level, level)
	} else {
		equal(t, "level", r.Extra.Get("level"), want["level"])
	}
	for _, key := range []string{"name", "more_info", "type", "n"} {
		if v, ok := want[key]; ok {
			equal(t, key, r.Extra.Get(key), v)
		}
	}
	if f.Case == "kwargs" {
		equal(t, "message", r.Message(), "hello Jürgen")
	}
}
