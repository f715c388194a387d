package wire_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/wire"
)

func BenchmarkDecodePickle(b *testing.B) {
	for _, f := range pickles(b, "stdlib-socket") {
		switch f.File {
		case "stdlib-socket/py311-002-level_info.frame", "stdlib-socket/py311-017-exc.frame", "stdlib-socket/py311-022-extra_simple.frame":
		default:
			continue
		}
		b.Run(f.Case, func(b *testing.B) {
			b.SetBytes(int64(len(f.body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.DecodePickle(f.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
