package strformat_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// pythonCase is one line of testdata/python.json, which testdata/python.py
// had CPython 3.11 write.
type pythonCase struct {
	Template string
	Args     []any
	Kwargs   map[string]any
	Out      *string
	Err      string
}

func pythonCases(t testing.TB) []pythonCase {
	t.Helper()
	data, err := os.ReadFile("testdata/python.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []pythonCase
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	for i := range cases {
		cases[i].Args, _ = decode(t, cases[i].Args).([]any)
		cases[i].Kwargs, _ = decode(t, cases[i].Kwargs).(map[string]any)
	}
	return cases
}

// decode turns what JSON cannot say into values.
func decode(t testing.TB, v any) any {
	t.Helper()
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			t.Fatal(err)
		}
		return n
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = decode(t, v[i])
		}
		return out
	case map[string]any:
		if kind, ok := v["$"].(string); ok {
			text, _ := v["v"].(string)
			return decodeKind(t, kind, text)
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = decode(t, e)
		}
		return out
	}
	return v
}

func decodeKind(t testing.TB, kind, text string) (v any) {
	t.Helper()
	var err error
	switch kind {
	case "bytes":
		v, err = hex.DecodeString(text)
	case "float":
		v, err = strconv.ParseFloat(text, 64)
	case "big":
		v = json.Number(text)
	case "time":
		if v, err = time.Parse("2006-01-02T15:04:05.999999Z07:00", text); err != nil {
			v, err = time.Parse("2006-01-02T15:04:05.999999", text)
		}
		if at, _ := v.(time.Time); at.Format("-07:00") == "+00:00" {
			v = at.UTC()
		}
	default:
		t.Fatalf("unknown kind %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTemplatesRenderAsInPython(t *testing.T) {
	cases := pythonCases(t)
	if len(cases) < 3000 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		named := strformat.NamedFunc(func(name string) (any, bool) {
			v, ok := c.Kwargs[name]
			return v, ok
		})
		got, err := strformat.Format(c.Template, c.Args, named)
		check(t, c, "Format", got, err)
		got, err = viaTemplate(c, named)
		check(t, c, "Parse", got, err)
	}
}

func viaTemplate(c pythonCase, named strformat.Named) (string, error) {
	template, err := strformat.Parse(c.Template)
	if err != nil {
		return "", err
	}
	var out []byte
	for _, p := range template.Parts() {
		out = append(out, p.Literal...)
		if p.HasField {
			if out, err = p.AppendField(out, c.Args, named); err != nil {
				return "", err
			}
		}
	}
	return string(out), nil
}

func check(t *testing.T, c pythonCase, how, got string, err error) {
	t.Helper()
	switch {
	case c.Out != nil && err != nil:
		t.Errorf("%s(%q, %v): error %q, want %q", how, c.Template, c.Args, err, *c.Out)
	case c.Out != nil && got != *c.Out:
		t.Errorf("%s(%q, %v) = %q, want %q", how, c.Template, c.Args, got, *c.Out)
	case c.Out == nil && err == nil:
		t.Errorf("%s(%q, %v) = %q, want error %q", how, c.Template, c.Args, got, c.Err)
	case c.Out == nil && c.Err != "KeyError" && c.Err != err.Error():
		t.Errorf("%s(%q, %v): error %q, want %q", how, c.Template, c.Args, err, c.Err)
	}
}
