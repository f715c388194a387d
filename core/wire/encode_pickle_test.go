package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func TestEveryRecordSurvivesAsAPickledDictionary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyRecord(t)
		body, err := wire.AppendPickledDict(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.DecodePickle(body)
		if err != nil {
			t.Fatal(err)
		}
		if d := diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	})
}

func TestARecordSurvivesAsOneOfStdlibLogging(t *testing.T) {
	for _, level := range core.Levels() {
		want := &core.Record{
			Channel: "shop", Level: level, Msg: "m", Time: time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.UTC),
			Extra:     core.Fields{{Key: "order", Value: int64(1) << 40}, {Key: "big", Value: json.Number("-1208925819614629174706176")}},
			Exception: &core.Exception{Name: "E", Message: "no", Traceback: "Traceback (most recent call last):\n  File\nE: no"},
			Site:      core.Site{File: "/srv/shop.py", Line: 3, Function: "f", Module: "shop"}, Process: core.Process{ID: 7, Name: "P"},
			Thread: core.Thread{ID: 1 << 45, Name: "T"},
		}
		body, err := wire.AppendPickle(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.DecodePickle(body)
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := got.Extra.Lookup("levelname"); ok && name == level.String() { // NOTICE and TRACE are not Python's
			got.Extra.Delete("levelname")
			got.Extra.Delete("levelno")
		}
		if d := diff(want, got); d != "" {
			t.Errorf("%v (-want +got):\n%s", level, d)
		}
	}
}

// unpickle makes a record of each line, a pickle in base64, as receivers after
// Python's cookbook do.
const unpickle = `
import base64, json, logging, pickle, sys
logging.addLevelName(25, "NOTICE")
formatter = logging.Formatter("%(name)s %(levelname)s %(message)s %(filename)s:%(lineno)d %(order)r %(name_)s %(created).6f")
for line in sys.stdin:
    print(json.dumps(formatter.format(logging.makeLogRecord(pickle.loads(base64.b64decode(line))))))
`

func TestPythonsLoggingReadsOurPickles(t *testing.T) {
	r := &core.Record{
		Channel: "shop", Level: core.LevelNotice, Msg: "declined {0} ☃", Args: []any{4711}, Time: time.Unix(1700000000, 250000000),
		Extra: core.Fields{
			{Key: "order", Value: []any{nil, true, int64(1) << 62, -1, 1.5, "ä", map[string]any{"k": json.Number("-1208925819614629174706176")}, time.Second}},
			{Key: "name", Value: "taken"},
		},
		Exception: &core.Exception{Name: "E", Message: "no"},
		Site:      core.Site{File: "/srv/shop.py", Line: 3},
	}
	body, err := wire.AppendPickle(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	out := runPython(t, unpickle, []byte(base64.StdEncoding.EncodeToString(body)+"\n"))
	var got string
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := "shop NOTICE declined 4711 ☃ shop.py:3 [None, True, 4611686018427387904, -1, 1.5, 'ä', {'k': -1208925819614629174706176}, '1s'] taken 1700000000.250000\nE: no"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestAPickleThatNobodyWouldTakeIsNotWritten(t *testing.T) {
	r := &core.Record{Msg: strings.Repeat("x", wire.DefaultMaxSize)}
	for _, write := range []func([]byte, *core.Record) ([]byte, error){wire.AppendPickle, wire.AppendPickledDict} {
		dst, err := write([]byte("kept"), r)
		if got := reason(t, err); got != wire.ReasonTooLarge || string(dst) != "kept" {
			t.Errorf("reason %q, %d bytes", got, len(dst))
		}
	}
}

func FuzzDecodePickle(f *testing.F) {
	for _, x := range pickles(f, "stdlib-socket", "stdlib-mpqueue", "logbook-multiprocessing", "logbook-seed04", "hostile") {
		if len(x.body) < 2048 {
			f.Add(x.body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := wire.DecodePickle(body)
		if err != nil {
			reason(t, err)
			return
		}
		out, err := wire.Append(nil, r)
		if err == nil && !json.Valid(out) {
			t.Fatalf("not JSON: %s", out)
		}
	})
}
