// Package config reads the configuration file: YAML to a tree of nodes that
// know where they stand, nodes to structs of options, and mistakes to
// [Diagnostics] that point at the line.
//
// It knows files, positions, environment variables and secrets. It does not
// know any handler or subscriber: what the keys mean is the business of
// package pipeline and of the table of kinds given to it.
//
// # What is bounded
//
// A file is at most [MaxSize] bytes long and nested at most [MaxDepth] deep;
// with its aliases resolved it has at most [MaxNodes] nodes.
package config

const (
	// MaxSize is the largest file that is read, in bytes.
	MaxSize = 256 << 10
	// MaxDepth is how deep maps and lists may be nested.
	MaxDepth = 64
	// MaxNodes is how many nodes a file may have, each counted as often as
	// aliases repeat it. It ends a "billion laughs".
	MaxNodes = 20_000
)
