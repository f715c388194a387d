package pipe

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
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

// journalFile unpacks a journal that systemd-journald has written.
func journalFile(t *testing.T) string {
	t.Helper()
	packed, err := os.Open("testdata/shop.journal.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "shop.journal")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(file, z)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAJournalOfSystemdIsRead(t *testing.T) {
	args := []string{"journalctl", "--file=" + journalFile(t), "--output=json", "--all", "--no-pager"}
	c, err := command(t.Context(), args, Options{}, Options.journal)
	if err != nil {
		t.Fatalf("%v (systemd is installed by: packaging/setup test)", err)
	}
	s := queue.NewSubscriber(c, queue.Options{Name: "journal"})
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []*core.Record
	for {
		r, err := s.Recv(ctx)
		if errors.Is(err, queue.ErrClosed) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.Channel, "systemd") {
			got = append(got, r)
		}
	}
	if len(got) != 5 {
		t.Fatalf("%d records; %+v", len(got), s.Status())
	}
	for i, want := range []string{"INFO shop: hello from the journal", "ERROR shop: failed", "WARNING raw: bytes \ufffd\x00", "ERROR app: inner", "DEBUG long: xxx"} {
		if have := got[i].Level.String() + " " + got[i].Channel + ": " + got[i].Message(); !strings.HasPrefix(have, want) {
			t.Errorf("%d: %.60q, want %q", i, have, want)
		}
		if got[i].Extra.Get("host") != "box" || got[i].Process.Name != "python3" || got[i].Time.IsZero() {
			t.Errorf("%d: %+v", i, got[i])
		}
	}
	if got[0].Extra.Get("order") != "4711" {
		t.Errorf("%v", got[0].Extra)
	}
	if e := got[1]; e.Exception == nil || e.Exception.Name != "ValueError" || e.Site != (core.Site{File: "x.py", Line: 1, Function: "f"}) {
		t.Errorf("%+v %+v", e.Exception, e.Site)
	}
	if n := len(got[4].Message()); n != 20_000 {
		t.Errorf("%d bytes of 20000", n)
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"PRIORITY": "3", "SYSLOG_IDENTIFIER": "backup", "MESSAGE": [100, 105, 255], "_PID": "77", "__REALTIME_TIMESTAMP": "1795208428370320", "ORDER": ["a", "b"]}`))
	f.Add([]byte(`{"PRIORITY": "6", "MESSAGE": "{\"level\": \"error\", \"message\": \"inner\"}", "CODE_LINE": "99999999999999999999"}`))
	f.Add([]byte(`{"MESSAGE": [], "A": [[]], "B": [1, "x"], "C": {}, "D": null}`))
	d, err := wire.NewDecoder(wire.Options{})
	if err != nil {
		f.Fatal(err)
	}
	o := Options{Decoder: d}
	f.Fuzz(func(t *testing.T, entry []byte) {
		r, err := o.journalRecord(entry)
		if (r == nil) == (err == nil) {
			t.Fatalf("%v, %v", r, err)
		}
	})
}
