package datagram

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// FuzzDecode looks for a datagram that is neither a record nor rejected with a reason, or that
// makes more records than it has lines.
func FuzzDecode(f *testing.F) {
	for _, d := range []string{
		`{"level": "error", "message": "a"}`, "{\"msg\": \"a\"}\n{\"msg\": \"b\"}\nc\n", "WARNING: one\ntwo", "\x00\x00", "\x00\x00\x00\x02}q",
		"<11>shop[7]: sold out\x00", "<165>1 2026-11-20T21:01:52Z vm shop 7 ID [ex@1 a=\"b\"] é", "\x00\x00\x00\x16!!cutelog!!format=json",
	} {
		f.Add([]byte(d))
	}
	d, err := wire.NewDecoder(wire.Options{})
	if err != nil {
		f.Fatal(err)
	}
	o := Options{Decoder: d, Channel: "udp", Level: core.LevelInfo}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := 1
		for _, b := range data {
			if b == '\n' {
				lines++
			}
		}
		all := o.decode(data)
		if len(all) > lines {
			t.Fatalf("%d records of %d lines", len(all), lines)
		}
		for _, m := range all {
			if (m.Record == nil) == (m.Err == nil) || len(m.Body) > len(data) {
				t.Fatalf("%+v", m)
			}
		}
	})
}
