package config

import _ "embed"

//go:embed default.yaml
var defaultSource []byte

// Default returns the configuration that is used when there is no file. It is a
// file like every other, embedded in the program; its path is "".
func Default(o Options) (*Tree, Diagnostics) {
	return Parse("", DefaultSource(), o)
}

// DefaultSource returns the text of [Default], with its comments, as a start
// for a file of one's own.
func DefaultSource() []byte { return append([]byte(nil), defaultSource...) }
