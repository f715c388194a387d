package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

func (b *builder) scalar(a ast.Node) *Node {
	tk := a.GetToken()
	n := b.at(Null, tk, width(tk))
	b.count(1, tk)
	switch a := a.(type) {
	case *ast.NullNode:
		return n
	case *ast.BoolNode:
		n.Kind = Bool
	case *ast.IntegerNode:
		n.Kind = Int
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		n.Kind = Float
	case *ast.StringNode:
		n.Kind = String
	case *ast.LiteralNode:
		n.Kind = String
		n.text = a.Value.Value
		b.expand(n)
		return n
	default:
		b.add(n.Errorf("%s has no meaning here", strings.ToLower(a.Type().YAMLName())))
		return n
	}
	n.text = tk.Value
	n.quote = quotes(tk)
	n.exact = n.EndColumn-n.Column == len([]rune(n.text))+2*n.quote
	b.expand(n)
	return n
}

// width is the number of characters of a scalar on its first line.
func width(tk *token.Token) int {
	text := strings.TrimLeft(tk.Origin, " \t\r\n")
	text, _, _ = strings.Cut(text, "\n")
	text = strings.TrimRight(text, " \t\r")
	return max(1, len([]rune(text)))
}

func quotes(tk *token.Token) int {
	if tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType {
		return 1
	}
	return 0
}

// expand replaces ${NAME} and ${NAME:-default} by environment variables; $${
// stands for "${" itself. It works on single values after the file was taken
// apart, so that a variable can neither add keys nor move the places of others.
func (b *builder) expand(n *Node) {
	if !strings.Contains(n.text, "${") {
		return
	}
	var out strings.Builder
	rest := n.text
	for {
		before, after, ok := strings.Cut(rest, "${")
		out.WriteString(before)
		if !ok {
			break
		}
		if strings.HasSuffix(before, "$") { // "$${": the first $ is out already
			out.WriteString("{")
			rest = after
			continue
		}
		reference, tail, closed := strings.Cut(after, "}")
		if !closed {
			b.add(n.Errorf("the variable ${%s has no closing brace", clip(after)))
			return
		}
		out.WriteString(b.variable(n, reference))
		rest = tail
	}
	n.text, n.expanded, n.exact = out.String(), true, false
}

func (b *builder) variable(n *Node, reference string) string {
	name, fallback, hasFallback := strings.Cut(reference, ":-")
	if !isVariable(name) {
		d := n.Errorf("%q is not a name of an environment variable", clip(name))
		d.Hint = "write $${ for a dollar sign and a brace"
		b.add(d)
		return ""
	}
	value, ok := b.tree.options.LookupEnv(name)
	switch {
	case ok && (value != "" || !hasFallback):
		return value
	case hasFallback:
		return fallback
	}
	d := n.Errorf("environment variable %s is not set", name)
	d.Hint = "set it, or give a default: ${" + name + ":-default}"
	b.add(d)
	return ""
}

func isVariable(name string) bool {
	for i, c := range name {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// clip shortens text of the file that is quoted in a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}
