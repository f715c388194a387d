package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// builder turns the parser's tree into ours.
type builder struct {
	tree        *Tree
	anchors     map[string]*Node
	depth       int
	total       int
	tooMany     bool
	diagnostics Diagnostics
}

func (b *builder) add(d Diagnostic) { b.diagnostics = append(b.diagnostics, d) }

func (b *builder) addAt(line, column, length int, hint, format string, args ...any) {
	d := Diagnostic{
		File: b.tree.path, Line: line, Column: column, EndColumn: column + length,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	}
	b.add(b.tree.clamp(d))
}

// document returns the root; it is an empty map where there is none.
func (b *builder) document() (root *Node) {
	root = &Node{Kind: Map, Line: 1, Column: 1, EndColumn: 2, tree: b.tree}
	if len(b.tree.source) > MaxSize {
		b.addAt(1, 1, 1, "", "the file is larger than %d KiB", MaxSize>>10)
		return root
	}
	file := b.syntax()
	if file == nil {
		return root
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if body != nil {
			start := doc.Start
			if start == nil {
				start = doc.Body.GetToken()
			}
			line, column := position(start)
			b.addAt(line, column, width(start), `remove the "---" line and what follows`, "the file has more than one document")
			break
		}
		body = doc.Body
	}
	if body == nil {
		return root
	}
	n := b.node(body)
	switch {
	case n.Kind == Map:
		return n
	case n.Kind != Null:
		b.add(n.Errorf("the file must be a map, such as \"handlers:\", not %s", n.Kind))
	}
	return root
}

// syntax runs the parser. It stops at the first mistake, and so do we: what
// follows would be guesses.
func (b *builder) syntax() (file *ast.File) {
	defer func() {
		if v := recover(); v != nil {
			b.addAt(1, 1, 1, "", "the file cannot be understood: %v", v)
			file = nil
		}
	}()
	tokens := lexer.Tokenize(string(b.tree.source))
	if !b.shallow(tokens) {
		return nil
	}
	// Duplicate keys are ours to report: with both places, and not as the last
	// thing said about the file.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		b.syntaxError(err)
		return nil
	}
	return file
}

// shallow reports a file that is nested so deep that the parser, which is
// recursive, would exhaust the stack.
func (b *builder) shallow(tokens token.Tokens) bool {
	depth := 0
	for _, tk := range tokens {
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			// "- - - -" nests by its column; so do tags and anchors.
			if tk.Position.Column > 4*MaxDepth && depth == 0 {
				depth = MaxDepth + 1
			}
		default:
		}
		if depth > MaxDepth {
			line, column := position(tk)
			b.addAt(line, column, 1, "", "nested more than %d levels deep", MaxDepth)
			return false
		}
	}
	return true
}

func (b *builder) syntaxError(err error) {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		b.addAt(1, 1, 1, "", "%v", err)
		return
	}
	tk := e.GetToken()
	line, column := position(tk)
	message, hint := e.GetMessage(), ""
	switch {
	case strings.Contains(message, "'\t'") || strings.Contains(message, "tab character"):
		message, hint = "a tab cannot indent", "use spaces"
	case strings.Contains(message, "reserved character"):
		hint = "put the value in quotes"
	case strings.Contains(message, "mapping value is not allowed"):
		hint = `put a value that contains ": " in quotes`
	case tk.Type == token.MappingStartType && tk.Prev != nil && strings.HasSuffix(tk.Prev.Value, "$"):
		hint = `inside {...} a value with ${...} needs quotes: "${NAME}"`
	}
	b.addAt(line, column, 1, hint, "%s", message)
}

func position(tk *token.Token) (line, column int) {
	if tk == nil || tk.Position == nil {
		return 1, 1
	}
	return tk.Position.Line, tk.Position.Column
}

// at returns a node of the given kind that stands at tk.
func (b *builder) at(k Kind, tk *token.Token, length int) *Node {
	line, column := position(tk)
	return &Node{Kind: k, Line: line, Column: column, EndColumn: column + length, tree: b.tree, size: 1}
}

func (b *builder) node(a ast.Node) *Node {
	b.depth++
	defer func() { b.depth-- }()
	if b.depth > MaxDepth {
		n := b.at(Null, a.GetToken(), 1)
		b.add(n.Errorf("nested more than %d levels deep", MaxDepth))
		return n
	}
	switch a := a.(type) {
	case *ast.MappingNode:
		return b.mapping(a, a.Values)
	case *ast.MappingValueNode:
		return b.mapping(a, []*ast.MappingValueNode{a})
	case *ast.SequenceNode:
		return b.sequence(a)
	case *ast.AnchorNode:
		n := b.node(a.Value)
		b.anchors[a.Name.GetToken().Value] = n // only now: an anchor cannot contain itself
		return n
	case *ast.AliasNode:
		return b.alias(a)
	case *ast.TagNode:
		return b.tag(a)
	}
	return b.scalar(a)
}

