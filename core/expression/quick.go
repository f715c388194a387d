package expression

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/logbook-tray/logbook-tray/core"
)

// evaluation is one filter at work on one record.
type evaluation struct {
	record *core.Record
	err    error // what could not be evaluated; the result does not count then
}

// test is a part of a filter as a function.
type test func(*evaluation) bool

// predicate returns n as a function, or nil if it has something in it that only the
// machine can do.
func predicate(n ast.Node) test {
	switch n := n.(type) {
	case *ast.BoolNode:
		value := n.Value
		return func(*evaluation) bool { return value }
	case *ast.UnaryNode:
		if inner := predicate(n.Node); inner != nil && (n.Operator == "!" || n.Operator == "not") {
			return func(e *evaluation) bool { return !inner(e) }
		}
	case *ast.BinaryNode:
		return binary(n)
	case *ast.CallNode:
		return compared(n)
	}
	return nil
}

// compared is a call of [compareFunction].
func compared(n *ast.CallNode) test {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || id.Value != compareName || len(n.Arguments) != 3 {
		return nil
	}
	operator, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		return nil
	}
	return comparison(operator.Value, n.Arguments[1], n.Arguments[2])
}

func binary(n *ast.BinaryNode) test {
	switch n.Operator {
	case "&&", "and":
		if a, b := predicate(n.Left), predicate(n.Right); a != nil && b != nil {
			return func(e *evaluation) bool { return a(e) && b(e) }
		}
	case "||", "or":
		if a, b := predicate(n.Left), predicate(n.Right); a != nil && b != nil {
			return func(e *evaluation) bool { return a(e) || e.err == nil && b(e) }
		}
	case "==", "!=", "<", "<=", ">", ">=":
		return comparison(n.Operator, n.Left, n.Right)
	case "startsWith":
		return textual(n, strings.HasPrefix)
	case "endsWith":
		return textual(n, strings.HasSuffix)
	case "contains":
		return textual(n, strings.Contains)
	case "matches":
		return matches(n)
	case "in":
		return membership(n)
	}
	return nil
}

// comparison compares a field with a constant, on either side.
func comparison(operator string, left, right ast.Node) test {
	if constant(left) != nil && constant(right) == nil {
		mirrored := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
		return comparison(mirrored[operator], right, left)
	}
	value := constant(right)
	switch value := value.(type) {
	case string:
		if field := textField(left); field != nil {
			return func(e *evaluation) bool { return holds(operator, strings.Compare(field(e.record), value)) }
		}
	case int:
		if field := numberField(left); field != nil {
			return func(e *evaluation) bool { return holds(operator, cmp.Compare(field(e.record), value)) }
		}
	case nil:
		return nil
	}
	if path := extraPath(left); path != nil {
		return extraComparison(operator, path, value)
	}
	return nil
}

func extraComparison(operator string, path []string, value any) test {
	switch operator {
	case "==":
		return func(e *evaluation) bool { return equal(extraValue(e, path), value) }
	case "!=":
		return func(e *evaluation) bool { return !equal(extraValue(e, path), value) }
	}
	return func(e *evaluation) bool { return ordered(operator, extraValue(e, path), value) }
}

// equal is equality as expr has it: numbers by value.
func equal(a, b any) bool {
	switch b := b.(type) {
	case string:
		s, ok := a.(string)
		return ok && s == b
	case bool:
		v, ok := a.(bool)
		return ok && v == b
	}
	x, ok := number(a)
	y, ok2 := number(b)
	return ok && ok2 && x == y
}

// textual is an operator on a text and a constant one.
func textual(n *ast.BinaryNode, operator func(s, constant string) bool) test {
	value, ok := n.Right.(*ast.StringNode)
	field := anyText(n.Left)
	if !ok || field == nil {
		return nil
	}
	constant := value.Value
	return func(e *evaluation) bool { return operator(field(e), constant) }
}

func matches(n *ast.BinaryNode) test {
	value, ok := n.Right.(*ast.StringNode)
	field := anyText(n.Left)
	if !ok || field == nil {
		return nil
	}
	pattern, err := regexp.Compile(value.Value)
	if err != nil {
		return nil // expr has said so already
	}
	return func(e *evaluation) bool { return pattern.MatchString(field(e)) }
}

// membership is "field in [constants]".
func membership(n *ast.BinaryNode) test {
	array, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		return nil
	}
	var texts []string
	var numbers []int
	for _, item := range array.Nodes {
		switch value := constant(item).(type) {
		case string:
			texts = append(texts, value)
		case int:
			numbers = append(numbers, value)
		default:
			return nil
		}
	}
	if field := textField(n.Left); field != nil && len(numbers) == 0 {
		return func(e *evaluation) bool { return slices.Contains(texts, field(e.record)) }
	}
	if field := numberField(n.Left); field != nil && len(texts) == 0 {
		return func(e *evaluation) bool { return slices.Contains(numbers, field(e.record)) }
	}
	return nil
}

// constant returns the value of a literal; nil for everything else.
func constant(n ast.Node) any {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	}
	return nil
}

// anyText is a text, of a field or of extra data. Extra data that is no text
// cannot be evaluated.
func anyText(n ast.Node) func(*evaluation) string {
	if field := textField(n); field != nil {
		return func(e *evaluation) string { return field(e.record) }
	}
	path := extraPath(n)
	if path == nil {
		return nil
	}
	return func(e *evaluation) string {
		v := extraValue(e, path)
		s, ok := v.(string)
		if !ok && e.err == nil {
			e.err = fmt.Errorf("extra.%s is a %T and not a text", strings.Join(path, "."), v)
		}
		return s
	}
}

// extraPath returns the a and b of extra.a.b, which [extraValues] has made a
// call.
func extraPath(n ast.Node) []string {
	call, ok := n.(*ast.CallNode)
	if !ok || len(call.Arguments) < 2 {
		return nil
	}
	if id, ok := call.Callee.(*ast.IdentifierNode); !ok || id.Value != extraName {
		return nil
	}
	var path []string
	for _, a := range call.Arguments[1:] {
		key, ok := a.(*ast.StringNode)
		if !ok {
			return nil
		}
		path = append(path, key.Value)
	}
	return path
}

// extraValue returns what stands under path, "" for what is missing.
func extraValue(e *evaluation, path []string) any {
	v, ok := e.record.Extra.Lookup(path[0])
	if !ok || v == nil {
		return ""
	}
	for _, key := range path[1:] {
		v = part(v, key)
	}
	return v
}

// textOf returns a text expression that is merely a field as a function.
func textOf(n ast.Node) func(*core.Record) string { return textField(n) }
