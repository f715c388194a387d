package line

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// FuzzJoiner looks for lines that get lost, change their order, or pile up.
func FuzzJoiner(f *testing.F) {
	f.Add("a\n b\nTraceback (most recent call last):\n  File \"x\"\nValueError: no\nnext", uint8(3))
	f.Add("Traceback (most recent call last):\n  a\nE: 1\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  b\nF: 2\n\n\nend", uint8(0))
	f.Add("\n\n \n\t\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, every uint8) {
		var j Joiner
		var got []string
		keep := func(done string, ok bool) {
			if len(done) > maxJoined+len(text) {
				t.Fatalf("%d bytes", len(done))
			}
			if ok {
				got = append(got, strings.Split(done, "\n")...)
			}
		}
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			keep(j.Add(line))
			if every > 0 && i%int(every) == 0 {
				keep(j.Flush())
			}
		}
		keep(j.Flush())
		if _, ok := j.Flush(); ok {
			t.Fatal("there is more after Flush")
		}
		if want, have := words(lines), words(got); want != have {
			t.Fatalf("have %q, want %q", have, want)
		}
		_ = Exception(strings.Join(got, "\n"))
		for _, line := range lines {
			LevelOf(line, 0)
		}
	})
}

// words is text without blank lines and what is blank at their ends.
func words(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if strings.TrimSpace(line) != "" {
			b.WriteString(strings.TrimSpace(line) + "\n")
		}
	}
	return b.String()
}

// FuzzRecord looks for a line that has text and makes no record, or one that cannot be shown.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{`{"level": "error", "message": "a"}`, "2026-11-20 12:00:00 ERROR shop: no", "[warning] x", "  {not json", "fatal: x", "\xff\xfe", "\t \r"} {
		f.Add([]byte(s))
	}
	d, err := wire.NewDecoder(wire.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		blank := len(bytes.TrimRight(text, " \t\r\n")) == 0
		r := Record(d, text, "c", core.LevelInfo)
		if (r == nil) != blank {
			t.Fatalf("%+v", r)
		}
		if r != nil && !utf8.ValidString(r.Message()) {
			t.Fatalf("%q", r.Message())
		}
	})
}
