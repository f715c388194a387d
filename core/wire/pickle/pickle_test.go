package pickle_test

import (
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core/wire/pickle"
)

func TestPlainValuesOfEveryProtocol(t *testing.T) {
	for _, c := range []struct {
		in   string
		want any
	}{
		{"N.", nil},
		{"I01\n.", true},
		{"I00\n.", false},
		{"I1\n.", int64(1)},
		{"L140659090288704L\n.", int64(140659090288704)},
		{"L123456789012345678901L\n.", json.Number("123456789012345678901")},
		{"F1.5\n.", 1.5},
		{"Finf\n.", math.Inf(1)},
		{`S'a\'\n\x41\q'` + "\n.", "a'\nA\\q"},
		{`S"\xe4"` + "\n.", "ä"},
		{`Va\u2603\U0001f600` + "\xe4\n.", "a☃\U0001f600ä"},
		{"\x80\x02\x88.", true},
		{"K\xff.", int64(255)},
		{"M\x00\x01.", int64(256)},
		{"J\xff\xff\xff\xff.", int64(-1)},
		{"\x8a\x00.", int64(0)},
		{"\x8a\x01\xff.", int64(-1)},
		{"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", json.Number("18446744073709551616")},
		{"\x8b\x01\x00\x00\x00\x7f.", int64(127)},
		{"G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{"X\x02\x00\x00\x00\xc3\xa4.", "ä"},
		{"\x8c\x03\xed\xb3\xbf.", "\ufffd"},
		{"U\x02\xc3\xa4.", "ä"},
		{"T\x01\x00\x00\x00\xe4.", "ä"},
		{"C\x02a\x00.", `b'a\x00'`},
		{"(I1\nI2\ntp0\n.", []any{int64(1), int64(2)}},
		{"(lp0\nI1\na.", []any{int64(1)}},
		{"](K\x01K\x02e.", []any{int64(1), int64(2)}},
		{"K\x01\x85.", []any{int64(1)}},
		{"\x8f(K\x01\x90.", []any{int64(1)}},
		{"(K\x01\x91.", []any{int64(1)}},
		{"(S'a'\nI1\nd.", map[string]any{"a": int64(1)}},
		{"}U\x01aK\x01s.", map[string]any{"a": int64(1)}},
		{"}(K\x01NK\x02N\x88Nu.", map[string]any{"1": nil, "2": nil, "True": nil}},
		{"N0N.", nil},
		{"(N1N.", nil},
		{"N2\x86.", []any{nil, nil}},
		{"]q\x00h\x00a.", []any{"[...]"}},
		{"]\x94j\x00\x00\x00\x00a.", []any{"[...]"}},
		{"cdatetime\ndatetime\n(U\x0a\x07\xe4\x01\x02\x03\x04\x05\x00\x02\xa6tR.", "2020-01-02T03:04:05.000678"},
		{"cdecimal\nDecimal\n(U\x041.50tR.", "1.50"},
		{"chttp\nHTTPStatus\nM\x94\x01\x85R.", int64(404)},
		{"c__builtin__\ngetattr\n(chttp\nHTTPMethod\nU\x03GETtR.", "<http.HTTPMethod.GET>"},
		{"cshop\nCart\n)\x81.", "<shop.Cart>"},
		{"cshop\nCart\n(K\x01U\x01atR.", "<shop.Cart(1, 'a')>"},
		{"(cshop\nCart\nK\x01o.", "<shop.Cart(1)>"},
		{"(K\x01ishop\nCart\n.", "<shop.Cart(1)>"},
		{"\x8c\x04shop\x8c\x04Cart\x93)\x81}U\x01aK\x01sb.", "<shop.Cart>"},
		{"cshop\nDict\n)\x81U\x01aK\x01s.", map[string]any{"a": int64(1)}},
		{"cshop\nList\n)\x81K\x01a.", []any{int64(1)}},
	} {
		got, err := pickle.Load([]byte(c.in))
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
		} else if d := cmp.Diff(c.want, got, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.in, d)
		}
	}
}

