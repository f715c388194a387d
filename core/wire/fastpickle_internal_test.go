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
	fast, ok := standard.stdlibPickle(body)
	if !ok {
		return false
	}
	slow, err := standard.anyPickle(body)
	if err != nil {
		t.Fatalf("only the short cut reads %q: %v", body, err)
	}
	if d := cmp.Diff(slow, fast, cmpopts.IgnoreUnexported(core.Record{}), cmpopts.EquateEmpty(), cmpopts.EquateNaNs(),
		cmpopts.SortSlices(func(a, b core.Field) bool { return a.Key < b.Key })); d != "" {
		t.Fatalf("%q (-slow +fast):\n%s", body, d)
	}
	if slow.Message() != fast.Message() {
		t.Fatalf("%q: message %q, want %q", body, fast.Message(), slow.Message())
	}
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
