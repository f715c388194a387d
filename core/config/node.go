package config

import (
	"fmt"
	"strings"
)

// Kind is the sort of a [Node].
type Kind uint8

// The kinds of nodes. The scalars are told apart as YAML 1.2 does.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

// String returns the kind as it stands in messages: "a number", "a list".
func (k Kind) String() string {
	switch k {
	case Null:
		return "nothing"
	case Bool:
		return "true or false"
	case Int, Float:
		return "a number"
	case String:
		return "a text"
	case List:
		return "a list"
	case Map:
		return "a map"
	}
	return "something unknown"
}

// A Node is one value of a configuration file with its place. Nodes do not
// change after [Parse]; an alias is the very node that it refers to.
//
// The methods work on a nil Node too, which stands for what is absent.
type Node struct {
	// Kind says which of the other fields count.
	Kind Kind
	// Line, Column and EndColumn are the place of the value, as in
	// [Diagnostic]. A value of several lines is represented by its first.
	Line, Column, EndColumn int
	// Entries are those of a Map, in the order of the file, keys distinct.
	Entries []Entry
	// Items are those of a List.
	Items []*Node

	text     string // of a scalar, with environment variables expanded
	expanded bool   // text had a variable: whatever the quotes, it may be a number
	exact    bool   // text is what stands at Column, character by character
	quote    int    // characters before text at Column
	tree     *Tree
	size     int // nodes under it, itself included, aliases counted each time
}

// Entry is one key and its value.
type Entry struct {
	Key   string
	Where *Node // the key itself, a String
	Value *Node // never nil; Kind Null if nothing stands behind the key
}

// Text returns the text of a scalar, "" for everything else.
func (n *Node) Text() string {
	if n == nil {
		return ""
	}
	return n.text
}

// Get returns the value under key, or nil if n is not a map or has no such
// key.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return n.Entries[i].Value
		}
	}
	return nil
}

// IsNull reports whether n is absent or has no value.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Null }

// Errorf returns an error at the place of n.
func (n *Node) Errorf(format string, args ...any) Diagnostic {
	return n.diagnostic(Error, fmt.Sprintf(format, args...))
}

// Warnf returns a warning at the place of n.
func (n *Node) Warnf(format string, args ...any) Diagnostic {
	return n.diagnostic(Warning, fmt.Sprintf(format, args...))
}

// ErrorAt is [Node.Errorf] for a part of the text: length characters from the
// given one on, counted from 0. Where the text does not stand in the file as
// it is (escapes, several lines, variables) it points at the whole value.
func (n *Node) ErrorAt(from, length int, format string, args ...any) Diagnostic {
	d := n.Errorf(format, args...)
	if n == nil || !n.exact {
		return d
	}
	size := len([]rune(n.text))
	from = min(max(from, 0), size)
	d.Column = n.Column + n.quote + from
	d.EndColumn = d.Column + max(1, min(length, size-from))
	return n.tree.clamp(d)
}

func (n *Node) diagnostic(s Severity, message string) Diagnostic {
	d := Diagnostic{Severity: s, Message: message}
	if n == nil {
		return d
	}
	d.Line, d.Column, d.EndColumn = n.Line, n.Column, n.EndColumn
	if n.tree != nil {
		d.File = n.tree.path
		d = n.tree.clamp(d)
	}
	return d
}

// Canonical returns a text that is equal for nodes that mean the same,
// wherever they stand and however they are written. The values of secrets are
// part of it as they are now, so that a changed secret makes a difference;
// keep it in memory and do not show it.
func (n *Node) Canonical() string {
	var b strings.Builder
	n.canonical(&b)
	return b.String()
}

func (n *Node) canonical(b *strings.Builder) {
	if n == nil {
		b.WriteString("~")
		return
	}
	switch n.Kind {
	case Map:
		n.canonicalMap(b)
	case List:
		b.WriteByte('[')
		for _, item := range n.Items {
			item.canonical(b)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case Null:
		b.WriteString("~")
	case Bool, Int, Float, String:
		fmt.Fprintf(b, "%q", n.text)
	}
}

func (n *Node) canonicalMap(b *strings.Builder) {
	b.WriteByte('{')
	for _, e := range sortedEntries(n.Entries) {
		fmt.Fprintf(b, "%q:", e.Key)
		e.Value.canonical(b)
		b.WriteByte(',')
	}
	if source, ok := secretSource(n); ok {
		value, err := n.tree.readSecret(source, n.Entries[0].Value.text)
		fmt.Fprintf(b, "=%q,%v", value, err)
	}
	b.WriteByte('}')
}
