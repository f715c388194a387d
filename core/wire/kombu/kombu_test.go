package kombu_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
)

const limit = 1 << 20

func envelope(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEnvelopesOfPythonsKombu(t *testing.T) {
	for _, c := range []struct {
		file  string
		want  kombu.Envelope // without the body
		start string
	}{
		{"redis-002-level_debug.json", kombu.Envelope{ContentType: kombu.TypeJSON, DeliveryTag: "96b799a1-d212-43c2-8ca5-4ab5382c2824"}, `{"channel": "app.db"`},
		{"redis-025-requeued-value.json", kombu.Envelope{ContentType: kombu.TypeJSON, DeliveryTag: "25e7da77-037d-4e18-aa4a-8f08fd58a1da", Redelivered: true}, `{"channel": "x"`},
		{"kombu56-005-compressed-zlib.json", kombu.Envelope{ContentType: kombu.TypeJSON, DeliveryTag: "1671c0d2-4728-4780-ba8f-59f1be00777c"}, `{"msg": "zlib"}`},
		{"kombu56-006-pickle-serializer.json", kombu.Envelope{ContentType: kombu.TypePickle, DeliveryTag: "5bc409c6-7f12-4096-803e-d98cd8e0531a"}, "\x80\x04"},
	} {
		got, err := kombu.Decode(envelope(t, c.file), limit)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if !strings.HasPrefix(string(got.Body), c.start) {
			t.Errorf("%s: body %.60q", c.file, got.Body)
		}
		c.want.Exchange, c.want.RoutingKey, c.want.Body = "logging", "logging", got.Body
		if d := cmp.Diff(&c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.file, d)
		}
	}
}

func TestAPlainBodyNeedsNoEncoding(t *testing.T) {
	for _, properties := range []string{`{}`, `{"body_encoding": null}`} {
		e, err := kombu.Decode([]byte(`{"body": "{\"a\": 1}", "properties": `+properties+`}`), limit)
		if err != nil || string(e.Body) != `{"a": 1}` {
			t.Errorf("%s: %+v, %v", properties, e, err)
		}
	}
}

func TestOurEnvelopeHasThePartsOfPythons(t *testing.T) {
	body := []byte(`{"msg": "m"}`)
	text, err := kombu.Append([]byte("x"), &kombu.Envelope{Body: body, DeliveryTag: "tag", Exchange: "logging", RoutingKey: "logging"})
	if err != nil || text[0] != 'x' {
		t.Fatal(err)
	}
	var ours, python map[string]any
	if err := errors.Join(json.Unmarshal(text[1:], &ours), json.Unmarshal(envelope(t, "redis-002-level_debug.json"), &python)); err != nil {
		t.Fatal(err)
	}
	python["body"] = base64.StdEncoding.EncodeToString(body)
	python["properties"].(map[string]any)["delivery_tag"] = "tag"
	if d := cmp.Diff(python, ours); d != "" {
		t.Errorf("(-python +ours):\n%s", d)
	}
	back, err := kombu.Decode(text[1:], limit)
	if err != nil || !bytes.Equal(back.Body, body) || back.Redelivered {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestAMessageThatIsMarkedStaysSo(t *testing.T) {
	text, err := kombu.Append(nil, &kombu.Envelope{Redelivered: true, ContentType: kombu.TypePickle})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := kombu.Decode(text, limit); err != nil || !e.Redelivered || e.ContentType != kombu.TypePickle {
		t.Errorf("%+v, %v", e, err)
	}
}

func zipped(size int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	for range size >> 10 {
		_, _ = w.Write(make([]byte, 1<<10)) // a buffer does not fail
	}
	_ = w.Close()
	return b.Bytes()
}

func TestWhatIsNoEnvelopeIsRefused(t *testing.T) {
	bomb := base64.StdEncoding.EncodeToString(zipped(4 << 20))
	for body, want := range map[string]error{
		``:                               nil,
		`[]`:                             nil,
		`{}`:                             kombu.ErrNotEnvelope,
		`{"body": "x"}`:                  kombu.ErrNotEnvelope,
		`{"body": null,"properties":{}}`: kombu.ErrNotEnvelope,
		`{"body": 1, "properties": {}}`:  nil,
		`{"body": "%", "properties": {"body_encoding": "base64"}}`:                                                                    nil,
		`{"body": "x", "properties": {}, "headers": {"compression": "application/zstd"}}`:                                             kombu.ErrCompression,
		`{"body": "x", "properties": {}, "headers": {"compression": "application/x-gzip"}}`:                                           nil,
		`{"body": "x", "properties": {}, "headers": {"compression": "application/x-bz2"}}`:                                            nil,
		`{"body": "` + bomb + `", "properties": {"body_encoding": "base64"}, "headers": {"compression": "application/x-gzip"}}`:       kombu.ErrTooLarge,
		`{"body": "` + bomb[:100] + `", "properties": {"body_encoding": "base64"}, "headers": {"compression": "application/x-gzip"}}`: nil,
	} {
		e, err := kombu.Decode([]byte(body), limit)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%.80s gives %+v, %v, want %v", body, e, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"redis-002-level_debug.json", "kombu56-005-compressed-zlib.json", "redis-025-requeued-value.json"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := kombu.Decode(b, 1000); err == nil && len(e.Body) > 1000 {
			t.Fatalf("%d bytes", len(e.Body))
		}
	})
}
