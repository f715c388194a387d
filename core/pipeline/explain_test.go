package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

func steps(list []pipeline.Step) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s.Handler + ": " + string(s.Verdict) + " (" + s.Reason + ")\n")
	}
	return b.String()
}

func TestExplainTellsTheWayOfARecordAndDeliversNothing(t *testing.T) {
	w := newWorld()
	o := w.options(nil)
	top := new(sink)
	o.Top = []core.Binding{{Name: "window", Handler: top, Bubble: true}}
	p, ds := pipeline.New(o, parse(t, `
processors: [{type: mark}]
handlers:
  - {name: errors, type: sink, level: error}
  - {name: shop, type: sink, filter: shop, bubble: true}
  - {name: marked, type: sink, filter: "tick!", bubble: true}
  - {name: off, type: sink, disabled: true}
  - {type: "null", level: debug, filter: tick}
  - {name: rest, type: sink}
`))
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	defer p.Close()
	r := rec(core.LevelInfo, "tick")
	want := `window: bubbled (it takes every level; it bubbles)
errors: level (info is below its level, error)
shop: filter (its filter does not match: shop)
marked: bubbled (it takes every level; its filter matches: tick!; it bubbles)
off: disabled (it is disabled)
null: blackhole (info is not below its level, debug; its filter matches: tick; it discards records)
rest: unreached (the record ends at "null")
`
	if diff := cmp.Diff(want, steps(p.Explain(r))); diff != "" {
		t.Error(diff)
	}
	if got := steps(p.Explain(rec(core.LevelError, "boom"))); !strings.Contains(got, "errors: took (error is not below its level, error; it does not bubble)\nshop: unreached") {
		t.Error(got)
	}
	if r.Message() != "tick" {
		t.Errorf("the record was changed to %q", r.Message())
	}
	for _, h := range p.Status().Handlers {
		if h.Seen != 0 || h.Taken != 0 || h.Filtered != 0 {
			t.Errorf("explaining was counted: %+v", h)
		}
	}
	if top.messages() != "" {
		t.Error("the record was delivered")
	}
}

func TestAConfigurationCanBeExplainedWithoutRunningIt(t *testing.T) {
	w := newWorld()
	tree := parse(t, `{listen: [{type: feed}], handlers: [{name: a, type: sink}]}`)
	var got string
	ds, err := pipeline.Explain(w.options(nil), tree, func(explain func(*core.Record) []pipeline.Step) error {
		got = steps(explain(rec(core.LevelInfo, "x")))
		return nil
	})
	if err != nil || len(ds) > 0 || got != "a: took (it takes every level; it does not bubble)\n" {
		t.Errorf("%v, %v, %q", ds, err, got)
	}
	if len(w.opened) > 0 || w.sinks["a"].closed != 1 {
		t.Errorf("opened %v, closed %d times", w.opened, w.sinks["a"].closed)
	}
}

