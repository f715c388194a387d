package web

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/wire"
)

func FuzzForm(f *testing.F) {
	d, err := wire.NewDecoder(wire.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, form string) {
		if r, err := decodeForm(d, form); (r == nil) == (err == nil) {
			t.Fatalf("record %v, error %v", r, err)
		}
	})
}

func FuzzArgs(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		switch v := parseArgs(text).(type) {
		case nil, map[string]any:
		case []any:
			if len(v) == 0 {
				t.Fatal("arguments without any")
			}
		default:
			t.Fatalf("%T", v)
		}
	})
}

func FuzzSplit(f *testing.F) {
	const limit = 100
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := split(body, limit)
		if err != nil {
			return
		}
		size := 0
		for _, p := range parts {
			size += len(p)
		}
		if len(parts) > limit || size > len(body) {
			t.Fatalf("%d parts of %d bytes, of %d", len(parts), size, len(body))
		}
	})
}
