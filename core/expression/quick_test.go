package expression

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
)

// drawRecord makes a record that often has what the expressions below ask for.
func drawRecord(t *rapid.T) *core.Record {
	word := rapid.SampledFrom([]string{"", "a", "ab", "shop.web", "1"})
	value := rapid.SampledFrom([]any{"", "a", "ab", int64(1), int64(5), 1.0, 5.5, true, nil, []any{"a"}, map[string]any{"b": "a", "n": int64(1)}})
	r := &core.Record{
		Channel: word.Draw(t, "channel"), Msg: word.Draw(t, "msg"),
		Level:   rapid.SampledFrom(core.Levels()).Draw(t, "level"),
		Process: core.Process{ID: rapid.IntRange(0, 2).Draw(t, "pid"), Name: word.Draw(t, "process")},
		Source:  core.Source{Name: word.Draw(t, "source"), Peer: "tcp://a:1"},
		Time:    time.Unix(0, 0).UTC(),
	}
	for _, key := range []string{"x", "y"} {
		if rapid.Bool().Draw(t, "has "+key) {
			r.Extra.Set(key, value.Draw(t, key))
		}
	}
	if rapid.Bool().Draw(t, "failed") {
		r.Exception = &core.Exception{Name: "a.ab", Message: word.Draw(t, "exception")}
	}
	return r
}

func drawExpression(t *rapid.T, depth int) string {
	if depth > 0 && rapid.Bool().Draw(t, "composed") {
		a, b := drawExpression(t, depth-1), drawExpression(t, depth-1)
		return rapid.SampledFrom([]string{
			"(" + a + " && " + b + ")", "(" + a + " or " + b + ")", "not (" + a + ")",
		}).Draw(t, "operator")
	}
	text := rapid.SampledFrom([]string{"channel", "message", "msg", "process.name", "source.host", "exception.short_name"}).Draw(t, "text")
	extra := rapid.SampledFrom([]string{"extra.x", `extra["y"]`, "extra.x.b", "extra.y.n"}).Draw(t, "extra")
	number := rapid.SampledFrom([]string{"process.id", "line", "thread.id"}).Draw(t, "number")
	literal := rapid.SampledFrom([]string{`"a"`, `"ab"`, `""`, `"."`}).Draw(t, "literal")
	digit := rapid.SampledFrom([]string{"1", "5", "0"}).Draw(t, "digit")
	value := rapid.SampledFrom([]string{literal, digit, "5.5", "true"}).Draw(t, "any")
	compare := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "compare")
	textual := rapid.SampledFrom([]string{"startsWith", "endsWith", "contains", "matches"}).Draw(t, "textual")
	return rapid.SampledFrom([]string{
		fmt.Sprintf(`level %s "warning"`, compare), fmt.Sprintf(`"error" %s level`, compare), `level in ["info", "error"]`,
		fmt.Sprintf("%s %s %s", text, compare, literal), fmt.Sprintf("%s %s %s", text, textual, literal),
		fmt.Sprintf("%s in [%s, %s]", text, literal, `"shop.web"`),
		fmt.Sprintf("%s %s %s", number, compare, digit), fmt.Sprintf("%s in [%s]", number, digit),
		fmt.Sprintf("%s %s %s", extra, compare, value), fmt.Sprintf("%s %s %s", value, compare, extra),
		fmt.Sprintf("%s %s %s", extra, textual, literal), "true", "false",
	}).Draw(t, "part")
}

// TestFunctionsAndTheMachineAgree holds the quick way against expr itself.
func TestFunctionsAndTheMachineAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source, r := drawExpression(t, 2), drawRecord(t)
		program, tree, err := compile(source, expr.Optimize(false)) // folding hides errors
		if err != nil {
			if strings.Contains(err.Error(), "invalid operation") || strings.Contains(err.Error(), "cannot use") {
				t.Skip(err)
			}
			t.Fatalf("%s: %v", source, err)
		}
		quick := predicate(tree)
		if quick == nil {
			t.Fatalf("%s is left to the machine: %v", source, tree)
		}
		e := evaluation{record: r}
		got := quick(&e)
		want, err := run(program, r)
		if (e.err != nil) != (err != nil) {
			t.Fatalf("%s: error %v, the machine's %v\nextra: %v", source, e.err, err, r.Extra)
		}
		if err == nil && got != want {
			t.Fatalf("%s: %v, the machine says %v\nrecord: %+v", source, got, want, r)
		}
	})
}
