// Package expression compiles the expressions of the configuration file: filters
// over a record, such as
//
//	level >= "error" && channel startsWith "shop." && extra.env != "test"
//
// and texts made of one, such as fingerprints. The language is that of
// github.com/expr-lang/expr, the names are the fields of [Environment]. Levels
// compare by name; extra data that is missing reads as "", and is neither less nor
// greater than anything. Nothing in an expression can call out of it, and its
// length, its work and its memory are bounded.
//
// Comparisons, which is what most filters consist of, become plain functions; what
// else the language has runs on expr's machine, some ten times slower.
package expression

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/logbook-tray/logbook-tray/core"
)

// Environment are the names that an expression can use.
type Environment struct {
	Level     int            `expr:"level"` // compare with a name: level >= "error"
	Channel   string         `expr:"channel"`
	Message   string         `expr:"message"`
	Msg       string         `expr:"msg"`
	Extra     map[string]any `expr:"extra"`
	Exception Exception      `expr:"exception"`
	Source    Source         `expr:"source"`
	Process   Process        `expr:"process"`
	Thread    Process        `expr:"thread"`
	File      string         `expr:"file"`
	Line      int            `expr:"line"`
	Function  string         `expr:"function"`
	Module    string         `expr:"module"`
	Time      time.Time      `expr:"time"`
}

// Exception is the error of a record; all is empty if it has none.
type Exception struct {
	Name      string `expr:"name"`
	ShortName string `expr:"short_name"`
	Message   string `expr:"message"`
	Traceback string `expr:"traceback"`
}

// Source is the subscriber that a record came in by.
type Source struct {
	Name string `expr:"name"`
	Peer string `expr:"peer"`
	Host string `expr:"host"` // Peer without the port
}

// Process identifies a process or thread.
type Process struct {
	ID   int    `expr:"id"`
	Name string `expr:"name"`
}

// The bounds of an expression.
const (
	MaxSource = 4096   // bytes
	MaxNodes  = 300    // names, values and operators
	MaxSteps  = 5000   // rounds that all, any, filter, map and the like make for one record
	MaxValues = 20_000 // elements of the lists and maps that it makes for one record
)

// Error is a mistake in an expression.
type Error struct {
	Source  string
	Message string
	// From is where it is, in characters from 0 on; Length how long that is.
	From, Length int
}

// Error returns the message and, where the expression has several characters to
// choose from, the place.
func (e *Error) Error() string { return fmt.Sprintf("%s (at character %d)", e.Message, e.From+1) }

// Span returns From and Length, for those who show the place.
func (e *Error) Span() (from, length int) { return e.From, e.Length }

// Options are what can be said about the expressions to compile. The zero value
// is useful.
type Options struct {
	// OnError, if not nil, is told about the first record for which an expression
	// could not be evaluated; once for each expression that is compiled, by
	// whoever dispatches the record.
	OnError func(error)
}

// Compile compiles a filter; see [Options.Compile].
func Compile(source string) (func(*core.Record) bool, error) { return Options{}.Compile(source) }

// CompileText compiles a text; see [Options.CompileText].
func CompileText(source string) (func(*core.Record) string, error) {
	return Options{}.CompileText(source)
}

// Compile compiles a filter. The error is an [*Error]. The filter may be called
// concurrently. A record for which it cannot be evaluated, such as one whose extra
// data is of a type that the filter does not expect, does not match.
func (o Options) Compile(source string) (func(*core.Record) bool, error) {
	program, tree, err := compile(source, expr.AsBool())
	if err != nil {
		return nil, err
	}
	failed := o.reporter(source)
	if quick := predicate(tree); quick != nil {
		return func(r *core.Record) bool {
			e := evaluation{record: r}
			matches := quick(&e)
			if e.err != nil {
				failed(e.err)
				return false
			}
			return matches
		}, nil
	}
	return func(r *core.Record) bool {
		out, err := run(program, r)
		if err != nil {
			failed(err)
			return false
		}
		matches, _ := out.(bool)
		return matches
	}, nil
}

