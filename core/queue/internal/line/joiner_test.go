package line_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
)

func TestTracebacksAreJoinedToTheLineBefore(t *testing.T) {
	in := `starting
ERROR:root:failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    x()
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 2, in <module>
ValueError: b: c
next
	indented
last`
	var got []string
	var j line.Joiner
	for text := range strings.SplitSeq(in, "\n") {
		if done, ok := j.Add(text); ok {
			got = append(got, done)
		}
	}
	if done, ok := j.Flush(); ok {
		got = append(got, done)
	}
	trace := in[strings.Index(in, "ERROR"):strings.Index(in, "\nnext")]
	if diff := cmp.Diff([]string{"starting", trace, "next\n\tindented", "last"}, got); diff != "" {
		t.Error(diff)
	}
	if e := line.Exception(trace); e.Name != "ValueError" || e.Message != "b: c" {
		t.Errorf("%+v", e)
	}
}

func TestWhatIsJoinedIsBounded(t *testing.T) {
	var j line.Joiner
	for range 10_000 {
		if done, ok := j.Add(" " + strings.Repeat("x", 100)); ok {
			if len(done) > 300<<10 {
				t.Errorf("%d bytes", len(done))
			}
			return
		}
	}
	t.Error("it never ends")
}
