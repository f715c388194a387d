package wire_test

import (
	"encoding/base64"
	"os"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

func enveloped(t *testing.T, name string) *core.Record {
	t.Helper()
	body, err := os.ReadFile("kombu/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, body)
}

func TestARecordIsTakenOutOfItsEnvelope(t *testing.T) {
	for name, message := range map[string]string{
		"redis-002-level_debug.json":            "a debug message",
		"redis-014-unicode_lone_surrogate.json": "bad \ufffd byte",
		"redis-018-exc_chained.json":            "chained",
		"redis-025-requeued-value.json":         "never acked",
		"kombu56-005-compressed-zlib.json":      "zlib",
		"kombu56-006-pickle-serializer.json":    "pickled",
	} {
		equal(t, name, enveloped(t, name).Message(), message)
	}
}

func TestValuesMarkedWithTheirTypeArePlain(t *testing.T) {
	r := enveloped(t, "kombu56-004-typed-values.json")
	equal(t, "extra", r.Extra.Map(), map[string]any{
		"dt": "2024-01-02T03:04:05.000006", "dec": "1.5", "uuid": "00000000000000000000000000000005", "bytes": "ab", "raw": "/w==",
	})
}

func TestAnEnvelopeHoldsNoEnvelope(t *testing.T) {
	inner, err := kombu.Append(nil, &kombu.Envelope{Body: []byte(`{"msg":"m","level":11}`)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "message", decode(t, inner).Message(), "m")
	outer, err := kombu.Append(nil, &kombu.Envelope{Body: inner})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wire.Decode(outer)
	equal(t, "reason", reason(t, err), wire.ReasonUnknown)
	bad := `{"body":"` + base64.StdEncoding.EncodeToString([]byte("x")) + `","content-type":"","properties":{"body_encoding":"base64"}}`
	_, err = wire.Decode([]byte(bad))
	equal(t, "reason", reason(t, err), wire.ReasonMalformed)
}
