// Package jinja formats records by Jinja templates, as Logbook's JinjaFormatter
// does. It depends on github.com/nikolalohinski/gonja/v2 and lives apart from
// core/format so that only who uses it has that module.
package jinja

import (
	"errors"
	"fmt"
	"time"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
	"github.com/nikolalohinski/gonja/v2/parser"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/internal/strftime"
)

// maxText bounds the text of one record, in bytes.
const maxText = 16 << 20

// Options changes how a [Formatter] renders. The zero value is ready to use.
type Options struct {
	// Location is the time zone in which times are shown; nil is UTC.
	Location *time.Location
}

// Formatter formats records by a Jinja template, such as
//
//	[{{ record.time | strftime("%H:%M") }}] {{ record.level_name }}: {{ record.message }}
//	{%- if record.extra.ip %} from {{ record.extra.ip }}{% endif %}
//
// The template sees "record" with the attributes that [format.Attributes] lists. The
// traceback is not appended: a template that wants it has
// {{ record.formatted_exception }}. Beyond the filters of Jinja there is "strftime",
// which renders a time by the directives of strftime. Templates stand for themselves:
// extends, include and import are not there.
//
// A Formatter is safe for concurrent use.
type Formatter struct {
	template *exec.Template
	zone     *time.Location
}

var _ format.Formatter = (*Formatter)(nil)

// New parses a template. The error says what is wrong with it.
func New(template string, o Options) (*Formatter, error) {
	const name = "/template"
	loader, err := loaders.NewMemoryLoader(map[string]string{name: template})
	if err != nil {
		return nil, fmt.Errorf("jinja template: %w", err)
	}
	settings := config.New()
	settings.KeepTrailingNewline = true
	parsed, err := exec.NewTemplate(name, settings, loader, environment())
	if err != nil {
		return nil, fmt.Errorf("jinja template: %w", err)
	}
	return &Formatter{parsed, o.Location}, nil
}

// environment is that of Jinja without what reaches beyond the template.
func environment() *exec.Environment {
	filters := exec.NewFilterSet(map[string]exec.FilterFunction{"strftime": filterStrftime}).Update(builtins.Filters)
	return &exec.Environment{
		Context:           exec.EmptyContext().Update(builtins.GlobalFunctions).Update(builtins.GlobalVariables).Update(exec.NewContext(map[string]any{"range": rangeOf})),
		Filters:           filters,
		Tests:             builtins.Tests,
		ControlStructures: structures(),
		Methods:           builtins.Methods,
	}
}

// Append renders r.
func (f *Formatter) Append(dst []byte, r *core.Record) ([]byte, error) {
	attributes := make(map[string]any, len(format.Attributes()))
	for _, name := range format.Attributes() {
		value, _ := format.Attribute(r, name)
		attributes[name] = f.value(value)
	}
	out := &writer{dst: dst, left: maxText}
	err := f.template.Execute(out, exec.NewContext(map[string]any{"record": attributes}))
	if err != nil {
		return out.dst, fmt.Errorf("jinja template: %w", err)
	}
	return out.dst, nil
}

// value returns a value as templates know it.
func (f *Formatter) value(v any) any {
	switch v := v.(type) {
	case core.Fields:
		return v.Map()
	case time.Time:
		if f.zone != nil {
			return v.In(f.zone)
		}
	case fmt.Stringer:
		return v.String()
	}
	return v
}

// writer appends, up to a bound.
type writer struct {
	dst  []byte
	left int
}

func (w *writer) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, fmt.Errorf("the text is longer than %d bytes", maxText)
	}
	w.left -= len(p)
	w.dst = append(w.dst, p...)
	return len(p), nil
}

func filterStrftime(_ *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
	layout := params.First()
	at, ok := in.Interface().(time.Time)
	if !ok || !layout.IsString() {
		return exec.AsValue(errors.New(`strftime is used like {{ record.time | strftime("%H:%M") }}`))
	}
	return exec.AsValue(string(strftime.Append(nil, layout.String(), at)))
}

// maxRange bounds the numbers of a range.
const maxRange = 100_000

// rangeOf is Jinja's range([start, ]stop[, step]).
func rangeOf(_ *exec.Evaluator, params *exec.VarArgs) ([]int, error) {
	bounds := [3]int{0, 0, 1}
	switch len(params.Args) {
	case 1:
		bounds[1] = params.Args[0].Integer()
	case 2, 3:
		for i, a := range params.Args {
			bounds[i] = a.Integer()
		}
	default:
		return nil, errors.New("range takes one to three numbers")
	}
	start, stop, step := bounds[0], bounds[1], bounds[2]
	if step == 0 {
		return nil, errors.New("the step of a range is 0")
	}
	var numbers []int
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(numbers) == maxRange {
			return nil, fmt.Errorf("a range has more than %d numbers", maxRange)
		}
		numbers = append(numbers, i)
	}
	return numbers, nil
}

// structures are the statements that stay within the template.
func structures() *exec.ControlStructureSet {
	set := exec.NewControlStructureSet(map[string]parser.ControlStructureParser{})
	for _, name := range []string{"autoescape", "block", "break", "call", "continue", "do", "filter", "for", "if", "macro", "raw", "set", "with"} {
		if p, ok := builtins.ControlStructures.Get(name); ok {
			_ = set.Register(name, p) // the names differ
		}
	}
	return set
}
