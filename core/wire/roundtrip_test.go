package wire_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// sameRecord compares all that is sent of a record.
var sameRecord = cmp.Options{
	cmpopts.IgnoreUnexported(core.Record{}),
	cmpopts.EquateEmpty(),
	cmpopts.EquateNaNs(),
	cmpopts.SortSlices(func(a, b core.Field) bool { return a.Key < b.Key }),
}

func diff(want, got *core.Record) string {
	d := cmp.Diff(want, got, sameRecord)
	if want.Message() != got.Message() {
		d += "message: want " + want.Message() + ", got " + got.Message()
	}
	return d
}

func TestTheFastDecoderAgreesWithFromDict(t *testing.T) {
	for _, f := range fixtures(t, "logbook-zmq-pub", "logbook-zmq-push", "logbook-seed04", "hostile") {
		if strings.Contains(string(f.body), "NaN") || strings.Contains(f.File, "invalid-utf8") {
			continue // encoding/json does not read it
		}
		var dict map[string]any
		d := json.NewDecoder(bytes.NewReader(f.body))
		d.UseNumber()
		if err := d.Decode(&dict); err != nil {
			continue // no object
		}
		dict, _ = plain(dict).(map[string]any)
		want, err := core.FromDict(dict)
		if err != nil {
			t.Fatal(err)
		}
		if d := diff(want, decode(t, f.body)); d != "" {
			t.Errorf("%s (-FromDict +Decode):\n%s", f.File, d)
		}
	}
}

func TestWhatIsReadFromTheWireGoesBackUnchanged(t *testing.T) {
	for _, f := range fixtures(t, "logbook-zmq-pub", "logbook-zmq-push", "logbook-seed04", "cookbook-zmq", "logbook-redishandler") {
		if f.Case == "unsafe_nan" {
			continue // NaN is written as text
		}
		want := decode(t, f.body)
		body, err := wire.Append([]byte("before"), want)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.TrimPrefix(body, []byte("before"))
		if !json.Valid(body) {
			t.Errorf("%s: not JSON: %s", f.File, body)
		}
		if d := diff(want, decode(t, body)); d != "" {
			t.Errorf("%s (-want +got):\n%s", f.File, d)
		}
	}
}

// values draws what the data of a record can hold.
func values(depth int) *rapid.Generator[any] {
	options := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int64().AsAny(),
		rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).AsAny(),
		rapid.String().AsAny(),
		rapid.Just[any](json.Number("1208925819614629174706176")),
	}
	if depth > 0 {
		options = append(options,
			rapid.SliceOfN(values(depth-1), 0, 3).AsAny(),
			rapid.MapOfN(rapid.String(), values(depth-1), 0, 3).AsAny())
	}
	return rapid.OneOf(options...)
}

func fields(t *rapid.T, name string) core.Fields {
	var f core.Fields
	for _, key := range rapid.SliceOfNDistinct(rapid.String(), 0, 30, rapid.ID).Draw(t, name) {
		f = append(f, core.Field{Key: key, Value: values(2).Draw(t, "value")})
	}
	return f
}

func anyRecord(t *rapid.T) *core.Record {
	str := func(name string) string { return rapid.String().Draw(t, name) }
	r := &core.Record{
		Channel: str("channel"),
		Level:   rapid.SampledFrom(append(core.Levels(), 0, 42, -3)).Draw(t, "level"),
		Msg:     str("msg"),
		Args:    rapid.SliceOfN(values(2), 0, 3).Draw(t, "args"),
		Kwargs:  fields(t, "kwargs"),
		Extra:   fields(t, "extra"),
		Time:    time.UnixMicro(rapid.Int64Range(-62135596800e6, 253402300799e6).Draw(t, "time")).UTC(),
		Site: core.Site{
			File: str("filename"), Line: rapid.Int().Draw(t, "lineno"),
			Function: str("func_name"), Module: str("module"),
		},
		Process:         core.Process{ID: rapid.Int().Draw(t, "process"), Name: str("process_name")},
		Thread:          core.Thread{ID: rapid.Int64().Draw(t, "thread"), Name: str("thread_name"), Greenlet: rapid.Int64().Draw(t, "greenlet")},
		FrameCorrection: rapid.Int().Draw(t, "frame_correction"),
	}
	if rapid.Bool().Draw(t, "raised") {
		r.Exception = &core.Exception{Name: str("exception_name"), Message: str("exception_message"), Traceback: str("traceback")}
	}
	r.SetMessage(str("message"))
	return r
}

func TestEveryRecordSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyRecord(t)
		body, err := wire.Append(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(body) || bytes.ContainsAny(body, "\n\r") {
			t.Fatalf("not JSON on one line: %s", body)
		}
		got, err := wire.Decode(body)
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if d := diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	})
}

