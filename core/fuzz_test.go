package core_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core"
)

// FuzzFromDict: whatever a sender puts into the dictionary of a record, what is read
// from it can be used, and is the same again after a round.
func FuzzFromDict(f *testing.F) {
	for _, seed := range []string{
		`{"msg": "order {0} of {name}", "args": [4711], "kwargs": {"name": "ann"}, "level": 5, "channel": "shop"}`,
		`{"message": "done", "level": "WARN", "time": "2026-11-20T21:21:05.42Z", "extra": {"a": {"b": [1, null, true]}}}`,
		`{"level": 14, "exception_name": "x.Y", "exception_message": "m", "formatted_exception": "Traceback", "lineno": "12"}`,
		`{"msg": null, "time": 1e18, "process": "17", "thread": -1, "greenlet": 1.5, "extra": 7, "extra_": 8}`,
		`{"msg": ["{0:>9999}"], "args": {"0": 1}, "kwargs": [1], "heavy_initialized": "yes", "frame_correction": 2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d map[string]any
		if json.Unmarshal(data, &d) != nil {
			return
		}
		r, err := core.FromDict(d)
		if err != nil {
			if r != nil || !errors.Is(err, core.ErrNotARecord) {
				t.Fatalf("%v with %v", r, err)
			}
			return
		}
		again, err := core.FromDict(r.ToDict())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again, cmpopts.IgnoreUnexported(core.Record{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after a round (-first +second):\n%s", diff)
		}
		if got, want := again.Message(), r.Message(); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	})
}
