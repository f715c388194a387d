package config_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core/config"
)

// FuzzParse checks that no file makes the parser or the decoder panic, and that
// every diagnostic lies inside the file.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	f.Add(string(config.DefaultSource()))
	f.Add("a: &a [*a]\n<<: *a\n? {b: c}\n: !!str |+\n  x\n")
	f.Fuzz(func(t *testing.T, text string) {
		tree, ds := config.Parse("f", []byte(text), config.Options{
			LookupEnv: environment, Dir: "/nowhere", Home: "/nowhere",
		})
		if !ds.HasErrors() {
			ds = append(ds, decodeAll(tree)...)
			_ = tree.Root.Canonical()
			_ = tree.Root.Plain()
		}
		lines := bytes.Split(bytes.TrimPrefix([]byte(text), []byte("\ufeff")), []byte("\n"))
		for _, d := range ds {
			if d.Line < 1 || d.Line > len(lines) {
				t.Fatalf("%+v: there are %d lines", d, len(lines))
			}
			width := utf8.RuneCount(bytes.TrimSuffix(lines[d.Line-1], []byte("\r")))
			if d.Column < 1 || d.Column > width+1 || d.EndColumn < d.Column || d.EndColumn > width+1 {
				t.Fatalf("%+v: the line has %d characters", d, width)
			}
		}
		if err := tree.Fprint(io.Discard, ds, true); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDeepNestingIsRefusedBeforeItIsParsed(t *testing.T) {
	for name, text := range map[string]string{
		"flow lists":     strings.Repeat("[", 100_000),
		"flow maps":      strings.Repeat("{a: ", 50_000),
		"compact lists":  strings.Repeat("- ", 100_000),
		"compact keys":   strings.Repeat("? ", 100_000),
		"tags":           "a: " + strings.Repeat("!a ", 50_000),
		"anchors":        "a: " + strings.Repeat("&a ", 50_000),
		"flow list pair": strings.Repeat("[a: ", 50_000),
	} {
		if _, ds := config.Parse("f", []byte(text), config.Options{}); !ds.HasErrors() {
			t.Errorf("%s: no mistake", name)
		}
	}
}
