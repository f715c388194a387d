package syslog

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func options(tb testing.TB) Options {
	tb.Helper()
	d, err := wire.NewDecoder(wire.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return Options{Decoder: d, Zone: time.UTC, MaxMessageSize: 1000}
}

// messages are what Python's logging, its cookbook and Logbook 0.4 and 1.5 send.
func messages(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/messages/*")
	if err != nil || len(files) == 0 {
		tb.Fatal(files, err)
	}
	out := make(map[string][]byte)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(f)] = data
	}
	return out
}

func FuzzParse(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m)
	}
	o := options(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := o.parse(data, time.Unix(1_800_000_000, 0))
		if (r == nil) == (err == nil) {
			t.Fatalf("record %v, error %v", r, err)
		}
		if r != nil && !utf8.ValidString(r.Msg) {
			t.Errorf("%q", r.Msg)
		}
	})
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("7 <11>a\nb8 <11>ccc\n\n6 <11>dd"))
	f.Add([]byte("<11>a\nb\x00<11>ccc\x00<11>dd"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, split := range []func([]byte, bool) (int, []byte, error){counted(1000), separated(1000), cut(1000)} {
			for rest := data; len(rest) > 0; {
				n, m, err := split(rest, true)
				if err != nil {
					break
				}
				if n < len(m) || n > len(rest) || n == 0 {
					t.Fatalf("stepped over %d of %d with a message of %d", n, len(rest), len(m))
				}
				rest = rest[n:]
			}
		}
	})
}

func FuzzJoin(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m)
	}
	o := options(f)
	o.Join = time.Second
	f.Fuzz(func(t *testing.T, data []byte) {
		j := newJoiner(o)
		now := time.Unix(1_800_000_000, 0)
		lines := bytes.Split(data, []byte{'\n'})
		for _, line := range lines {
			j.add(queue.Message{Body: line, Peer: "p"}, now)
			now = now.Add(time.Millisecond)
		}
		j.expire(forever)
		if len(j.queue) != 0 || len(j.open) != 0 || j.bytes != 0 {
			t.Fatalf("%d wait, %d are open, %d bytes", len(j.queue), len(j.open), j.bytes)
		}
		out := make([]queue.Message, len(lines)+1)
		n := j.take(out)
		if n == 0 || n > len(lines) {
			t.Fatalf("%d records of %d lines", n, len(lines))
		}
		size := len(lines) - n
		for _, m := range out[:n] {
			size += len(m.Body) - bytes.Count(m.Body, []byte{'\n'})
			if (m.Record == nil) == (m.Err == nil) {
				t.Fatalf("record %v, error %v", m.Record, m.Err)
			}
		}
		if want := len(data) - (len(lines) - 1) + len(lines) - n; size != want {
			t.Fatalf("%d bytes came out of %d", size, want)
		}
	})
}

func TestMessagesOfPythonKeepTheirTextAndName(t *testing.T) {
	o := options(t)
	for name, raw := range messages(t) {
		r, err := o.parse(raw, time.Now())
		if err != nil {
			continue // an empty message
		}
		if r.Level == 0 || r.Extra.Get("facility") == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for name, want := range map[string]string{
		"logbook-syslog-v04-006-udp-critical.dgram":        "app.db: a critical message",
		"logbook-syslog-v153-003-udp-notice.dgram":         "app.db: a notice message",
		"cookbook-syslog5424-py311-006-sd-empty.dgram":     ": empty sd",
		"cookbook-syslog5424-py311-013-no-nul-ident.dgram": "id: a info message",
	} {
		r, err := o.parse(messages(t)[name], time.Now())
		if err != nil {
			t.Fatal(name, err)
		}
		if got := r.Channel + ": " + r.Message(); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
