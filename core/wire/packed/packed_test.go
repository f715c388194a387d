package packed_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire/packed"
)

type decode func([]byte) (core.Fields, error)

func TestValues(t *testing.T) {
	for name, c := range map[string]struct {
		read   decode
		prefix string // of a map with the key "a"
		values map[string]any
	}{
		"MessagePack": {packed.MessagePack, "\x81\xa1a", map[string]any{
			"\x05": int64(5), "\xff": int64(-1), "\xc0": nil, "\xc2": false, "\xc3": true, "\xcc\xff": int64(255), "\xcd\x01\x00": int64(256),
			"\xce\x80\x00\x00\x00": int64(1 << 31), "\xcf\xff\xff\xff\xff\xff\xff\xff\xff": json.Number("18446744073709551615"),
			"\xd0\x80": int64(-128), "\xd1\xff\x00": int64(-256), "\xd2\x80\x00\x00\x00": int64(math.MinInt32),
			"\xd3\xff\xff\xff\xff\xff\xff\xff\xfe": int64(-2), "\xca\x3f\xc0\x00\x00": 1.5, "\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00": 1.5,
			"\xa2\xc3\xa4": "ä", "\xd9\x01x": "x", "\xda\x00\x01x": "x", "\xdb\x00\x00\x00\x01x": "x", "\xc4\x01\xff": "\ufffd",
			"\x92\x01\xc0": []any{int64(1), nil}, "\xdc\x00\x01\x01": []any{int64(1)}, "\x81\xa1b\x01": map[string]any{"b": int64(1)},
			"\xde\x00\x01\x01\x02": map[string]any{"1": int64(2)}, "\xd6\xff\x65\x53\xf1\x00": "2023-11-14T22:13:20Z", "\xd4\x05x": nil,
			"\xc7\x0c\xff\x00\x00\x00\x01\x00\x00\x00\x00\x65\x53\xf1\x00": "2023-11-14T22:13:20.000000001Z",
			"\xd7\xff\x00\x00\x00\x04\x65\x53\xf1\x00":                     "2023-11-14T22:13:20.000000001Z",
		}},
		"CBOR": {packed.CBOR, "\xa1\x61a", map[string]any{
			"\x05": int64(5), "\x18\xff": int64(255), "\x19\x01\x00": int64(256), "\x1b\xff\xff\xff\xff\xff\xff\xff\xff": json.Number("18446744073709551615"),
			"\x20": int64(-1), "\x38\xff": int64(-256), "\x62\xc3\xa4": "ä", "\x41\xff": "\ufffd", "\x7f\x61a\x61b\xff": "ab",
			"\x82\x01\xf6": []any{int64(1), nil}, "\x9f\x01\xff": []any{int64(1)}, "\xa1\x61b\x01": map[string]any{"b": int64(1)},
			"\xbf\x61b\x01\xff": map[string]any{"b": int64(1)}, "\xf4": false, "\xf5": true, "\xf7": nil, "\xf9\x3e\x00": 1.5, "\xf9\x00\x01": math.Ldexp(1, -24),
			"\xf9\xfc\x00": math.Inf(-1), "\xfa\x3f\xc0\x00\x00": 1.5, "\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00": 1.5, "\xc0\x61x": "x",
			"\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00": json.Number("18446744073709551616"), "\xc3\x41\x00": int64(-1),
		}},
		"execnet": {packed.Execnet, "\x02JN\x00\x00\x00\x01a", map[string]any{
			"L": nil, "C": false, "R": true, "F\xff\xff\xff\xff": int64(-1), "H\x00\x00\x00\x0f140361200058432": int64(140361200058432),
			"I\x00\x00\x00\x141208925819614629174706"[:25]: json.Number("12089258196146291747"), "D\x3f\xf8\x00\x00\x00\x00\x00\x00": 1.5,
			"S\x00\x00\x00\x02\xc3\xa4": "ä", "A\x00\x00\x00\x01\xff": "\ufffd", "F\x00\x00\x00\x01L@\x00\x00\x00\x02": []any{int64(1), nil},
			"K\x00\x00\x00\x01F\x00\x00\x00\x00RP": []any{true}, "JF\x00\x00\x00\x01RP": map[string]any{"1": true},
		}},
	} {
		suffix := ""
		if name == "execnet" {
			suffix = "PQ"
		}
		for in, want := range c.values {
			got, err := c.read([]byte(c.prefix + in + suffix))
			if err != nil {
				t.Errorf("%s %q: %v", name, in, err)
			} else if d := cmp.Diff(want, got.Get("a")); d != "" {
				t.Errorf("%s %q (-want +got):\n%s", name, in, d)
			}
		}
	}
}

