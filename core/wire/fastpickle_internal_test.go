package wire

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core"
)

// compare fails if the short cut makes another record of a pickle than the long way.
func compare(t *testing.T, body []byte) (taken bool) {
	t.Helper()
	fast, ok := stdlibPickle(body, new(memory))
	if !ok {
		return false
	}
	slow, err := standard.anyPickle(body)
	if err != nil {
		t.Fatalf("only the short cut reads %q: %v", body, err)
	}
	same(t, body, slow, fast)
	return true
}

func TestTheShortCutMakesTheSameRecords(t *testing.T) {
	files, err := filepath.Glob("testdata/stdlib-socket/*.frame")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	taken := 0
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if compare(t, body[4:]) {
			taken++
		}
	}
	if taken < len(files)/2 {
		t.Errorf("the short cut was taken for %d of %d", taken, len(files))
	}
}

// same fails if two records of body differ.
func same(t *testing.T, body []byte, slow, fast *core.Record) {
	t.Helper()
	if d := cmp.Diff(slow, fast, cmpopts.IgnoreUnexported(core.Record{}), cmpopts.EquateEmpty(), cmpopts.EquateNaNs(),
		cmpopts.SortSlices(func(a, b core.Field) bool { return a.Key < b.Key })); d != "" {
		t.Fatalf("%q (-slow +fast):\n%s", body, d)
	}
	if slow.Message() != fast.Message() {
		t.Fatalf("%q: message %q, want %q", body, fast.Message(), slow.Message())
	}
}

// compareJSON is compare for JSON.
func compareJSON(t *testing.T, body []byte) (taken bool) {
	t.Helper()
	body, err := standard.checked(body)
	if err != nil {
		return false
	}
	p := parser{scanner: newScanner(body, DefaultMaxDepth, MaxValues), r: new(core.Record)}
	p.memory = new(memory)
	if p.space() != '{' {
		return false
	}
	fast, ok := p.stdlibJSON()
	if !ok || fast == nil {
		return false
	}
	q := newScanner(body, DefaultMaxDepth, MaxValues)
	q.memory = new(memory)
	q.space()
	f, err := q.fields()
	if err != nil {
		t.Fatalf("only the short cut reads %q: %v", body, err)
	}
	slow, err := standard.FromFields(f)
	if err != nil {
		t.Fatalf("only the short cut reads %q: %v", body, err)
	}
	same(t, body, slow, fast)
	return true
}

func TestTheShortCutMakesTheSameRecordsOfJSON(t *testing.T) {
	files, err := filepath.Glob("testdata/cookbook-*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !compareJSON(t, body) {
			t.Errorf("the short cut is not taken for %s", name)
		}
	}
}

func FuzzShortCutJSON(f *testing.F) {
	files, err := filepath.Glob("testdata/cookbook-zmq/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) { compareJSON(t, body) })
}

func FuzzShortCut(f *testing.F) {
	files, err := filepath.Glob("testdata/stdlib-socket/*.frame")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(body) < 2048 {
			f.Add(body[4:])
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { compare(t, body) })
}
