package wire_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// numbered is a record whose parts tell its number.
func numbered(i int) []byte {
	return fmt.Appendf(nil, `{"channel": "c%[1]d", "level": 11, "msg": "{}", "args": [%[1]d, [%[1]d, [%[1]d]]], "kwargs": {"k": %[1]d}, "extra": {"a": %[1]d, "b": "%[1]d"}}`, i)
}

// check says what in a record is not of that number.
func check(r *core.Record, i int) string {
	n := int64(i)
	return cmp.Diff([]any{
		fmt.Sprint("c", i),
		[]any{n, []any{n, []any{n}}},
		core.Fields{{Key: "k", Value: n}},
		core.Fields{{Key: "a", Value: n}, {Key: "b", Value: fmt.Sprint(i)}},
	}, []any{r.Channel, r.Args, r.Kwargs, r.Extra})
}

func TestRecordsThatAreMadeTogetherHaveNothingInCommon(t *testing.T) {
	var records []*core.Record
	for i := range 100 {
		r, err := wire.Decode(numbered(i))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
		if i%3 == 0 { // what cannot be read leaves nothing behind
			if _, err := wire.Decode(numbered(i)[:len(numbered(i))-1-i%60]); err == nil {
				t.Fatal("half a record was read")
			}
		}
	}
	for i, r := range records {
		if diff := check(r, i); diff != "" {
			t.Fatalf("record %d: %s", i, diff)
		}
		r.Extra.Set("more", true)
		r.Kwargs.Set("more", true)
		r.Args = append(r.Args, "more")
		r.Channel = "another"
	}
	for i, r := range records {
		if len(r.Extra) != 3 || r.Extra[0].Value != int64(i) || len(r.Args) != 3 || r.Args[0] != int64(i) {
			t.Fatalf("record %d was changed with another: %v %v", i, r.Args, r.Extra)
		}
	}
}

func TestManyDecodeAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				n := g*1000 + i
				r, err := wire.Decode(numbered(n))
				if err != nil {
					t.Error(err)
					return
				}
				if diff := check(r, n); diff != "" {
					t.Error(diff)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestALargeRecordIsMadeOnItsOwn(t *testing.T) {
	body := []byte(`{"channel": "c", "level": 11, "msg": "m", "args": [` + strings.Repeat("1, ", 10_000) + `1], "extra": {}}`)
	large, err := wire.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	next, err := wire.Decode(numbered(7))
	if err != nil {
		t.Fatal(err)
	}
	if len(large.Args) != 10_001 || cap(large.Args) != len(large.Args) {
		t.Errorf("%d values in an array of %d", len(large.Args), cap(large.Args))
	}
	if diff := check(next, 7); diff != "" {
		t.Error(diff)
	}
}
