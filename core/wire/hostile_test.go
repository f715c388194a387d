package wire_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func reason(t *testing.T, err error) string {
	t.Helper()
	var reject *wire.RejectError
	if !errors.As(err, &reject) {
		t.Fatalf("error %v (%T), want a *RejectError", err, err)
	}
	return reject.Reason
}

func decoder(t testing.TB, o wire.Options) *wire.Decoder {
	t.Helper()
	d, err := wire.NewDecoder(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAValueOfTheWrongTypeCostsNobodyTheRecord(t *testing.T) {
	const frame = `{"channel": "c", "msg": "m", "heavy_initialized": true, "time": "2024-01-01T00:00:00Z", `
	for name, c := range map[string]struct {
		member string
		check  func(*core.Record) bool
	}{
		"level by name":       {`"level": "INFO"`, func(r *core.Record) bool { return r.Level == core.LevelInfo }},
		"level of no meaning": {`"level": "loud"`, func(r *core.Record) bool { return r.Extra.Get("level") == "loud" }},
		"level beyond int":    {`"level": 1e+300`, func(r *core.Record) bool { return r.Level == 0 && r.Extra.Get("level") == 1e300 }},
		"level as float":      {`"level": 13.0`, func(r *core.Record) bool { return r.Level == core.LevelWarning }},
		"level null":          {`"level": null`, func(r *core.Record) bool { return r.Level == core.LevelNotSet }},
		"old level":           {`"level": 5`, func(r *core.Record) bool { return r.Level == core.LevelError }},
		"nameless level":      {`"level": 42`, func(r *core.Record) bool { return r.Level == 42 }},
		"msg object":          {`"level": 11, "msg": {"a": 1}`, func(r *core.Record) bool { return r.Msg == `{"a":1}` }},
		"msg number":          {`"level": 11, "msg": 42`, func(r *core.Record) bool { return r.Message() == "42" }},
		"msg null":            {`"level": 11, "msg": null`, func(r *core.Record) bool { return r.Message() == "" }},
		"extra list":          {`"level": 11, "extra": [1]`, func(r *core.Record) bool { v, ok := r.Extra.Lookup("extra"); return ok && v != nil }},
		"extra null":          {`"level": 11, "extra": null`, func(r *core.Record) bool { return len(r.Extra) == 0 }},
		"args object":         {`"level": 11, "args": {"a": 1}`, func(r *core.Record) bool { return len(r.Args) == 1 }},
		"args text":           {`"level": 11, "args": "x"`, func(r *core.Record) bool { return r.Extra.Get("args") == "x" }},
		"time word":           {`"time": "yesterday"`, func(r *core.Record) bool { return r.Time.IsZero() && r.Extra.Get("time") == "yesterday" }},
		"time epoch":          {`"time": 1700000000.5`, func(r *core.Record) bool { return r.Time.Equal(time.Unix(1700000000, 5e8)) }},
		"time list":           {`"time": [1]`, func(r *core.Record) bool { return r.Time.IsZero() }},
		"process text":        {`"process": "17"`, func(r *core.Record) bool { return r.Process.ID == 17 }},
		"process words":       {`"process": "main"`, func(r *core.Record) bool { return r.Extra.Get("process") == "main" }},
		"thread too big":      {`"thread": 99999999999999999999`, func(r *core.Record) bool { return r.Thread.ID == 0 }},
		"channel list":        {`"channel": ["a"]`, func(r *core.Record) bool { return r.Channel == `["a"]` }},
		"last one wins":       {`"channel": "d"`, func(r *core.Record) bool { return r.Channel == "d" }},
		"last good one wins":  {`"channel": ["a"], "channel": "d"`, func(r *core.Record) bool { return r.Channel == "d" }},
		"unknown field":       {`"ticket": 7`, func(r *core.Record) bool { return r.Extra.Get("ticket") == int64(7) }},
		"unknown twice":       {`"ticket": 7, "ticket": 8`, func(r *core.Record) bool { return r.Extra.Get("ticket") == int64(8) }},
		"name taken":          {`"extra": {"a": 1}, "a": 2`, func(r *core.Record) bool { return r.Extra.Get("a") == int64(1) && r.Extra.Get("a_") == int64(2) }},
		"exception number":    {`"exception_name": 5`, func(r *core.Record) bool { return r.Exception != nil && r.Exception.Name == "5" }},
	} {
		t.Run(name, func(t *testing.T) {
			r := decode(t, []byte(frame+c.member+"}"))
			if !c.check(r) {
				t.Errorf("%s gives %+v", c.member, r)
			}
		})
	}
}

func TestBytesThatAreNoRecordAreRejectedWithAReason(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65)
	for _, c := range []struct{ body, reason string }{
		{"", wire.ReasonEmpty},
		{"\ufeff", wire.ReasonEmpty},
		{`[{"msg":"m"}]`, wire.ReasonNotObject},
		{`"text"`, wire.ReasonNotObject},
		{`17`, wire.ReasonNotObject},
		{`null`, wire.ReasonNotObject},
		{`not JSON`, wire.ReasonMalformed},
		{`{`, wire.ReasonMalformed},
		{`{"a"`, wire.ReasonMalformed},
		{`{"a":`, wire.ReasonMalformed},
		{`{"a":1`, wire.ReasonMalformed},
		{`{"a":1,`, wire.ReasonMalformed},
		{`{"a":1,}`, wire.ReasonMalformed},
		{`{"a":01}`, wire.ReasonMalformed},
		{`{"a":-}`, wire.ReasonMalformed},
		{`{"a":1.}`, wire.ReasonMalformed},
		{`{"a":1e}`, wire.ReasonMalformed},
		{`{"a":"\x"}`, wire.ReasonMalformed},
		{`{"a":"\u12"}`, wire.ReasonMalformed},
		{`{"a":"\`, wire.ReasonMalformed},
		{`{"a":[1 2]}`, wire.ReasonMalformed},
		{`{a:1}`, wire.ReasonMalformed},
		{`{"msg":"m","level":11} {}`, wire.ReasonMalformed},
		{`{}`, wire.ReasonUnknown},
		{`{"a":1}`, wire.ReasonUnknown},
		{deep, wire.ReasonTooDeep},
		{strings.Repeat("[", 100_000), wire.ReasonTooDeep},
		{`{"extra":` + deep + `}`, wire.ReasonTooDeep},
		{`{"args":[` + strings.Repeat("0,", wire.MaxValues) + `0]}`, wire.ReasonTooMany},
	} {
		_, err := wire.Decode([]byte(c.body))
		if err == nil {
			t.Errorf("%.60s was accepted", c.body)
		} else if got := reason(t, err); got != c.reason {
			t.Errorf("%.60s: %v, want reason %q", c.body, err, c.reason)
		}
	}
}

func TestALargeBodyIsRejectedUnread(t *testing.T) {
	_, err := decoder(t, wire.Options{MaxSize: 100}).Decode([]byte(`{"msg":"` + strings.Repeat("x", 100) + `"}`))
	if got := reason(t, err); got != wire.ReasonTooLarge {
		t.Errorf("reason %q", got)
	}
	if want := "record rejected: too large: 110 bytes, the limit is 100"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestWhatPythonWritesAndJSONForbidsIsRead(t *testing.T) {
	r := decode(t, []byte(`{"msg":"a\ud83d\ude00\udcff\u00e4","level":11,"extra":{"n":NaN,"i":[Infinity,-Infinity],"s":"NaN"},"channel":"raw`+"\x00\n\xff"+`"}`))
	if r.Msg != "a\U0001f600\ufffdä" || r.Channel != "raw\x00\n\ufffd" || r.Extra.Get("s") != "NaN" {
		t.Errorf("%+v", r)
	}
	if n, ok := r.Extra.Get("n").(float64); !ok || !math.IsNaN(n) {
		t.Errorf("n = %v", r.Extra.Get("n"))
	}
}

func TestTheFractionOfATimeIsReadAsTheSenderMeansIt(t *testing.T) {
	body := []byte(`{"channel":"c","msg":"m","level":11,"time":"2026-11-20T21:21:05.5Z"}`)
	r := decode(t, body)
	if got := r.Time.Nanosecond(); got != 5000 {
		t.Errorf("Logbook: %d ns, want 5000", got)
	}
	r, err := decoder(t, wire.Options{DecimalFraction: true, Zone: time.FixedZone("", 3600)}).Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 20, 20, 21, 5, 5e8, time.UTC); !r.Time.Equal(want) {
		t.Errorf("%v, want %v", r.Time, want)
	}
}