// CompileText compiles an expression that makes a text of a record, such as a
// fingerprint or a key. Numbers and the like are rendered; a record for which it
// cannot be evaluated gives "".
func (o Options) CompileText(source string) (func(*core.Record) string, error) {
	program, tree, err := compile(source)
	if err != nil {
		return nil, err
	}
	failed := o.reporter(source)
	if text := textOf(tree); text != nil {
		return text, nil
	}
	return func(r *core.Record) string {
		out, err := run(program, r)
		if err != nil {
			failed(err)
			return ""
		}
		if out == nil {
			return ""
		}
		return fmt.Sprint(out)
	}, nil
}

// reporter returns what tells OnError, once.
func (o Options) reporter(source string) func(error) {
	if o.OnError == nil {
		return func(error) {}
	}
	var told atomic.Bool
	return func(err error) {
		if !told.Swap(true) {
			o.OnError(fmt.Errorf("evaluate %q: %w", source, plain(err)))
		}
	}
}

// plain returns the error without expr's drawing of the place.
func plain(err error) error {
	if e, ok := errors.AsType[*file.Error](err); ok {
		return errors.New(e.Message)
	}
	return err
}

// run evaluates a program. expr turns its own panics into errors.
func run(program *vm.Program, r *core.Record) (any, error) {
	machine := vm.VM{MemoryBudget: MaxValues}
	return machine.Run(program, machineEnvironment{environment(r), new(steps)})
}

// compile returns the program and the tree that it was made of, before expr's
// optimizations.
func compile(source string, options ...expr.Option) (*vm.Program, ast.Node, error) {
	if len(source) > MaxSource {
		return nil, nil, &Error{Source: source, Message: fmt.Sprintf("the expression is longer than %d bytes", MaxSource), Length: 1}
	}
	levels, extras, limits := &levelNames{}, &extraValues{ours: map[ast.Node]bool{}}, &limits{}
	options = append(options, expr.Env(machineEnvironment{}), expr.MaxNodes(MaxNodes),
		expr.Patch(levels), expr.Patch(extras), expr.Patch(limits),
		compareFunction(), extraFunction(), stepFunction(), expr.DisableBuiltin("repeat"))
	program, err := expr.Compile(source, options...)
	for _, e := range []*Error{levels.err, limits.err} {
		if e != nil {
			e.Source = source
			return nil, nil, e
		}
	}
	if err != nil {
		return nil, nil, located(source, err)
	}
	extras.ours = map[ast.Node]bool{}
	raw, err := expr.Compile(source, append(options, expr.Optimize(false))...)
	if err != nil {
		return nil, nil, located(source, err)
	}
	return program, raw.Node(), nil
}

func located(source string, err error) *Error {
	out := &Error{Source: source, Message: strings.TrimSpace(err.Error()), Length: 1}
	if e, ok := errors.AsType[*file.Error](err); ok {
		out.Message = e.Message
		out.From = min(e.From, len([]rune(source)))
		out.Length = max(1, e.To-e.From)
	}
	if rest, ok := strings.CutPrefix(out.Message, "compilation failed: expression exceeds maximum allowed nodes"); ok {
		out.Message = fmt.Sprintf("the expression has more than %d parts%s", MaxNodes, rest)
	}
	return out
}

func environment(r *core.Record) Environment {
	site := r.Caller()
	e := Environment{
		Level: int(r.Level), Channel: r.Channel, Message: r.Message(), Msg: r.Msg, Extra: r.Extra.Map(),
		Source:  Source{Name: r.Source.Name, Peer: r.Source.Peer, Host: host(r.Source.Peer)},
		Process: Process{ID: r.Process.ID, Name: r.Process.Name},
		Thread:  Process{ID: int(r.Thread.ID), Name: r.Thread.Name},
		File:    site.File, Line: site.Line, Function: site.Function, Module: site.Module, Time: r.Time,
	}
	if x := r.Exception; x != nil {
		e.Exception = Exception{Name: x.Name, ShortName: x.ShortName(), Message: x.Message, Traceback: x.Traceback}
	}
	return e
}

func host(peer string) string {
	if _, rest, ok := strings.Cut(peer, "://"); ok {
		peer = rest
	}
	if colon := strings.LastIndexByte(peer, ':'); colon >= 0 {
		peer = peer[:colon]
	}
	return strings.Trim(peer, "[]")
}
