package wire_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func form(t *testing.T, name string) *core.Record {
	t.Helper()
	f := fixture{File: "stdlib-http/" + name + ".http"}
	f.load(t)
	r, err := decoder(t, wire.Options{}).DecodeForm(formOf(t, f.body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// formOf returns the form in a request: its body, or for a GET its query.
func formOf(t *testing.T, request []byte) string {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Method == http.MethodGet {
		return r.URL.RawQuery
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestFormsOfPythonsHTTPHandler(t *testing.T) {
	const cases = "/srv/projects/wire/stdlib-http/../common/cases_stdlib.py"
	for name, want := range map[string]summary{
		"py311-001-post-level_debug":     {level: core.LevelDebug, channel: "app.db", message: "a debug message", time: "2026-11-20T21:00:28.35171Z", site: cases + ":79 f"},
		"py311-017-get-level_debug":      {level: core.LevelDebug, channel: "app.db", message: "a debug message", time: "2026-11-20T21:00:28.377205Z", site: cases + ":79 f"},
		"py311-006-post-level_custom25":  {level: core.LevelNotice, channel: "app.db", message: "a custom25 message", time: "2026-11-20T21:00:28.372244Z", extra: "levelno=25"},
		"py311-007-post-args_positional": {level: core.LevelInfo, channel: "app.db", message: "x is    42|'r'", time: "2026-11-20T21:00:28.37271Z"},
		"py27-002-post-args_positional":  {level: core.LevelInfo, channel: "app.db", message: "x is    42|'r'", time: "2026-11-20T21:00:31.41Z"},
		"py311-008-post-args_mapping":    {level: core.LevelInfo, channel: "app.db", message: "mapped!", time: "2026-11-20T21:00:28.373123Z"},
		"py311-010-post-unicode_mix":     {level: core.LevelInfo, channel: "app.db", message: "Räksmörgås ☃ 日本語 😀", time: "2026-11-20T21:00:28.373949Z", extra: "über=🚀"},
		"py311-011-post-control_chars":   {level: core.LevelInfo, channel: "app.db", message: "line1\nline2\r\n\tnul\x00esc\x1b[31m\x7f\n", time: "2026-11-20T21:00:28.374396Z"},
		"py311-012-post-exc": {
			level: core.LevelError, channel: "app.db", message: "division of a", time: "2026-11-20T21:00:28.374782Z",
			failure: "ZeroDivisionError|division by zero|",
		},
		"py311-037-post-exc-after-streamhandler": {
			level: core.LevelError, channel: "app.db", message: "after stream", time: "2026-11-20T21:00:28.386929Z",
			failure: "ZeroDivisionError|division by zero|Traceback (most recent call last):",
		},
		"py311-015-post-extra_simple":           {level: core.LevelInfo, channel: "app.db", message: "extra", time: "2026-11-20T21:00:28.376307Z", extra: "count=3"},
		"py311-016-post-extra_bytes":            {level: core.LevelInfo, channel: "app.db", message: "bytes", time: "2026-11-20T21:00:28.376766Z", extra: "b=abc\x00\ufffd"},
		"py311-036-post-mapped-args_positional": {level: core.LevelInfo, message: "x is    42|'r'", extra: "when=1795208428.386297"},
	} {
		t.Run(name, func(t *testing.T) {
			r := form(t, name)
			if name[:4] == "py27" {
				want.time = r.Time.Format("2006-01-02T15:04:05.999999999Z07:00") // it has two digits of a second only
			}
			checkSummary(t, r, want)
		})
	}
}

func TestArgumentsThatAreNoLiteralsAreShown(t *testing.T) {
	r, err := decoder(t, wire.Options{}).DecodeForm("msg=%25s+failed&args=%28%3Cobject+at+0x7f%3E%2C%29&levelno=40&exc_info=%28%3Ctype+%27exceptions.KeyError%27%3E%2C+KeyError%28%27a%27%2C%29%2C+%3Ctraceback+object+at+0x1%3E%29")
	if err != nil {
		t.Fatal(err)
	}
	checkSummary(t, r, summary{level: core.LevelError, message: "%s failed", extra: "args=(<object at 0x7f>,)", failure: "exceptions.KeyError|a|"})
}

func TestATemplateCannotBlowUp(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, template := range []string{strings.Repeat("%(a)s", 1000), strings.Repeat("%(b).999999f", 1000), "%(b)9999d", "%(b).9999999f"} {
		body := `{"levelno":20,"msg":"` + template + `","args":{"a":"` + long + `","b":1}}`
		if got := decode(t, []byte(body)).Message(); got != template {
			t.Errorf("%.20s gives %d bytes", template, len(got))
		}
	}
}

func TestLiteralsOfPython(t *testing.T) {
	r, err := decoder(t, wire.Options{}).DecodeForm("msg=m&levelno=20&args=" + "%28u%27%5Cxe4%5Cu2603%5Cn%27%2C+b%27x%27%2C+-1%2C+1.5%2C+3L%2C+None%2C+True%2C+%5BFalse%5D%2C+%7B1%3A+%22it%27s%22%7D%2C+99999999999999999999%29")
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join([]string{text(r.Args[0]), text(r.Args[1]), text(r.Args[8]), text(r.Args[9])}, "|"); text != "ä☃\n|b'x'|{\"1\":\"it's\"}|99999999999999999999" {
		t.Errorf("%q", text)
	}
	if d := cmp.Diff([]any{int64(-1), 1.5, int64(3), nil, true, []any{false}}, r.Args[2:8]); d != "" {
		t.Error(d)
	}
}

func TestWhatIsNoFormIsRejected(t *testing.T) {
	for in, want := range map[string]string{"": wire.ReasonEmpty, "a=%zz": wire.ReasonMalformed, "a=b": wire.ReasonUnknown, strings.Repeat("&", wire.MaxValues+2): wire.ReasonTooMany} {
		_, err := decoder(t, wire.Options{}).DecodeForm(in)
		equal(t, "reason", reason(t, err), want)
	}
	_, err := decoder(t, wire.Options{MaxSize: 3}).DecodeForm("a=bc")
	equal(t, "reason", reason(t, err), wire.ReasonTooLarge)
}

func FuzzDecodeForm(f *testing.F) {
	f.Add("msg=%25s+is+%255d%7C%25r&args=%28%27x%27%2C+42%2C+%27r%27%29&levelno=20")
	f.Add("msg=%25%28what%29s%21&args=%7B%27what%27%3A+%27mapped%27%7D&levelname=INFO&exc_info=%28%3Cclass+%27E%27%3E%2C+E%28%29%2C+%3Ctraceback")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := wire.NewDecoder(wire.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.DecodeForm(s); err != nil {
			reason(t, err)
		}
	})
}
