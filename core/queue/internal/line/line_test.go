package line_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func TestTheLevelOfALineIsNamedInIt(t *testing.T) {
	cases := map[string]core.Level{
		"2026-11-20 12:00:00,123 ERROR shop: payment declined": core.LevelError,
		"[warning] low disk":             core.LevelWarning,
		"error: no such file":            core.LevelError,
		"FATAL could not bind":           core.LevelCritical,
		"WARN x":                         core.LevelWarning,
		"CRIT: x":                        core.LevelCritical,
		"time=12:00 level=INFO msg=x":    core.LevelInfo,
		"no error was found":             core.LevelNotice,
		"error handling was changed":     core.LevelNotice,
		"listening on :8080":             core.LevelNotice,
		"":                               core.LevelNotice,
		"ÄÖÜ ☃ \xff\xfe":                 core.LevelNotice,
		"{\"not\": \"a record\", broken": core.LevelNotice,
	}
	for text, want := range cases {
		if got := line.LevelOf(text, core.LevelNotice); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestALineIsARecordOrPlainText(t *testing.T) {
	d, err := wire.NewDecoder(wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := line.Record(d, []byte(" {\"level\": \"error\", \"msg\": \"x\", \"time\": \"2026-11-20T12:00:00Z\"}\r\n"), "c", core.LevelInfo); r.Level != core.LevelError || r.Message() != "x" {
		t.Errorf("%+v", r)
	}
	if r := line.Record(d, []byte("{broken} \xff\r\n"), "c", core.LevelInfo); r.Message() != "{broken} \ufffd" || r.Channel != "c" || r.Level != core.LevelInfo {
		t.Errorf("%+v", r)
	}
	if r := line.Record(d, []byte(" \t\r\n"), "c", core.LevelInfo); r != nil {
		t.Errorf("%+v", r)
	}
}
