package model_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

func TestFilterDecidesByLevelOriginAndText(t *testing.T) {
	r := record(core.LevelWarning, "shop.cart", "Payment declined for Order 4711 (Müller)")
	r.Process = core.Process{ID: 77, Name: "worker"}
	r.Source.Peer = "127.0.0.1:5000"
	r.Extra = core.Fields{
		{Key: "user", Value: "ada"},
		{Key: "amount", Value: int64(1299)},
		{Key: "rate", Value: 0.5},
		{Key: "request", Value: map[string]any{"path": "/pay", "tags": []any{"vip", nil}}},
	}
	r.Exception = &core.Exception{Name: "shop.Declined", Message: "no funds", Traceback: "  File \"bank.py\", line 3"}
	tests := []struct {
		name   string
		filter model.Filter
		want   bool
	}{
		{"nothing", model.Filter{}, true},
		{"level below", model.Filter{Min: core.LevelNotice}, true},
		{"level itself", model.Filter{Min: core.LevelWarning}, true},
		{"level above", model.Filter{Min: core.LevelError}, false},
		{"set of levels", model.Filter{Levels: model.Levels(core.LevelDebug, core.LevelWarning)}, true},
		{"set without it", model.Filter{Levels: model.Levels(core.LevelError)}, false},
		{"origin", model.Filter{Origin: model.OriginOf(r)}, true},
		{"other origin", model.Filter{Origin: model.Origin{Source: "dev"}}, false},
		{"word in other case", model.Filter{Text: "ORDER"}, true},
		{"word at the end", model.Filter{Text: "ller)"}, true},
		{"word not ASCII", model.Filter{Text: "mÜLLER"}, true},
		{"absent word", model.Filter{Text: "accepted"}, false},
		{"all words", model.Filter{Text: "order payment"}, true},
		{"not all words", model.Filter{Text: "order accepted"}, false},
		{"quoted", model.Filter{Text: `"declined for"`}, true},
		{"quoted in other order", model.Filter{Text: `"for declined"`}, false},
		{"quote still open", model.Filter{Text: `"declined fo`}, true},
		{"exclude present", model.Filter{Text: "-declined"}, false},
		{"exclude absent", model.Filter{Text: "-healthz"}, true},
		{"exclude quoted", model.Filter{Text: `-"declined for"`}, false},
		{"minus alone", model.Filter{Text: "-"}, false},
		{"minus and blanks", model.Filter{Text: ` declined   -healthz `}, true},
		{"regular expression", model.Filter{Text: `re:order\s\d{4}`}, true},
		{"regular expression quoted", model.Filter{Text: `re:"^payment .* 4711"`}, true},
		{"regular expression with blanks", model.Filter{Text: `payment re:declined for order \d+ `}, true},
		{"regular expression and a word", model.Filter{Text: `re:"order \d+" accepted`}, false},
		{"regular expression absent", model.Filter{Text: `re:order\d`}, false},
		{"excluded expression", model.Filter{Text: `-re:or.er`}, false},
		{"prefix without a word", model.Filter{Text: `channel:`}, true},
		{"channel", model.Filter{Text: "channel:shop"}, true},
		{"channel itself", model.Filter{Text: "channel:SHOP.cart"}, true},
		{"channel below", model.Filter{Text: "channel:shop.cart.x"}, false},
		{"channel beside", model.Filter{Text: "channel:sho"}, false},
		{"not that channel", model.Filter{Text: "-channel:shop"}, false},
		{"source", model.Filter{Text: "source:dev"}, true},
		{"peer", model.Filter{Text: "source:127.0.0.1:5000"}, true},
		{"other source", model.Filter{Text: "source:prod"}, false},
		{"process id", model.Filter{Text: "process:77"}, true},
		{"process name", model.Filter{Text: "process:Worker"}, true},
		{"other process", model.Filter{Text: "process:7"}, false},
		{"in the channel", model.Filter{Text: "cart"}, true},
		{"in an extra value", model.Filter{Text: "ada"}, true},
		{"in an extra key", model.Filter{Text: "amount"}, true},
		{"in an extra number", model.Filter{Text: "1299"}, true},
		{"in an extra fraction", model.Filter{Text: "0.5"}, true},
		{"in a nested value", model.Filter{Text: "/pay"}, true},
		{"in a nested list", model.Filter{Text: "vip"}, true},
		{"in the exception's name", model.Filter{Text: "Declined"}, true},
		{"in the exception's message", model.Filter{Text: `"no funds"`}, true},
		{"in the traceback", model.Filter{Text: "bank.py"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := test.filter.Compile()
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Match(r); got != test.want {
				t.Errorf("match = %v, want %v", got, test.want)
			}
		})
	}
}

func TestAWrongRegularExpressionIsAnError(t *testing.T) {
	_, err := model.Filter{Text: "re:("}.Compile()
	if err == nil || err.Error() != `regular expression "(": missing closing )` {
		t.Errorf("error %v", err)
	}
}

func TestSpansMarkWhatWasSearched(t *testing.T) {
	tests := []struct{ query, text, want string }{
		{"order", "Order, order", "[{0 5} {7 12}]"},
		{"-order pay", "pay order", "[{0 3}]"},
		{`re:\d+`, "a1b22", "[{1 2} {3 5}]"},
		{`re:x*`, "axa", "[{1 2}]"},
		{"channel:shop", "shop", "[]"},
		{"", "shop", "[]"},
	}
	for _, test := range tests {
		m, err := model.Filter{Text: test.query}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		got := m.Spans(nil, test.text)
		slices.SortFunc(got, func(a, b model.Span) int { return a.Start - b.Start })
		if fmt.Sprint(got) != test.want {
			t.Errorf("%q in %q: %v, want %v", test.query, test.text, got, test.want)
		}
		if m.HasText() != (test.want != "[]") {
			t.Errorf("%q: HasText = %v", test.query, m.HasText())
		}
	}
}

func TestAQuotedTermFindsItself(t *testing.T) {
	for _, message := range []string{"one", "two words", "-minus", "re:x", `a "quoted" one`} {
		m, err := model.Filter{Text: model.QuoteTerm("", message)}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		found := m.Match(record(core.LevelInfo, "", strings.ReplaceAll(message, `"`, "")))
		if !found || m.Match(record(core.LevelInfo, "", "something else")) {
			t.Errorf("%q is not found by %q", message, model.QuoteTerm("", message))
		}
	}
	if got := model.QuoteTerm("channel:", "my shop"); got != `channel:"my shop"` {
		t.Errorf("got %s", got)
	}
}

func FuzzFilter(f *testing.F) {
	f.Add(`a -b "c d" re:x+ channel:shop`, "a text")
	f.Add(`-"`, "\x1b[31m")
	f.Add(`re:[[:^ascii:]]`, "Müller")
	f.Fuzz(func(t *testing.T, query, text string) {
		m, err := model.Filter{Text: query}.Compile()
		if err != nil {
			return
		}
		m.Match(record(core.LevelInfo, "shop", text))
		for _, s := range m.Spans(nil, text) {
			if s.Start < 0 || s.Start >= s.End || s.End > len(text) {
				t.Errorf("span %v of %q", s, text)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	r := record(core.LevelInfo, "shop.cart", strings.Repeat("payment accepted ", 10))
	for _, query := range []string{"declined", `re:declined\d`} {
		b.Run(query[:2], func(b *testing.B) {
			m, err := model.Filter{Text: query}.Compile()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				m.Match(r)
			}
		})
	}
}