func (b *builder) alias(a *ast.AliasNode) *Node {
	name := a.Value.GetToken().Value
	n, ok := b.anchors[name]
	if !ok {
		at := b.at(Null, a.Start, 1+len([]rune(name)))
		b.add(at.Errorf("there is no anchor &%s before this", name))
		return at
	}
	b.count(n.size, a.GetToken())
	return n
}

func (b *builder) tag(a *ast.TagNode) *Node {
	if a.Value == nil {
		return b.at(Null, a.Start, 1)
	}
	n := b.node(a.Value)
	switch a.Start.Value {
	case "!!str":
		if n.Kind == Map || n.Kind == List {
			break
		}
		n.Kind = String
		return n
	case "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq":
		return n
	}
	at := b.at(Null, a.Start, len([]rune(a.Start.Value)))
	d := at.Errorf("tag %s has no meaning here", a.Start.Value)
	d.Hint = "put the value in quotes if it starts with an exclamation mark"
	b.add(d)
	return n
}

// count bounds the size that the tree has with its aliases resolved.
func (b *builder) count(size int, tk *token.Token) {
	b.total += size
	if b.total > MaxNodes && !b.tooMany {
		b.tooMany = true
		b.add(b.at(Null, tk, 1).Errorf("the file has more than %d values, aliases included", MaxNodes))
	}
}

func (b *builder) sequence(a *ast.SequenceNode) *Node {
	n := b.at(List, a.Start, 1)
	b.count(1, a.Start)
	for _, v := range a.Values {
		if b.tooMany {
			break
		}
		item := b.node(v)
		n.Items = append(n.Items, item)
		n.size += item.size
	}
	return n
}

func (b *builder) mapping(a ast.Node, values []*ast.MappingValueNode) *Node {
	n := b.at(Map, a.GetToken(), 1)
	if tk := a.GetToken(); tk.Type != token.MappingStartType && len(values) > 0 {
		// The token of a block map is its first colon; the place of the
		// map is that of its first key.
		n.Line, n.Column = position(values[0].Key.GetToken())
		n.EndColumn = n.Column + 1
	}
	b.count(1, a.GetToken())
	seen := map[string]*Node{}
	for _, v := range values {
		if b.tooMany {
			break
		}
		b.entry(n, v, seen)
	}
	for _, e := range n.Entries {
		n.size += e.Value.size
	}
	return n
}

func (b *builder) entry(n *Node, v *ast.MappingValueNode, seen map[string]*Node) {
	if v.Key.IsMergeKey() {
		b.merge(n, v, seen)
		return
	}
	key := b.key(v.Key)
	value := b.node(v.Value)
	if tk := v.Value.GetToken(); tk != nil && tk.Type == token.ImplicitNullType {
		// Nothing stands there: point at the key instead.
		value.Line, value.Column, value.EndColumn = key.Line, key.Column, key.EndColumn
	}
	if first, ok := seen[key.text]; ok && first != nil {
		d := key.Errorf("key %q is here twice", key.text)
		d.Hint = fmt.Sprintf("the first one is in line %d", first.Line)
		b.add(d)
		return
	}
	e := Entry{Key: key.text, Where: key, Value: value}
	if _, merged := seen[key.text]; merged {
		for i := range n.Entries {
			if n.Entries[i].Key == e.Key {
				n.Entries[i] = e
			}
		}
	} else {
		n.Entries = append(n.Entries, e)
	}
	seen[key.text] = key
}

// merge takes over the entries of "<<: *defaults"; the map's own ones win.
// A merged entry is seen with a nil key.
func (b *builder) merge(n *Node, v *ast.MappingValueNode, seen map[string]*Node) {
	value := b.node(v.Value)
	sources := value.Items
	if value.Kind != List {
		sources = []*Node{value}
	}
	for _, source := range sources {
		if source.Kind != Map {
			b.add(source.Errorf("only maps can be merged with <<, not %s", source.Kind))
			continue
		}
		for _, e := range source.Entries {
			if _, ok := seen[e.Key]; !ok {
				seen[e.Key] = nil
				n.Entries = append(n.Entries, e)
			}
		}
	}
}

func (b *builder) key(a ast.MapKeyNode) *Node {
	if k, ok := a.(*ast.MappingKeyNode); ok && k.Value != nil {
		if inner, ok := k.Value.(ast.MapKeyNode); ok {
			return b.key(inner)
		}
	}
	tk := a.GetToken()
	n := b.at(String, tk, width(tk))
	n.text = tk.Value
	if _, ok := a.(ast.ScalarNode); !ok {
		b.add(n.Errorf("a key must be a text"))
	}
	return n
}
