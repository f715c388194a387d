package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// FuzzDecode looks for input that makes the decoder fail in any other way than
// with a reason, and for records that do not survive being sent on.
func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f, "logbook-zmq-pub", "logbook-seed04", "cookbook-zmq", "logbook-redishandler", "hostile") {
		if len(x.body) < 4096 {
			f.Add(x.body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := wire.Decode(body)
		if err != nil {
			reason(t, err)
			return
		}
		out, err := wire.Append(nil, r)
		if err != nil {
			reason(t, err)
			return
		}
		if !json.Valid(out) {
			t.Fatalf("not JSON: %s", out)
		}
		again, err := wire.Decode(out)
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		out2, err := wire.Append(nil, again)
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != string(out2) {
			t.Fatalf("changes from\n%s to\n%s", out, out2)
		}
	})
}

// FuzzFrames looks for a conversation that makes the decoder of a connection fail in any
// other way than with a reason, or forget what it has agreed on.
func FuzzFrames(f *testing.F) {
	for _, x := range fixturesOf(f, []string{".stream"}, "cutelog", "stdlib-socket") {
		f.Add(x.body)
	}
	d := decoder(f, wire.Options{MaxSize: 1 << 16})
	f.Fuzz(func(t *testing.T, stream []byte) {
		frames := wire.NewFrames(d)
		messages := frame.NewReader(bytes.NewReader(stream), frame.Length(1<<16), 1<<16)
		for {
			m, err := messages.Next()
			if err != nil {
				return
			}
			before := frames.Format()
			r, err := frames.Decode(m)
			if err != nil {
				reason(t, err)
			}
			if (r != nil || err != nil) && frames.Format() != before {
				t.Fatalf("%q changes the format", m)
			}
		}
	})
}

// FuzzDialects looks for an object that one of the dialects cannot stand.
func FuzzDialects(f *testing.F) {
	names := wire.Dialects()
	for i, line := range []string{
		`{"time":"2024-05-01T12:00:00Z","level":"INFO","source":{"function":"f","file":"a.go","line":12},"msg":"m"}`,
		`{"@t":"2016-06-07T03:44:57Z","@mt":"Hello, {User} {Count:000}","@l":"Warning","@x":"E: a\r\n at x","User":"n","Count":3}`,
		`{"log":"{\"level\":\"warn\",\"ts\":1,\"msg\":\"inner\"}\n","stream":"stderr","time":"2019-01-01T11:11:11Z"}`,
		`{"@timestamp":"2024-05-01T10:00:00Z","message":"m","log":{"level":"info","origin":{"file":{"line":48}}},"a":{"b":{"c":{"d":{"e":1}}}}}`,
		`{"level":50,"time":1714557600123,"pid":657,"err":{"type":"T","message":"x","stack":"T: x\n at"},"msg":"x"}`,
		`{"level":"error","stack":[{"func":"inner","line":"20","source":"errors.go"},7],"error":"e","time":1609086683,"message":"failed"}`,
		`{"__REALTIME_TIMESTAMP":"1795208428370320","MESSAGE":[1,2,3],"PRIORITY":"9"}`,
	} {
		f.Add([]byte(line), i, i%2 == 0)
	}
	var all []*wire.Decoder
	for _, mapped := range []map[string]string{nil, {"level": "a", "message": "b.c", "time": "level", "channel": "msg", "formatted_exception": "time"}} {
		for _, name := range names {
			all = append(all, decoder(f, wire.Options{Dialect: name, Map: mapped}))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, which int, mapped bool) {
		which = int(uint(which) % uint(len(names)))
		if mapped {
			which += len(names)
		}
		r, err := all[which].Decode(body)
		if err != nil {
			reason(t, err)
			return
		}
		if _, err := wire.Append(nil, r); err != nil {
			reason(t, err)
		}
	})
}
