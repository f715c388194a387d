package web

import "testing"

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
