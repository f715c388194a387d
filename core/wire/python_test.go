package wire_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// readRecords reads a JSON record from each line of stdin as Logbook's
// subscribers do, dispatches it to a handler that formats it, and prints what it
// has come to.
const readRecords = `
import json, sys
try:
    import logbook
except ImportError:
    sys.exit("no logbook")
handler = logbook.TestHandler(format_string="{record.time:%Y-%m-%dT%H:%M:%S.%f} {record.level_name} {record.channel}: {record.message}")
with handler.applicationbound():
    for line in sys.stdin:
        record = logbook.LogRecord.from_dict(json.loads(line))
        record.heavy_init()
        print(json.dumps(record.to_dict(json_safe=True)))
        logbook.dispatch_record(record)
        print(json.dumps(handler.formatted_records[-1]))
`

// python returns the Python that Debian's python3-logbook belongs to.
func python() string {
	for _, p := range []string{os.Getenv("LOGBOOK_PYTHON"), "/usr/bin/python3"} {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return "python3"
}

// runPython runs a program of Python with the given input and returns its output.
func runPython(t *testing.T, program string, input []byte) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python(), "-c", program)
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\nThis test needs Python's Logbook: apt install python3-logbook, or set LOGBOOK_PYTHON to an interpreter that has it.",
			python(), err, stderr.String())
	}
	return out
}

func TestPythonsLogbookReadsWhatWeWrite(t *testing.T) {
	var want []*core.Record
	for _, f := range fixtures(t, "logbook-zmq-pub", "logbook-seed04", "cookbook-zmq") {
		if f.Case == "unsafe_nan" || f.Case == "big_numbers" {
			continue // not the same numbers in Python's own output
		}
		r := decode(t, f.body)
		if _, ok := r.Level.Name(); ok {
			want = append(want, r)
		}
	}
	want = append(want, &core.Record{Time: time.Unix(1700000000, 0).UTC()}, &core.Record{
		Level: core.LevelTrace, Channel: "go", Time: time.Date(2026, 1, 2, 3, 4, 5, 42000, time.UTC),
		Exception: &core.Exception{Name: "*fs.PathError", Message: "open x", Traceback: "a\nb"},
	})
	var bodies []byte
	for _, r := range want {
		var err error
		if bodies, err = wire.Append(bodies, r); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, '\n')
	}
	lines := strings.Split(strings.TrimSpace(string(runPython(t, readRecords, bodies))), "\n")
	if len(lines) != 2*len(want) {
		t.Fatalf("%d lines for %d records", len(lines), len(want))
	}
	for i, r := range want {
		if d := diff(r, decode(t, []byte(lines[2*i]))); d != "" {
			t.Errorf("%s changed (-sent +returned):\n%s", r.Msg, d)
		}
		stamp := r.Time.Format("2006-01-02T15:04:05.000000")
		if !strings.Contains(lines[2*i+1], stamp) || !strings.Contains(lines[2*i+1], r.Level.String()) {
			t.Errorf("formatted as %s, want %s %s", lines[2*i+1], stamp, r.Level)
		}
	}
}
