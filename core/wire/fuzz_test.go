package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/wire"
)

// FuzzDecode looks for input that makes the decoder fail in any other way than
// with a reason, and for records that do not survive being sent on.
func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f, "logbook-zmq-pub", "logbook-seed04", "cookbook-zmq", "logbook-redishandler", "hostile") {
		if len(x.body) < 4096 {
			f.Add(x.body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := wire.Decode(body)
		if err != nil {
			reason(t, err)
			return
		}
		out, err := wire.Append(nil, r)
		if err != nil {
			reason(t, err)
			return
		}
		if !json.Valid(out) {
			t.Fatalf("not JSON: %s", out)
		}
		again, err := wire.Decode(out)
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		out2, err := wire.Append(nil, again)
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != string(out2) {
			t.Fatalf("changes from\n%s to\n%s", out, out2)
		}
	})
}
