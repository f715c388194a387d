package wire_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// session returns the records of a captured stream and the reasons of those
// that were rejected.
func session(t *testing.T, name string) (records []*core.Record, rejected []string, end wire.Format) {
	t.Helper()
	stream, err := os.ReadFile("testdata/cutelog/" + name)
	if err != nil {
		t.Fatal(err)
	}
	frames := wire.NewFrames(decoder(t, wire.Options{}))
	r := frame.NewReader(bytes.NewReader(stream), frame.Length(wire.DefaultMaxSize), wire.DefaultMaxSize)
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, rejected, frames.Format()
		}
		if err != nil {
			t.Fatal(err)
		}
		record, err := frames.Decode(b)
		switch {
		case err != nil:
			rejected = append(rejected, reason(t, err))
		case record != nil:
			records = append(records, record)
		}
	}
}

func TestAllFormatsOfCutelogSayTheSame(t *testing.T) {
	for name, format := range map[string]wire.Format{
		"001-json.stream": wire.FormatJSON, "002-msgpack.stream": wire.FormatMessagePack, "003-cbor.stream": wire.FormatCBOR,
	} {
		t.Run(name, func(t *testing.T) {
			records, rejected, end := session(t, name)
			if len(records) != 3 || len(rejected) != 0 || end != format {
				t.Fatalf("%d records, rejected %v, format %d", len(records), rejected, end)
			}
			checkSummary(t, records[0], summary{level: core.LevelInfo, channel: "app.db", message: "hello", time: "2023-11-14T22:13:20.25Z", extra: "extra_column=x"})
			checkSummary(t, records[1], summary{level: core.LevelWarning, channel: "app", message: "uses message", time: "2023-11-14T22:13:21Z", extra: "flag=true"})
			checkSummary(t, records[2], summary{level: core.LevelError, message: "Räk ☃ 😀\nline 2", failure: "ValueError|x|Traceback..."})
			equal(t, "nested", records[1].Extra.Get("nested"), map[string]any{"a": []any{int64(1), int64(2)}})
		})
	}
}

func TestABrokenFrameOrCommandCostsNoOther(t *testing.T) {
	for name, want := range map[string]int{"005-pickle-protocols.stream": 6, "007-utf8-json.stream": 1} {
		records, rejected, _ := session(t, name)
		if len(records) != want || len(rejected) != 0 {
			t.Errorf("%s: %d records, rejected %v", name, len(records), rejected)
		}
	}
	records, rejected, end := session(t, "006-mixed.stream")
	if len(records) != 4 || len(rejected) != 1 || rejected[0] != wire.ReasonMalformed || end != wire.FormatPickle {
		t.Errorf("%d records, rejected %v, format %d", len(records), rejected, end)
	}
}

func TestARecordOverExecnet(t *testing.T) {
	body, err := os.ReadFile("testdata/logbook-multiprocessing/018-execnet-dict.execnet")
	if err != nil {
		t.Fatal(err)
	}
	r, err := decoder(t, wire.Options{}).DecodeExecnet(body)
	if err != nil {
		t.Fatal(err)
	}
	checkSummary(t, r, summary{
		level: core.LevelError, channel: "chan", message: "rec a", time: "2026-11-20T21:04:00.224055Z", extra: "k=1",
		failure: "builtins.ValueError|boom|Traceback (most recent call last):",
	})
	for _, bad := range [][]byte{nil, body[:20]} {
		_, err = decoder(t, wire.Options{}).DecodeExecnet(bad)
		reason(t, err)
	}
}