func TestWhatIsNoPickleIsRefusedWithAReason(t *testing.T) {
	for _, c := range []struct{ in, reason string }{
		{"", pickle.ReasonMalformed},
		{"N", pickle.ReasonMalformed},
		{".", pickle.ReasonMalformed},
		{"\x00.", pickle.ReasonMalformed},
		{"GET / HTTP/1.1\r\n", pickle.ReasonForbidden},
		{"\x80\x09N.", pickle.ReasonMalformed},
		{"0.", pickle.ReasonMalformed},
		{"1.", pickle.ReasonMalformed},
		{"t.", pickle.ReasonMalformed},
		{"N(0", pickle.ReasonMalformed},
		{"NNa.", pickle.ReasonMalformed},
		{"NNNs.", pickle.ReasonMalformed},
		{"(Nd.", pickle.ReasonMalformed},
		{"h\x00.", pickle.ReasonMalformed},
		{"g5\n.", pickle.ReasonMalformed},
		{"p-1\n.", pickle.ReasonMalformed},
		{"Ix\n.", pickle.ReasonMalformed},
		{"I1", pickle.ReasonMalformed},
		{"S'a\n.", pickle.ReasonMalformed},
		{"Fx\n.", pickle.ReasonMalformed},
		{"T\xff\xff\xff\x7f.", pickle.ReasonMalformed},
		{"\x8b\xff\xff\xff\xff.", pickle.ReasonMalformed},
		{"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", pickle.ReasonMalformed},
		{"NN\x93.", pickle.ReasonMalformed},
		{"ca\nb\nNR.", pickle.ReasonMalformed},
		{"(o.", pickle.ReasonMalformed},
		{"L" + strings.Repeat("9", 10_001) + "L\n.", pickle.ReasonTooLarge},
		{"\x8b\x40\x1f\x00\x00" + strings.Repeat("\x01", 8000) + ".", pickle.ReasonTooLarge},
		{strings.Repeat("(", 200_000), pickle.ReasonTooDeep},
		{strings.Repeat("}", pickle.MaxValues+1), pickle.ReasonTooMany},
		{"N" + strings.Repeat("\x94", pickle.MaxValues+1), pickle.ReasonTooMany},
		{"P1\n.", pickle.ReasonForbidden},
		{"NQ.", pickle.ReasonForbidden},
		{"\x82\x01.", pickle.ReasonForbidden},
		{"\x97.", pickle.ReasonForbidden},
	} {
		_, err := pickle.Load([]byte(c.in))
		var e *pickle.Error
		if !errors.As(err, &e) || e.Reason != c.reason {
			t.Errorf("%.40q: %v, want reason %q", c.in, err, c.reason)
		}
	}
}

func TestOnlyARecordHasAttributes(t *testing.T) {
	for in, want := range map[string]int{
		"}U\x01aK\x01s.": 1,
		"clogging\nLogRecord\n)\x81}U\x01aK\x01sb.": 1,
		"clogbook.base\n_create_log_record\n(N}tR.": 0,
		"(lp0\n.":             -1,
		"cshop\nCart\n)\x81.": -1,
		"clogging\nLogRecord\n)\x81}U\x01aK\x01sU\x01aK\x02sb.": 1,
	} {
		f, err := pickle.Attributes([]byte(in))
		if (err != nil) != (want < 0) || err == nil && len(f) != want {
			t.Errorf("%q: %v, %v", in, f, err)
		}
	}
}

// bombs are small pickles that are huge when written out or copied.
func bombs() map[string]string {
	nested := "]q\x00"
	for range 100 {
		nested += "(h\x00h\x00h\x00lq\x00"
	}
	shared := "X\x00\x00\x10\x00" + strings.Repeat("x", 1<<20) + "q\x00" + "(" + strings.Repeat("h\x00", 100_000) + "l."
	long := "(" + strings.Repeat("N", 50_000) + "lq\x00("
	pairs := "(" + strings.Repeat("NN\x86", 20_000) + "lq\x00("
	call := "c__builtin__\nset\nh\x00\x85R"
	order := "ccollections\nOrderedDict\nh\x00\x85R"
	return map[string]string{
		"nested lists": nested + ".",
		"shared text":  shared,
		"copies":       long + strings.Repeat(call, 20_000) + "l.",
		"copied pairs": pairs + strings.Repeat(order, 20_000) + "l.",
		"deep tuples":  "N" + strings.Repeat("\x85", 200_000) + ".",
		"deep calls":   "ca\nb\n" + strings.Repeat(")R", 50_000) + ".",
	}
}

func TestABombDoesNotGoOff(t *testing.T) {
	for name, in := range bombs() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := pickle.Load([]byte(in))
		runtime.ReadMemStats(&after)
		if err == nil && v == nil {
			t.Errorf("%s: neither a value nor an error", name)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 200<<20 {
			t.Errorf("%s: %d MiB allocated", name, used>>20)
		}
		if err != nil {
			continue
		}
		if out, err := json.Marshal(v); err != nil || len(out) > 40<<20 {
			t.Errorf("%s: %d bytes written out, %v", name, len(out), err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"}(U\x03msgX\x01\x00\x00\x00mU\x07levelnoK\x14U\x06threadL140659090288704L\nu.",
		"(dp0\nS'msg'\np1\nV\\u2603\np2\ns.",
		"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x03msg\x94\x8c\x01m\x94u.",
		"cposix\nsystem\n(S'true'\ntR.",
		"clogging\nLogRecord\n)\x81}U\x01aK\x01sb.",
		"]q\x00h\x00a.",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := pickle.Load(data)
		var e *pickle.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%T: %v", err, err)
		}
		if s, ok := v.(string); ok && strings.ToValidUTF8(s, "") != s {
			t.Fatalf("not UTF-8: %q", s)
		}
		if _, err := pickle.Attributes(data); err != nil && !errors.As(err, &e) {
			t.Fatalf("%T: %v", err, err)
		}
	})
}
