package pipe

import (
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func TestAnEntryOfTheJournalBecomesARecord(t *testing.T) {
	d, err := wire.NewDecoder(wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Decoder: d}
	r, err := o.journalRecord([]byte(`{"PRIORITY": "3", "SYSLOG_IDENTIFIER": "backup", "MESSAGE": [100, 105, 115, 107, 255],
		"_PID": "77", "_COMM": "tar", "_HOSTNAME": "box", "_SYSTEMD_UNIT": "backup.service", "__REALTIME_TIMESTAMP": "1795208428370320",
		"CODE_FILE": "a.c", "CODE_LINE": "12", "ORDER": "4711", "_TRANSPORT": "journal", "SYSLOG_FACILITY": "3"}`))
	if err != nil {
		t.Fatal(err)
	}
	if r.Level != core.LevelError || r.Channel != "backup" || r.Message() != "disk\ufffd" || r.Process != (core.Process{ID: 77, Name: "tar"}) ||
		r.Site.Line != 12 || !r.Time.Equal(time.UnixMicro(1795208428370320)) {
		t.Errorf("%+v", r)
	}
	if len(r.Extra) != 3 || r.Extra.Get("host") != "box" || r.Extra.Get("unit") != "backup.service" || r.Extra.Get("order") != "4711" {
		t.Errorf("%v", r.Extra)
	}
	r, err = o.journalRecord([]byte(`{"PRIORITY": "6", "_COMM": "app", "MESSAGE": "{\"level\": \"error\", \"message\": \"inner\", \"time\": \"2026-11-20T12:00:00Z\"}"}`))
	if err != nil || r.Level != core.LevelError || r.Message() != "inner" || r.Channel != "app" {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := o.journalRecord([]byte(`{"PRIORITY": `)); err == nil {
		t.Error("broken JSON is a record")
	}
}