func TestTheLastOfEqualKeysWins(t *testing.T) {
	got, err := packed.MessagePack([]byte("\x83\xa1a\x01\xa1b\x02\xa1a\x03"))
	if d := cmp.Diff(core.Fields{{Key: "a", Value: int64(3)}, {Key: "b", Value: int64(2)}}, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestBadInputIsRefusedCheaply(t *testing.T) {
	for _, c := range []struct {
		read decode
		in   string
		want error
	}{
		{packed.MessagePack, "", packed.ErrMalformed},
		{packed.MessagePack, "\x01", packed.ErrNoObject},
		{packed.MessagePack, "\x81", packed.ErrMalformed},
		{packed.MessagePack, "\xc1", packed.ErrMalformed},
		{packed.MessagePack, "\xdb\xff\xff\xff\xff", packed.ErrMalformed},
		{packed.MessagePack, "\xdd\xff\xff\xff\xff", packed.ErrMalformed},
		{packed.MessagePack, "\xd5\xff\x00\x00", packed.ErrMalformed},
		{packed.MessagePack, strings.Repeat("\x91", 100), packed.ErrTooDeep},
		{packed.MessagePack, "\xdd\xff\xff\xff\xff" + strings.Repeat("\x00", 1<<19), packed.ErrTooMany},
		{packed.CBOR, "", packed.ErrMalformed},
		{packed.CBOR, "\xff", packed.ErrMalformed},
		{packed.CBOR, "\x1c", packed.ErrMalformed},
		{packed.CBOR, "\x9f", packed.ErrMalformed},
		{packed.CBOR, "\xbf\x01\xff", packed.ErrMalformed},
		{packed.CBOR, "\x7f\x01\xff", packed.ErrMalformed},
		{packed.CBOR, "\x7b\xff\xff\xff\xff\xff\xff\xff\xf0", packed.ErrMalformed},
		{packed.CBOR, strings.Repeat("\x81", 100), packed.ErrTooDeep},
		{packed.CBOR, strings.Repeat("\x9f", 100), packed.ErrTooDeep},
		{packed.CBOR, strings.Repeat("\xc1", 100), packed.ErrTooDeep},
		{packed.CBOR, "\xc2\x59\x20\x00" + strings.Repeat("\x01", 0x2000), packed.ErrTooMany},
		{packed.Execnet, "", packed.ErrMalformed},
		{packed.Execnet, "\x09LQ", packed.ErrMalformed},
		{packed.Execnet, "\x02LQ", packed.ErrNoObject},
		{packed.Execnet, "\x02Q", packed.ErrMalformed},
		{packed.Execnet, "\x02P", packed.ErrMalformed},
		{packed.Execnet, "\x02LLLP", packed.ErrMalformed},
		{packed.Execnet, "\x02B\x00\x00\x00\x01", packed.ErrMalformed},
		{packed.Execnet, "\x02@\x00\x00\x00\x01", packed.ErrMalformed},
		{packed.Execnet, "\x02K\x00\x00\x00\x01F\x00\x00\x00\x05LP", packed.ErrMalformed},
		{packed.Execnet, "\x02K\xff\xff\xff\xffQ", packed.ErrTooMany},
		{packed.Execnet, "\x02H\x00\x00\x00\x011x", packed.ErrMalformed},
		{packed.Execnet, "\x02L" + strings.Repeat("@\x00\x00\x00\x01", 100) + "Q", packed.ErrTooDeep},
	} {
		if got, err := c.read([]byte(c.in)); !errors.Is(err, c.want) {
			t.Errorf("%.40q gives %v, %v, want %v", c.in, got, err, c.want)
		}
	}
}

func FuzzAll(f *testing.F) {
	for _, s := range []string{"\x81\xa1a\x93\x01\xc0\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "\xbf\x61a\x82\x01\xf9\x3e\x00\xff", "\x02JN\x00\x00\x00\x01aK\x00\x00\x00\x01F\x00\x00\x00\x00RPPQ"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []decode{packed.MessagePack, packed.CBOR, packed.Execnet} {
			fields, err := read(data)
			if err == nil && len(fields) > len(data) {
				t.Fatalf("%d fields of %d bytes", len(fields), len(data))
			}
		}
	})
}
