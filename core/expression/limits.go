package expression

import (
	"errors"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// machineEnvironment is what expr's machine works with.
type machineEnvironment struct {
	Environment

	Steps *steps `expr:"__steps"`
}

// steps counts the rounds of one evaluation.
type steps struct{ n int }

var errTooLong = errors.New("it takes too long")

const stepName = "__step"

// stepFunction is called in every round of a loop, and ends it when there were
// too many.
func stepFunction() expr.Option {
	return expr.Function(stepName, func(args ...any) (any, error) {
		s, ok := args[0].(*steps)
		if !ok {
			return nil, errTooLong
		}
		if s.n++; s.n > MaxSteps {
			return nil, errTooLong
		}
		return true, nil
	}, new(func(*steps) bool))
}

// limits makes sure that the work of an expression is bounded by its length and
// the size of the record. expr bounds neither loops within loops nor the growth
// of texts.
type limits struct{ err *Error }

// Visit implements ast.Visitor.
func (l *limits) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		l.count(n)
	case *ast.VariableDeclaratorNode:
		l.refuse(n, "let is not available here") // a text doubled in each of them grows without bound
	case *ast.BuiltinNode:
		switch n.Name {
		case "reduce": // so does one that is doubled in every round
			l.refuse(n, "reduce is not available here")
		case "replace", "join":
			l.literals(n)
		}
	}
}

// count makes the body of a loop count its rounds.
func (l *limits) count(n *ast.PredicateNode) {
	if _, done := n.Node.(*ast.SequenceNode); done {
		return
	}
	at := n.Node.Location()
	step := &ast.CallNode{Callee: &ast.IdentifierNode{Value: stepName}, Arguments: []ast.Node{&ast.IdentifierNode{Value: "__steps"}}}
	step.SetLocation(at)
	step.Callee.SetLocation(at)
	body := &ast.SequenceNode{Nodes: []ast.Node{step, n.Node}}
	body.SetLocation(at)
	n.Node = body
}

// literals refuses texts from the record as a replacement or separator: what is
// put in many times has to be known.
func (l *limits) literals(n *ast.BuiltinNode) {
	for _, a := range n.Arguments[1:] {
		switch a.(type) {
		case *ast.StringNode, *ast.IntegerNode:
		default:
			l.refuse(a, "this argument of "+n.Name+" must be a text in quotes")
		}
	}
}

func (l *limits) refuse(n ast.Node, message string) {
	if l.err == nil {
		at := n.Location()
		l.err = &Error{Message: message, From: at.From, Length: max(1, at.To-at.From)}
	}
}
