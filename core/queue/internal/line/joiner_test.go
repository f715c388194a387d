package line_test

import (
	"os"
	"path/filepath"
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
	got := join(strings.Split(in, "\n"))
	trace := in[strings.Index(in, "ERROR"):strings.Index(in, "\nnext")]
	if diff := cmp.Diff([]string{"starting", trace, "next\n\tindented", "last"}, got); diff != "" {
		t.Error(diff)
	}
	if e := line.Exception(trace); e.Name != "ValueError" || e.Message != "b: c" {
		t.Errorf("%+v", e)
	}
}

// join puts lines together.
func join(lines []string) (got []string) {
	var j line.Joiner
	for _, text := range lines {
		if done, ok := j.Add(text); ok {
			got = append(got, done)
		}
	}
	if done, ok := j.Flush(); ok {
		got = append(got, done)
	}
	return got
}

// The files are what programs of these languages have written; %% stands between two records.
func TestWhatProgramsSayAtTheirEndIsOneRecord(t *testing.T) {
	for language, want := range map[string][]string{
		"python": {"", "ValueError: boom", "", "ExceptionGroup: several (2 sub-exceptions)", "SyntaxError: invalid syntax"},
		"go":     {"panic: assignment to entry in nil map", "panic: boom 3: inner", ""},
		"node":   {"SyntaxError: Expected property name or '}' in JSON at position 1", "ShopError: boom\nsecond line"},
		"java":   {"java.lang.RuntimeException: logged", "", "java.lang.IllegalStateException: boom\nsecond"},
	} {
		t.Run(language, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", language+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			records := strings.Split(strings.TrimSpace(string(file)), "\n%%\n")
			got := join(strings.Split(strings.Join(records, "\n"), "\n"))
			if diff := cmp.Diff(records, got); diff != "" {
				t.Fatal(diff)
			}
			var exceptions []string
			for _, text := range got {
				said := ""
				if e := line.Exception(text); e != nil {
					said = e.Name + ": " + e.Message
					if !strings.HasSuffix(text, e.Traceback) || !strings.Contains(e.Traceback, e.Name) && e.Name != "panic" {
						t.Errorf("traceback %q", e.Traceback)
					}
				}
				exceptions = append(exceptions, said)
			}
			if diff := cmp.Diff(want, exceptions); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAWordAboutAnExceptionIsNotTheBeginningOfATraceback(t *testing.T) {
	lines := []string{
		"java.io.IOException: disk full", "INFO next", "panic: no", "2026/11/21 12:00:00 next", "at home (really)", "Caused by: nobody",
		"see a.b.SomeException: there", "x.go:3: not formatted", "Node.js v20 is here", "}",
	}
	if diff := cmp.Diff(lines, join(lines)); diff != "" {
		t.Error(diff)
	}
	for _, text := range lines {
		if e := line.Exception(text + "\n" + text); e != nil {
			t.Errorf("%q: %+v", text, e)
		}
	}
	if e := line.Exception("waiting\ngoroutine 7 [select]:\nmain.main()\n\t/srv/shop/main.go:3"); e != nil {
		t.Errorf("a stack without a panic: %+v", e)
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
