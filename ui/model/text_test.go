package model_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

func TestPrintableLeavesNothingThatDeceives(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "a\tb\nc", "a\tb\nc"},
		{"other scripts", "Grüße 日本語 שלום 👩‍💻 ❤️", "Grüße 日本語 שלום 👩‍💻 ❤️"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"window title", "a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc"},
		{"escape without end", "a\x1b[1;", "a�[1;"},
		{"bell and null", "a\a\x00b", "a��b"},
		{"right to left override", "a\u202etxt.exe", "a�txt.exe"},
		{"isolates and zero width", "\u2066x\u2069\u200b\ufeff", "�x���"},
		{"CRLF", "a\r\nb\rc", "a\nb�c"},
		{"not UTF-8", "a\xffb", "a�b"},
		{"tags", "a\U000e0041", "a�"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := model.Printable(test.in); got != test.want {
				t.Errorf("%q became %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[31m\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := model.Printable(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, model.Hidden) {
			t.Errorf("%q became %q", s, got)
		}
		if again := model.Printable(got); again != got {
			t.Errorf("%q is changed again to %q", got, again)
		}
	})
}

func TestSummarize(t *testing.T) {
	tests := []struct {
		name, message string
		exception     *core.Exception
		want          model.Summary
	}{
		{"one line", "a", nil, model.Summary{Line: "a"}},
		{"three lines", "a\nb\r\nc\n\n", nil, model.Summary{Line: "a", More: 2}},
		{"leading blank lines", "\r\n\na\nb", nil, model.Summary{Line: "a", More: 1}},
		{"no message", "", &core.Exception{Name: "builtins.KeyError", Message: "'x'", Traceback: "t"}, model.Summary{Line: "KeyError: 'x'", Trace: true}},
		{"exception without text", "", &core.Exception{Name: "Stop"}, model.Summary{Line: "Stop"}},
		{"nothing", "", nil, model.Summary{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := record(core.LevelInfo, "", test.message)
			r.Exception = test.exception
			if diff := cmp.Diff(test.want, model.Summarize(r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTracebacksAreParsed(t *testing.T) {
	lines := model.ParseTraceback("Traceback (most recent call last):\n" +
		"  File \"/srv/shop/cart.py\", line 42, in pay\n    bank.charge(order)\n" +
		"  File \"<string>\", line 1, in <module>\n" +
		"main.pay(...)\n\t/srv/shop/main.go:17 +0x1d\nValueError: \x1b[31mno")
	var sites []core.Site
	for _, l := range lines {
		if l.Site.File != "" {
			sites = append(sites, l.Site)
		}
	}
	want := []core.Site{
		{File: "/srv/shop/cart.py", Line: 42, Function: "pay"},
		{File: "/srv/shop/main.go", Line: 17},
	}
	if diff := cmp.Diff(want, sites); diff != "" {
		t.Error(diff)
	}
	if last := lines[len(lines)-1].Text; last != "ValueError: no" {
		t.Errorf("last line %q", last)
	}
}

func full() *core.Record {
	r := record(core.LevelError, "shop", "payment | declined")
	r.Time = start.Add(123456 * time.Microsecond)
	r.Received = r.Time.Add(2 * time.Second)
	r.Site = core.Site{File: "/srv/shop/cart.py", Line: 42, Function: "pay", Module: "shop.cart"}
	r.Process, r.Thread = core.Process{ID: 77, Name: "worker"}, core.Thread{ID: 5, Name: "Main", Greenlet: 9}
	r.Extra = core.Fields{{Key: "order", Value: int64(4711)}, {Key: "user", Value: map[string]any{"b": []any{true, nil}, "a": "x"}}, {Key: "none", Value: map[string]any{}}}
	r.Exception = &core.Exception{Name: "shop.Declined", Message: "no funds", Traceback: "Traceback\n```\nshop.Declined: no funds"}
	return r
}

func TestDescribeTellsWhatIsKnown(t *testing.T) {
	var names []string
	values := map[string]string{}
	for _, v := range model.Describe(full(), start.Add(3*time.Minute)) {
		names = append(names, v.Name)
		values[v.Name] = v.Value
	}
	want := []string{"level", "channel", "time", "UTC", "site", "function", "module", "process", "thread", "source", "received"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{
		"UTC": "2026-03-14 09:26:53.123456", "site": "/srv/shop/cart.py:42", "process": "worker 77",
		"thread": "Main 5 (greenlet 9)", "level": "ERROR",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
	if !strings.Contains(values["time"], "(2 min ago)") || !strings.Contains(values["received"], "(2s later)") {
		t.Errorf("time %q, received %q", values["time"], values["received"])
	}
	ahead := full()
	ahead.Received = ahead.Time.Add(-time.Second)
	if got := model.Describe(ahead, time.Time{}); !strings.Contains(got[len(got)-1].Value, "clock is 1s ahead") {
		t.Errorf("received %q", got[len(got)-1].Value)
	}
	if got := model.Describe(&core.Record{}, start); len(got) != 1 {
		t.Errorf("an empty record is described as %v", got)
	}
}

func TestNestedFieldsAreLaidOut(t *testing.T) {
	want := []model.NamedValue{
		{Name: "order", Value: "4711"},
		{Name: "user"},
		{Name: "a", Value: "x", Depth: 1},
		{Name: "b", Depth: 1},
		{Name: "[0]", Value: "true", Depth: 2},
		{Name: "[1]", Value: "None", Depth: 2},
		{Name: "none", Value: "{}"},
	}
	if diff := cmp.Diff(want, model.FlattenFields(full().Extra)); diff != "" {
		t.Error(diff)
	}
	many := make([]any, 10_000)
	if got := model.FlattenArgs(many); len(got) > 600 || got[len(got)-1].Name != "…" {
		t.Errorf("%d lines for 10000 arguments", len(got))
	}
	var deep any = "bottom"
	for range 1000 {
		deep = []any{deep}
	}
	if got := model.FlattenArgs([]any{deep}); len(got) > 20 {
		t.Errorf("%d lines for a deep value", len(got))
	}
}

func TestTextAndMarkdown(t *testing.T) {
	text := model.Text(full())
	if !strings.Contains(text, "] ERROR: shop: payment | declined\nTraceback\n") || !strings.HasPrefix(text, "["+full().Time.Local().Format(model.TimeLayout)) {
		t.Errorf("text %q", text)
	}
	r := full()
	r.Exception.Traceback = ""
	if text := model.Text(r); !strings.HasSuffix(text, "declined\nshop.Declined: no funds") {
		t.Errorf("text %q", text)
	}
	r.Exception = nil
	if text := model.Text(r); !strings.HasSuffix(text, "shop: payment | declined") {
		t.Errorf("text %q", text)
	}
	if line := model.JSON(full()); !strings.HasPrefix(line, "{") || !strings.Contains(line, `"order": 4711`) && !strings.Contains(line, `"order":4711`) || strings.Contains(line, "\n") {
		t.Errorf("JSON %s", line)
	}
	md := model.Markdown(full())
	for _, want := range []string{
		"### Error: payment | declined\n", "| extra.order | 4711 |\n", "| level | ERROR |\n",
		"````\nTraceback\n```\nshop.Declined: no funds\n````\n",
	} {
		if !strings.Contains(md, want) {
			t.Errorf("no %q in %s", want, md)
		}
	}
	r = full()
	r.SetMessage("a <b>\nc")
	r.Exception.Traceback = ""
	if md := model.Markdown(r); !strings.Contains(md, "### Error: a \\<b>\n\n```\na <b>\nc\n```\n") || !strings.Contains(md, "```\nshop.Declined: no funds\n```") {
		t.Errorf("markdown %s", md)
	}
}

func TestNumbersAndAges(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1\u2009000", 1234567: "1\u2009234\u2009567", -1000: "-1\u2009000"} {
		if got := model.Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Minute: "in the future", 0: "just now", 5 * time.Second: "5 s ago", 3 * time.Minute: "3 min ago",
		5 * time.Hour: "5 h ago", 72 * time.Hour: "3 days ago",
	} {
		if got := model.Ago(d); got != want {
			t.Errorf("Ago(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestLevelCounts(t *testing.T) {
	s := model.NewStore(model.StoreOptions{})
	fill(t, s, 7) // one of each named level
	add(t, s, record(37, "", ""), record(core.LevelNotSet, "", ""))
	c := s.Stats().Levels
	if c.Of(core.LevelCritical) != 2 || c.Of(core.LevelNotSet) != 1 || c.AtLeast(core.LevelError) != 3 || c.Total() != 9 {
		t.Errorf("counts %v", c)
	}
	if got := model.NamedLevel(12); got != core.LevelNotice {
		t.Errorf("level 12 is %v", got)
	}
	if got := (model.Origin{}).String(); got != "this program" {
		t.Errorf("no origin reads %q", got)
	}
}