func TestOldReadersGetOldLevelNumbers(t *testing.T) {
	for i, level := range core.Levels() {
		body, err := wire.AppendWith(nil, &core.Record{Level: level}, wire.AppendOptions{OldLevels: true})
		if err != nil {
			t.Fatal(err)
		}
		var dict struct{ Level int }
		if err := json.Unmarshal(body, &dict); err != nil {
			t.Fatal(err)
		}
		if want := max(i, 1); dict.Level != want {
			t.Errorf("%v is written as %d, want %d", level, dict.Level, want)
		}
		if back := decode(t, body); back.Level != max(level, core.LevelDebug) {
			t.Errorf("%v is read back as %v", level, back.Level)
		}
	}
}

func TestAllKeysAreWrittenAndNoneIsMissedByPython(t *testing.T) {
	body, err := wire.Append(nil, new(core.Record))
	if err != nil {
		t.Fatal(err)
	}
	var dict map[string]any
	if err := json.Unmarshal(body, &dict); err != nil {
		t.Fatal(err)
	}
	if len(dict) != 23 {
		t.Errorf("%d keys, want 23", len(dict))
	}
	want := map[string]any{
		"filename": "", "lineno": 0., "heavy_initialized": true, "information_pulled": true,
		"args": []any{}, "kwargs": map[string]any{}, "extra": map[string]any{}, "time": "0001-01-01T00:00:00.000000Z",
	}
	for key, v := range want {
		if d := cmp.Diff(v, dict[key]); d != "" {
			t.Errorf("%s (-want +got):\n%s", key, d)
		}
	}
}

// odd values of Go that no decoder makes.
type (
	stringer struct{}
	panics   struct{}
	node     struct {
		Name string
		Next *node
		priv int
	}
)

func (stringer) String() string { return "by its own method" }
func (panics) Error() string    { panic("no") }

func TestValuesOfGoAreMadeSafe(t *testing.T) {
	loop := &node{Name: "a", priv: 1}
	loop.Next = loop
	self := map[string]any{}
	self["self"] = self
	bomb := []any{"x"}
	for range 60 {
		bomb = []any{bomb, bomb}
	}
	r := &core.Record{Extra: core.Fields{
		{Key: "nan", Value: math.NaN()},
		{Key: "inf", Value: math.Inf(-1)},
		{Key: "func", Value: func() {}},
		{Key: "chan", Value: make(chan int)},
		{Key: "bytes", Value: []byte("a\xff")},
		{Key: "stringer", Value: stringer{}},
		{Key: "panics", Value: panics{}},
		{Key: "duration", Value: time.Second},
		{Key: "node", Value: node{Name: "n"}},
		{Key: "ints", Value: []int{1, 2}},
		{Key: "keys", Value: map[int]bool{2: true, 1: false}},
		{Key: "nil", Value: (*node)(nil)},
		{Key: "time", Value: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)},
		{Key: "number", Value: json.Number("x")},
		{Key: "complex", Value: 1 + 2i},
		{Key: "uint8", Value: uint8(7)},
		{Key: "float32", Value: float32(0.1)},
		{Key: "loop", Value: loop},
		{Key: "self", Value: self},
		{Key: "bomb", Value: bomb},
	}}
	body, err := wire.Append(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	var dict struct{ Extra map[string]any }
	if err := json.Unmarshal(body, &dict); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"nan": "NaN", "inf": "-Infinity", "func": "<func()>", "chan": "<chan int>", "bytes": "a\ufffd",
		"stringer": "by its own method", "duration": "1s", "node": map[string]any{"Name": "n", "Next": nil},
		"ints": []any{1., 2.}, "keys": map[string]any{"1": false, "2": true}, "nil": nil,
		"time": "2026-01-02T03:04:05.000006Z", "number": "x", "complex": "(1+2i)", "uint8": 7., "float32": 0.1,
	} {
		if d := cmp.Diff(want, dict.Extra[key]); d != "" {
			t.Errorf("%s (-want +got):\n%s", key, d)
		}
	}
	if s, _ := dict.Extra["panics"].(string); !strings.Contains(s, "PANIC") {
		t.Errorf("panics: %q", s)
	}
	if !bytes.Contains(body, []byte(`"..."`)) {
		t.Error("nothing was cut off")
	}
}

func TestARecordThatNobodyWouldTakeIsNotWritten(t *testing.T) {
	dst, err := wire.Append([]byte("kept"), &core.Record{Msg: strings.Repeat("x", wire.DefaultMaxSize)})
	if got := reason(t, err); got != wire.ReasonTooLarge || string(dst) != "kept" {
		t.Errorf("reason %q, %d bytes", got, len(dst))
	}
}
