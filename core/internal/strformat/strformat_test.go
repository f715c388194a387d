package strformat_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

type address struct{ City string }

type user struct {
	address
	Name     string
	UserID   int
	Friends  []*user
	password string
	Home     *address
}

func (u *user) Secret() string { return "called" }

type celsius float64

func (c celsius) String() string { return "warm" }

type broken struct{}

func (*broken) Error() string { panic("no") }

func TestGoValuesInTemplates(t *testing.T) {
	ann := &user{Name: "Ann", UserID: 7, password: "x", Home: &address{"Bonn"}}
	ann.Friends = []*user{{Name: "Bob"}}
	name := "ptr"
	tests := []struct {
		name, template string
		arg            any
		want, err      string
	}{
		{"a field of a struct", "{0.Name}", ann, "Ann", ""},
		{"a field in Python's spelling", "{0.user_id:03}", ann, "007", ""},
		{"behind a pointer and a slice", "{0.Friends[0].name}", ann, "Bob", ""},
		{"of an inner struct", "{0.Home.City}", ann, "Bonn", ""},
		{"an unexported field is not there", "{0.password}", ann, "", "'strformat_test.user' object has no attribute 'password'"},
		{"a promoted field of an embedded struct", "{0.City}", ann, "", ""},
		{"a method is not called", "{0.Secret}", ann, "", "'strformat_test.user' object has no attribute 'Secret'"},
		{"a nil pointer has no attributes", "{0.Name}", (*user)(nil), "", "'NoneType' object has no attribute 'Name'"},
		{"a nil pointer is None", "{}", (*user)(nil), "None", ""},
		{"a struct shows its exported fields", "{}", address{"Rom"}, "address(City='Rom')", ""},
		{"an error", "{}", errors.New("full"), "full", ""},
		{"an error, aligned", "{:>6}", errors.New("full"), "  full", ""},
		{"an error inside a list", "{}", []any{errors.New("full")}, "[full]", ""},
		{"a text method that panics", "{}", (*broken)(nil), "<nil>", ""},
		{"a Stringer", "{}", celsius(21.5), "warm", ""},
		{"a Stringer as a number", "{:.2f}", celsius(21.5), "21.50", ""},
		{"a duration", "{}", 1500 * time.Millisecond, "1.5s", ""},
		{"a duration, aligned", "{:>6}", 1500 * time.Millisecond, "  1.5s", ""},
		{"a duration as a number", "{:d}", 15 * time.Nanosecond, "15", ""},
		{"a map", "{}", map[string]int{"b": 2, "a": 1}, "{'a': 1, 'b': 2}", ""},
		{"a map with numbers, in their order", "{}", map[int]bool{10: true, 9: false}, "{9: False, 10: True}", ""},
		{"an item under a number", "{0[9]}", map[uint8]string{9: "nine"}, "nine", ""},
		{"an item under a number that is none", "{0[x]}", map[int]string{}, "", "no key 'x'"},
		{"a number too large for the key", "{0[300]}", map[uint8]string{}, "", "no key '300'"},
		{"an array", "{0[1]}", [2]int{4, 5}, "5", ""},
		{"a pointer to a string", "{:>4}", &name, " ptr", ""},
		{"a float32 is the shortest that fits", "{}", float32(0.1), "0.1", ""},
		{"the largest uint64", "{:,}", uint64(1<<64 - 1), "18,446,744,073,709,551,615", ""},
		{"a big.Int", "{:x}", new(big.Int).Lsh(big.NewInt(1), 72), "1000000000000000000", ""},
		{"a number of JSON with a fraction", "{:.1f}", json.Number("2.25"), "2.2", ""},
		{"complex", "{}", complex(1, -2), "(1-2j)", ""},
		{"a function is not called", "{}", func() string { return "called" }, "<func() string>", ""},
		{"time in UTC", "{}", time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), "2024-01-02 03:04:05", ""},
		{"time elsewhere", "{}", time.Date(2024, 1, 2, 3, 4, 5, 6000, time.FixedZone("", -3600)), "2024-01-02 03:04:05.000006-01:00", ""},
		{"a width that is too large", "{:1000000000}", 1, "", "width or precision is larger than 4096"},
		{"a precision that is too large", "{:.99999999999999999999f}", 1, "", "width or precision is larger than 4096"},
		{"a number that is too long", "{:d}", json.Number(strings.Repeat("9", 5000)), "", "Unknown format code 'd' for object of type 'str'"},
		{"invalid text", "{!r}", "a\xffb", `'a\udcffb'`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := strformat.Format(tt.template, []any{tt.arg}, nil)
			if text := errorText(err); text != tt.err || got != tt.want {
				t.Errorf("got %q, error %q; want %q, error %q", got, text, tt.want, tt.err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestASmallTemplateCannotMakeALargeText(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	out, err := strformat.Append(nil, strings.Repeat("{0}", 1000), []any{big}, nil)
	if err == nil || len(out) > strformat.MaxLen {
		t.Errorf("%d bytes, error %v; want at most %d and an error", len(out), err, strformat.MaxLen)
	}
}

func TestAContainerThatContainsItselfHasAnEnd(t *testing.T) {
	ring := []any{1, nil, nil}
	ring[1], ring[2] = ring, map[string]any{"ring": ring}
	if got, want := strformat.Str(ring), "[1, [...], {'ring': [...]}]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	type node struct{ Next *node }
	loop := new(node)
	loop.Next = loop
	if got := strformat.Str(loop); !strings.Contains(got, "...") || len(got) > 1000 {
		t.Errorf("got %q", got)
	}
}

func TestAContainerThatGrowsAsItIsWrittenHasAnEnd(t *testing.T) {
	v := []any{"x"}
	for range 28 { // doubles every time
		v = []any{v, v}
	}
	if n := len(strformat.Str(v)); n > strformat.MaxContainer+1000 {
		t.Errorf("%d bytes", n)
	}
}

func FuzzFormat(f *testing.F) {
	for i, c := range pythonCases(f) {
		if i%97 == 0 {
			f.Add(c.Template, "text", int64(i), 1.5)
		}
	}
	f.Add("{0:{1}} {2:%} {0[0]} {x.y[z]}", "é", int64(-1), math.Copysign(0, -1))
	f.Fuzz(func(t *testing.T, template, text string, n int64, x float64) {
		args := []any{text, n, x, []any{text, n}, time.Unix(n%1e10, 0)}
		named := strformat.NamedFunc(func(string) (any, bool) { return map[string]any{text: x}, true })
		direct, errDirect := strformat.Format(template, args, named)
		parsed, errParsed := viaTemplate(pythonCase{Template: template, Args: args}, named)
		if (errDirect == nil) != (errParsed == nil) || errDirect == nil && direct != parsed {
			t.Errorf("Format: %q, %v; Parse: %q, %v", direct, errDirect, parsed, errParsed)
		}
		if most := len(template) + strformat.MaxLen; len(direct) > most {
			t.Errorf("%d bytes, at most %d expected", len(direct), most)
		}
	})
}

func BenchmarkFormat(b *testing.B) {
	args := []any{"order", 4711, 12.5}
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		out, _ = strformat.Append(out[:0], "{0} {1:>8} declined: {2:.2f} of {1}", args, nil)
	}
}
