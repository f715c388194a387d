// Package expression compiles the expressions of the configuration file: filters
// over a record, such as
//
//	level >= "error" && channel startsWith "shop." && extra.env != "test"
//
// The language is that of github.com/expr-lang/expr. Levels compare by name, extra
// data that is missing reads as "", and nothing in an expression can call out of it.
package expression

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
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

// MaxSource is how long an expression may be, in bytes.
const MaxSource = 4096

// Compile compiles a filter. The error says what is wrong and shows where. The
// filter may be called concurrently. A record for which it cannot be evaluated,
// such as one whose extra data has another type than the filter expects, does not
// match.
func Compile(source string) (func(*core.Record) bool, error) {
	program, err := compile(source, expr.AsBool())
	if err != nil {
		return nil, err
	}
	return func(r *core.Record) bool {
		out, err := expr.Run(program, environment(r))
		matches, _ := out.(bool)
		return err == nil && matches
	}, nil
}

// CompileText compiles an expression that makes a text of a record, such as a
// fingerprint or a key. Numbers and the like are rendered; a record for which it
// cannot be evaluated gives "".
func CompileText(source string) (func(*core.Record) string, error) {
	program, err := compile(source)
	if err != nil {
		return nil, err
	}
	return func(r *core.Record) string {
		out, err := expr.Run(program, environment(r))
		if err != nil || out == nil {
			return ""
		}
		return fmt.Sprint(out)
	}, nil
}

func compile(source string, options ...expr.Option) (*vm.Program, error) {
	if len(source) > MaxSource {
		return nil, fmt.Errorf("the expression is longer than %d bytes", MaxSource)
	}
	levels := &levelNames{}
	options = append(options, expr.Env(Environment{}), expr.Patch(levels))
	program, err := expr.Compile(source, options...)
	if levels.err != nil {
		return nil, levels.err
	}
	if err != nil {
		return nil, fmt.Errorf("%s", strings.TrimSpace(err.Error())) //nolint:err113 // a message of several lines that shows the place
	}
	return program, nil
}

// levelNames replaces the name of a level that is compared with level by its
// number.
type levelNames struct{ err error }

// Visit implements ast.Visitor.
func (l *levelNames) Visit(node *ast.Node) {
	binary, ok := (*node).(*ast.BinaryNode)
	if !ok {
		return
	}
	switch binary.Operator {
	case "==", "!=", "<", "<=", ">", ">=":
		l.compare(binary.Left, &binary.Right)
		l.compare(binary.Right, &binary.Left)
	case "in":
		if array, ok := binary.Right.(*ast.ArrayNode); ok {
			for i := range array.Nodes {
				l.compare(binary.Left, &array.Nodes[i])
			}
		}
	}
}

func (l *levelNames) compare(one ast.Node, other *ast.Node) {
	id, ok := one.(*ast.IdentifierNode)
	name, named := (*other).(*ast.StringNode)
	if !ok || !named || id.Value != "level" {
		return
	}
	level, err := core.ParseLevel(name.Value)
	if err != nil && l.err == nil {
		l.err = err
	}
	ast.Patch(other, &ast.IntegerNode{Value: int(level)})
}

func environment(r *core.Record) Environment {
	site := r.Caller()
	e := Environment{
		Level: int(r.Level), Channel: r.Channel, Message: r.Message(), Msg: r.Msg, Extra: extra(r),
		Source:  Source{Name: r.Source.Name, Peer: r.Source.Peer, Host: host(r.Source.Peer)},
		Process: Process{ID: r.Process.ID, Name: r.Process.Name},
		Thread:  Process{ID: int(r.Thread.ID), Name: r.Thread.Name},
		File:    site.File, Line: site.Line, Function: site.Function, Module: site.Module,
	}
	if x := r.Exception; x != nil {
		e.Exception = Exception{Name: x.Name, ShortName: x.ShortName(), Message: x.Message, Traceback: x.Traceback}
	}
	return e
}

// none is the extra data of most records.
var none = map[string]any{}

func extra(r *core.Record) map[string]any {
	if len(r.Extra) == 0 {
		return none
	}
	return r.Extra.Map()
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