func diagnose(t *testing.T, o pipeline.Options, source string) string {
	t.Helper()
	tree := parse(t, source)
	_, ds := pipeline.Check(o, tree)
	var b strings.Builder
	if err := tree.Fprint(&b, ds, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// placed is an error that knows where in the expression it is.
type placed struct{}

func (placed) Error() string    { return "unknown name levl" }
func (placed) Span() (int, int) { return 5, 4 }

func TestAMistakeInAFilterIsShownAtItsPlace(t *testing.T) {
	w := newWorld()
	o := w.options(nil)
	o.CompileFilter = func(string) (func(*core.Record) bool, error) { return nil, placed{} }
	got := diagnose(t, o, `
processors: [{type: mark, when: 1 == levl}]
handlers:
  - {type: sink, filter: '1 == levl > 3'}
`)
	want := `test.yaml:2:38: error: when: unknown name levl
    2 | processors: [{type: mark, when: 1 == levl}]
      |                                      ^^^^
test.yaml:4:32: error: filter: unknown name levl
    4 |   - {type: sink, filter: '1 == levl > 3'}
      |                                ^^^^
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesInsideOfAHandlerWithMistakesAreFoundToo(t *testing.T) {
	got := diagnose(t, newWorld().options(nil), `
handlers:
  - type: wrap
    idd: x
    handler:
      type: wrap
      idd: y
      handler: {type: snik}
`)
	want := `test.yaml:4:5: error: unknown key "idd" in handler "wrap"
    4 |     idd: x
      |     ^^^
  hint: did you mean "id"?
test.yaml:7:7: error: unknown key "idd" in handler "wrap"
    7 |       idd: y
      |       ^^^
  hint: did you mean "id"?
test.yaml:8:23: error: unknown type "snik" of a handler
    8 |       handler: {type: snik}
      |                       ^^^^
  hint: did you mean "sink"?
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAHandlerThatNoRecordReachesIsWarnedAbout(t *testing.T) {
	got := diagnose(t, newWorld().options(nil), `
handlers:
  - {name: off, type: sink, disabled: true}
  - {name: all, type: sink}
  - {name: late, type: sink, level: error}
`)
	want := `test.yaml:5:5: warning: handler "late" gets no records: "all" above takes them all and does not bubble
    5 |   - {name: late, type: sink, level: error}
      |     ^
  hint: set "bubble: true" for "all", or move it down
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRedactTakesSecretsOutOfEverythingThatIsHandedOn(t *testing.T) {
	w := newWorld()
	o := w.options(nil)
	o.Kinds.Processors = []pipeline.ProcessorKind{pipeline.Redact()}
	var got *core.Record
	o.Top = []core.Binding{{Bubble: true, Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		got = r
		return nil
	})}}
	p, ds := pipeline.New(o, parse(t, `
processors:
  - {type: redact, fields: [extra.password, extra.user.pin]}
  - {type: redact, fields: [message, exception, extra.headers], pattern: '(?i)(bearer) \S+', replacement: "$1 ***"}
`))
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	defer p.Close()
	user := map[string]any{"pin": int64(1234), "name": "zoë"}
	r := core.NewReceived(&core.Record{
		Level: core.LevelInfo, Msg: "sent {0} for {who}", Args: []any{"Bearer hunter2"}, Kwargs: core.Fields{core.Kw("who", "x")},
		Extra: core.Fields{
			{Key: "password", Value: "hunter2"},
			{Key: "user", Value: user},
			{Key: "headers", Value: []any{"bearer hunter2", int64(5)}},
			{Key: "other", Value: "kept"},
		},
		Exception: &core.Exception{Name: "E", Message: "BEARER hunter2", Traceback: "line\nbearer hunter2\n"},
	}, core.Source{Name: "x"}, rec(0, "").Received)
	if err := p.Dispatch(r); err != nil {
		t.Fatal(err)
	}
	if got.Message() != "sent Bearer *** for x" || got.Args[0] != "Bearer ***" {
		t.Errorf("message %q, args %v", got.Message(), got.Args)
	}
	want := map[string]any{
		"password": "<redacted>", "user": map[string]any{"pin": "<redacted>", "name": "zoë"},
		"headers": []any{"bearer ***", int64(5)}, "other": "kept",
	}
	if diff := cmp.Diff(want, got.Extra.Map()); diff != "" {
		t.Error(diff)
	}
	if e := got.Exception; e.Message != "BEARER ***" || e.Traceback != "line\nbearer ***\n" {
		t.Errorf("exception %+v", e)
	}
	if user["pin"] != int64(1234) {
		t.Error("a value that others may share was changed")
	}
}

func TestRedactRefusesFieldsThatDoNotExist(t *testing.T) {
	o := newWorld().options(nil)
	o.Kinds.Processors = []pipeline.ProcessorKind{pipeline.Redact()}
	_, ds := pipeline.Check(o, parse(t, `processors: [{type: redact, fields: [messge], pattern: '('}]`))
	_, ds2 := pipeline.Check(o, parse(t, `processors: [{type: redact, fields: [messge, extra.]}]`))
	var got []string
	for _, d := range append(ds, ds2...) {
		got = append(got, d.Message)
	}
	want := []string{
		"pattern: error parsing regexp: missing closing ): `(`",
		`fields: "extra." is not one of message, exception, extra, extra.<name>`,
		`fields: "messge" is not one of message, exception, extra, extra.<name>`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
