package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"
)

// Options are what a configuration file can refer to outside of itself. The zero
// value uses this process's environment and home directory and has no keyring.
type Options struct {
	// LookupEnv finds environment variables; nil is [os.LookupEnv].
	LookupEnv func(name string) (string, bool)
	// Keyring returns a secret of the desktop's keyring; nil means that there is
	// none, and a secret that asks for it is a mistake.
	Keyring func(name string) (string, error)
	// Home is what "~" stands for; "" is [os.UserHomeDir].
	Home string
	// Dir is what relative paths are relative to; "" is the directory of the
	// file.
	Dir string
}

// A Tree is a configuration file, read and taken apart.
type Tree struct {
	// Root is the top of the file, a Map; it has no entries if the file is
	// empty or could not be taken apart.
	Root *Node

	path    string
	source  []byte
	lines   []int // characters in each line
	options Options
	exposed bool // others can read the file
}

// Path returns the path as it was given to [Parse] or [Load].
func (t *Tree) Path() string { return t.path }

// Dir returns the directory that relative paths are relative to.
func (t *Tree) Dir() string { return t.options.Dir }

// Source returns the bytes of the file. Secrets stand in it: to show it, use
// [Tree.Fprint].
func (t *Tree) Source() []byte { return t.source }

// Load reads the file at path and parses it. A file that cannot be read gives
// an error that wraps the one of the operating system, so that a missing file
// is found with [fs.ErrNotExist]; mistakes in the file are diagnostics.
func Load(path string, o Options) (*Tree, Diagnostics, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("read configuration %q: %w: not a regular file", path, fs.ErrInvalid)
	}
	source, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	tree, ds := parse(path, source, o, exposed(info))
	return tree, ds, nil
}

// exposed reports whether somebody else may read the file. Windows has no such
// bits.
func exposed(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o044 != 0
}

// Parse takes source apart; path is what it is called in diagnostics. The
// tree is never nil: with mistakes in it, it holds what could be understood,
// so that further mistakes can be found.
func Parse(path string, source []byte, o Options) (*Tree, Diagnostics) {
	return parse(path, source, o, false)
}

func parse(path string, source []byte, o Options, exposed bool) (*Tree, Diagnostics) {
	t := &Tree{path: path, source: source, options: o.withDefaults(path), exposed: exposed}
	t.source = bytes.TrimPrefix(t.source, []byte("\ufeff"))
	for line := range bytes.SplitSeq(t.source, []byte("\n")) {
		t.lines = append(t.lines, utf8.RuneCount(bytes.TrimSuffix(line, []byte("\r"))))
	}
	b := builder{tree: t, anchors: map[string]*Node{}}
	t.Root = b.document()
	return t, b.diagnostics.Sorted()
}

func (o Options) withDefaults(path string) Options {
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	if o.Home == "" {
		o.Home, _ = os.UserHomeDir() // without one, "~" is a mistake where it is used
	}
	if o.Dir == "" && path != "" {
		o.Dir = filepath.Dir(path)
		if abs, err := filepath.Abs(o.Dir); err == nil {
			o.Dir = abs
		}
	}
	return o
}

// clamp moves a diagnostic into the file, wherever the parser believed it to
// be.
func (t *Tree) clamp(d Diagnostic) Diagnostic {
	d.Line = min(max(d.Line, 1), len(t.lines))
	width := t.lines[d.Line-1]
	d.Column = min(max(d.Column, 1), width+1)
	d.EndColumn = min(max(d.EndColumn, d.Column+1), max(width+1, d.Column))
	return d
}

// ResolvePath makes a path of the file absolute: "~" is the home directory,
// everything relative is relative to the directory of the file.
func (t *Tree) ResolvePath(path string) (string, error) {
	if path == "~" || strings.HasPrefix(path, "~/") || strings.HasPrefix(path, `~\`) {
		if t.options.Home == "" {
			return "", errors.New("there is no home directory that ~ could stand for")
		}
		return filepath.Join(t.options.Home, path[1:]), nil
	}
	if path == "" || filepath.IsAbs(path) {
		return path, nil
	}
	return filepath.Join(t.options.Dir, path), nil
}

func sortedEntries(entries []Entry) []Entry {
	return slices.SortedFunc(slices.Values(entries), func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
}
