package expression

import (
	"cmp"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"

	"github.com/logbook-tray/logbook-tray/core"
)

// levelNames replaces the name of a level that is compared with level by its
// number.
type levelNames struct{ err *Error }

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
		at := name.Location()
		l.err = &Error{Message: err.Error(), From: at.From, Length: max(1, at.To-at.From)}
	}
	ast.Patch(other, &ast.IntegerNode{Value: int(level)})
}

// extraValues makes extra data that is missing read as "", as in Logbook:
// extra.a.b becomes a call of extraFunction with extra, "a" and "b".
type extraValues struct{ ours map[ast.Node]bool }

// Visit implements ast.Visitor. Children are visited before their parents.
func (x *extraValues) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		x.member(node, n)
	case *ast.ChainNode: // extra?.a is the same as extra.a
		if x.ours[n.Node] {
			*node = n.Node
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "<", "<=", ">", ">=":
			if x.ours[n.Left] || x.ours[n.Right] {
				x.replace(node, compareName, &ast.StringNode{Value: n.Operator}, n.Left, n.Right)
			}
		}
	}
}

func (x *extraValues) member(node *ast.Node, n *ast.MemberNode) {
	if n.Method {
		return
	}
	if id, ok := n.Node.(*ast.IdentifierNode); ok && id.Value == "extra" {
		x.ours[x.replace(node, extraName, n.Node, n.Property)] = true
		return
	}
	if call, ok := n.Node.(*ast.CallNode); ok && x.ours[call] {
		x.ours[x.replace(node, extraName, append(call.Arguments, n.Property)...)] = true
	}
}

func (x *extraValues) replace(node *ast.Node, function string, arguments ...ast.Node) ast.Node {
	at := (*node).Location()
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: function}, Arguments: arguments}
	call.SetLocation(at)
	call.Callee.SetLocation(at)
	ast.Patch(node, call)
	return call
}

const extraName = "__extra"

// extraFunction finds extra data by its path; "" is what is missing.
func extraFunction() expr.Option {
	return expr.Function(extraName, func(args ...any) (any, error) {
		v := args[0]
		for _, key := range args[1:] {
			v = part(v, key)
		}
		return v, nil
	}, new(func(map[string]any, any, ...any) any))
}

// part returns the part of a map or list; "" if it has none such.
func part(v, key any) any {
	switch v := v.(type) {
	case map[string]any:
		if name, ok := key.(string); ok && v[name] != nil {
			return v[name]
		}
	case []any:
		if i, ok := number(key); ok && i >= 0 && int(i) < len(v) && v[int(i)] != nil {
			return v[int(i)]
		}
	}
	return ""
}

const compareName = "__compare"

// compareFunction is what <, <=, > and >= become where extra data is involved: false
// for what has no order, such as a value that is missing and a number.
func compareFunction() expr.Option {
	return expr.Function(compareName, func(args ...any) (any, error) {
		operator, _ := args[0].(string)
		return ordered(operator, args[1], args[2]), nil
	}, new(func(string, any, any) bool))
}

func ordered(operator string, a, b any) bool {
	var order int
	if s, ok := a.(string); ok {
		t, ok := b.(string)
		if !ok {
			return false
		}
		order = cmp.Compare(s, t)
	} else {
		x, ok := number(a)
		y, ok2 := number(b)
		if !ok || !ok2 || x != x || y != y {
			return false
		}
		order = cmp.Compare(x, y)
	}
	return holds(operator, order)
}

func holds(operator string, order int) bool {
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "==":
		return order == 0
	case "!=":
		return order != 0
	}
	return false
}

// number returns the value of a number, whatever its type.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case int8, int16, int32, uint, uint8, uint16, uint32, uint64, float32, core.Level:
		return odd(v)
	}
	return 0, false
}

// odd is number for the types that only records logged in Go have.
func odd(v any) (float64, bool) {
	switch v := v.(type) {
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case uint:
		return float64(v), true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float32:
		return float64(v), true
	case core.Level:
		return float64(v), true
	}
	return 0, false
}
