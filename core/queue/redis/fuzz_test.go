package redis

import (
	"testing"

	goredis "github.com/redis/go-redis/v9"
)

// FuzzEntries looks for an entry of a stream, or an element of a list, that is neither a record nor
// rejected with a reason.
func FuzzEntries(f *testing.F) {
	f.Add("1700000000000-3", "record", `{"channel":"c","level":11,"msg":"m"}`, "redelivered", "1")
	f.Add("x", "message", "hello", "level", "INFO")
	f.Add("-", "record", "", "", "")
	f.Add("18446744073709551616-1", "body", `{"msg": "m", "level": 11}`, "body", "7")
	f.Fuzz(func(t *testing.T, id, one, first, two, second string) {
		o, _, err := Options{URI: "redis://localhost", Mode: Stream}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		r := &Receiver{opts: o}
		m := r.entry(goredis.XMessage{ID: id, Values: map[string]any{one: first, two: second}}, false)
		if (m.Record == nil) == (m.Err == nil) {
			t.Fatalf("%+v", m)
		}
		r.opts.Mode = Consume
		if m := r.message([]byte(first)); (m.Record == nil) == (m.Err == nil) {
			t.Fatalf("%+v", m)
		}
	})
}
