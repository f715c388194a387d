package line

import (
	"strings"
	"testing"
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
