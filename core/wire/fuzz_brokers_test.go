package wire_test

import (
	"os"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

// FuzzMessages looks for a message of a broker, compressed or not, that is neither a record nor
// rejected with a reason.
func FuzzMessages(f *testing.F) {
	for _, x := range fixturesOf(f, []string{".body"}, "logbook-mq-amqp") {
		if len(x.body) < 4096 {
			f.Add(x.body, "", "application/json")
		}
	}
	f.Add([]byte(`{"channel":"c","level":11,"msg":"m","extra":{"t":{"__type__":"datetime","__value__":"2024-01-02"},"l":[{"__type__":"uuid","__value__":{"hex":"00"}}]}}`), "", "application/json")
	f.Add([]byte("x\x9c\xabV*.)\xca\xccKW\xb2R\xaa\x05\x00\x1c|\x04\x52"), "application/x-gzip", "application/json")
	f.Add([]byte("\x80\x02}q\x00X\x03\x00\x00\x00msgq\x01X\x01\x00\x00\x00mq\x02s."), "", kombu.TypePickle)
	d := decoder(f, wire.Options{MaxSize: 1 << 16})
	f.Fuzz(func(t *testing.T, body []byte, compression, contentType string) {
		r, err := d.DecodeCompressed(body, compression, contentType)
		if err != nil {
			reason(t, err)
			return
		}
		if _, err := wire.Append(nil, r); err != nil {
			reason(t, err)
		}
	})
}

// FuzzEnvelopes looks for an envelope of kombu that is neither a record nor rejected with a reason.
func FuzzEnvelopes(f *testing.F) {
	for _, x := range fixtures(f, "logbook-mq-redis", "logbook-mq-redis-kombu56") {
		if len(x.body) < 4096 {
			f.Add(x.body)
		}
	}
	d := decoder(f, wire.Options{MaxSize: 1 << 16})
	f.Fuzz(func(t *testing.T, envelope []byte) {
		if r, _, err := d.DecodeEnvelope(envelope); err != nil {
			reason(t, err)
		} else if r == nil {
			t.Fatal("no record")
		}
	})
}

// FuzzExecnet looks for a dictionary of execnet that is neither a record nor rejected with a
// reason.
func FuzzExecnet(f *testing.F) {
	body, err := os.ReadFile("testdata/logbook-multiprocessing/018-execnet-dict.execnet")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("\x02JN\x00\x00\x00\x03msgN\x00\x00\x00\x01mPQ"))
	d := decoder(f, wire.Options{MaxSize: 1 << 16})
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := d.DecodeExecnet(body)
		if err != nil {
			reason(t, err)
			return
		}
		if _, err := wire.Append(nil, r); err != nil {
			reason(t, err)
		}
	})
}
