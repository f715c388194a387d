package config_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/config"
)

// parse returns the tree of a text without mistakes.
func parse(t *testing.T, text string) *config.Tree {
	t.Helper()
	tree, ds := config.Parse("test.yaml", []byte(text), config.Options{LookupEnv: environment, Dir: "/etc/tray", Home: "/home/me"})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	return tree
}

func decode(t *testing.T, text string) server {
	t.Helper()
	s := server{Port: 1234, Timeout: time.Minute}
	if ds := config.Decode(parse(t, text).Root, "server", &s); len(ds) > 0 {
		t.Fatal(ds)
	}
	return s
}

func TestOptionsOfEverySortAreDecoded(t *testing.T) {
	s := decode(t, `
name: file
level: error
timeout: 7d
max_size: 1MiB
size: 64kB
small: 0xFF
ratio: 1_000.5
tls: true
maybe: false
tags: [a, "b c", 'd''e']
labels: {x: y}
retry: {times: 3, wait: 1h30m}
files: [{path: a}, {path: /b}]
path: ~/logs/dev.log
paths: [x, ../y]
token: literal
any: {n: 1, list: [true, ~, 2.5, text]}
extra: embedded
`)
	if s.Token.Reveal() != "literal" {
		t.Errorf("token %q", s.Token.Reveal())
	}
	if s.Maybe == nil || *s.Maybe {
		t.Errorf("maybe = %v, want false", s.Maybe)
	}
	s.Token, s.Maybe = config.Secret{}, nil
	want := server{
		Name: "file", Level: "error", Timeout: 7 * 24 * time.Hour, MaxSize: 1 << 20, Size: 64000, Port: 1234, Small: 255,
		Ratio: 1000.5, TLS: true, Tags: []string{"a", "b c", "d'e"}, Labels: map[string]string{"x": "y"},
		Retry: retry{3, 90 * time.Minute}, Files: []file{{"/etc/tray/a"}, {"/b"}},
		Path: "/home/me/logs/dev.log", Paths: []string{"/etc/tray/x", "/etc/y"},
		Any:      map[string]any{"n": int64(1), "list": []any{true, nil, 2.5, "text"}},
		embedded: embedded{"embedded"},
	}
	if diff := cmp.Diff(want, s, cmp.AllowUnexported(server{}, config.Secret{}, config.Node{})); diff != "" {
		t.Error(diff)
	}
}

func TestAnOptionWithoutAValueKeepsItsDefault(t *testing.T) {
	s := decode(t, "name: x\nport:\ntimeout: ~\n")
	if s.Port != 1234 || s.Timeout != time.Minute {
		t.Errorf("port %d, timeout %v", s.Port, s.Timeout)
	}
}

func TestVariablesAreExpandedInsideOfValues(t *testing.T) {
	s := decode(t, `
name: "a-${PRESENT}-${MISSING:-b}-${EMPTY:-c}-${EMPTY}-$${PRESENT}-$x"
port: ${PORT}
timeout: "${MISSING:-5s}"
tags: ["${PRESENT}: [x]"]
`)
	if want := "a-present-b-c--${PRESENT}-$x"; s.Name != want {
		t.Errorf("name %q, want %q", s.Name, want)
	}
	if s.Port != 5556 || s.Timeout != 5*time.Second {
		t.Errorf("port %d, timeout %v", s.Port, s.Timeout)
	}
	if want := []string{"present: [x]"}; !slices.Equal(s.Tags, want) {
		t.Errorf("tags %q, want %q: a variable must not add syntax", s.Tags, want)
	}
}

func TestAliasesAndMergesShareValues(t *testing.T) {
	tree := parse(t, `
base: &base {name: base, port: 1, tags: &tags [a]}
one: {<<: *base, name: one}
two: {name: two, <<: [*base], tags: *tags}
`)
	for key, want := range map[string]server{
		"one": {Name: "one", Port: 1, Tags: []string{"a"}},
		"two": {Name: "two", Port: 1, Tags: []string{"a"}},
	} {
		var s server
		if ds := config.Decode(tree.Root.Get(key), key, &s); len(ds) > 0 {
			t.Error(ds)
		}
		if diff := cmp.Diff(want, s, cmp.AllowUnexported(server{}, config.Secret{})); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

func TestTextOfSeveralLinesIsKept(t *testing.T) {
	if got, want := decode(t, "name: |\n  one\n  ${PRESENT}\n").Name, "one\npresent\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAByteOrderMarkAndWindowsLineEndsAreAccepted(t *testing.T) {
	if s := decode(t, "\ufeffname: x\r\nport: 5\r\n"); s.Name != "x" || s.Port != 5 {
		t.Errorf("got %+v", s)
	}
}

func TestAnEmptyFileIsAnEmptyMap(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "~\n"} {
		tree, ds := config.Parse("x", []byte(text), config.Options{})
		if len(ds) > 0 || tree.Root.Kind != config.Map || len(tree.Root.Entries) > 0 {
			t.Errorf("%q: %v, %+v", text, ds, tree.Root)
		}
	}
}

func TestWhatIsWrittenDifferentlyIsCanonicallyTheSame(t *testing.T) {
	a := parse(t, "a: {x: 1, y: [a, b], z: text}\n").Root
	b := parse(t, "# comment\na:\n  z: \"text\"\n  y:\n    - a\n    - 'b'\n\n  x: 1\n").Root
	if a.Canonical() != b.Canonical() {
		t.Errorf("%s\n%s", a.Canonical(), b.Canonical())
	}
	for _, other := range []string{"a: {x: 2, y: [a, b], z: text}", "a: {x: 1, y: [b, a], z: text}", "a: {x: 1, y: [a, b]}"} {
		if o := parse(t, other).Root; a.Canonical() == o.Canonical() {
			t.Errorf("%q is canonically the same", other)
		}
	}
}

func TestAPlaceInsideOfATextIsExact(t *testing.T) {
	for text, want := range map[string][2]int{
		"a: level > 3\n":     {10, 11},
		"a: \"level > 3\"\n": {11, 12},
		"a: 'it''s > 3'\n":   {4, 15}, // escapes: the whole value
		"a: \"${PORT} > 3\"": {4, 17}, // a variable: the whole value
		"a: |\n  level > 3":  {4, 5},  // several lines: where it begins
	} {
		d := parse(t, text).Root.Get("a").ErrorAt(6, 1, "here")
		if got := [2]int{d.Column, d.EndColumn}; got != want || d.Line != 1 {
			t.Errorf("%q: columns %v of line %d, want %v", text, got, d.Line, want)
		}
	}
}

func TestDurationsAndSizes(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "60s": time.Minute, "1.5h": 90 * time.Minute, "2w": 14 * 24 * time.Hour, "1d12h": 36 * time.Hour, "250ms": 250 * time.Millisecond,
	} {
		if got, err := config.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]config.Size{"0": 0, "4096": 4096, "64KiB": 65536, "1.5 MiB": 3 << 19, "2GB": 2e9, "1k": 1024} {
		if got, err := config.ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "s", "60", "-5s", "5x", "1e3s", "99999999w", "5s7", "..s"} {
		if got, err := config.ParseDuration(text); err == nil {
			t.Errorf("duration %q is %v, want an error", text, got)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1XB", "1MiB2", "99999999TiB", "1.2.3k"} {
		if got, err := config.ParseSize(text); err == nil {
			t.Errorf("size %q is %v, want an error", text, got)
		}
	}
	for s, want := range map[config.Size]string{0: "0", 1000: "1000", 1 << 20: "1MiB", 3 << 10: "3KiB", 1 << 40: "1TiB"} {
		if s.String() != want {
			t.Errorf("%d is %q, want %q", int64(s), s.String(), want)
		}
	}
}

func TestTheNearestWord(t *testing.T) {
	words := []string{"level", "filter", "file", "notification", "record_limit"}
	for word, want := range map[string]string{
		"lvel": "level", "fiel": "file", "Filter": "filter", "notifcation": "notification", "record-limit": "record_limit",
		"x": "", "something": "",
	} {
		if got, _ := config.Nearest(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestAnErrorReadsAsTheFirstMistakeAndACount(t *testing.T) {
	a := config.Diagnostic{File: "f.yaml", Line: 2, Column: 3, Message: "one"}
	w := config.Diagnostic{Severity: config.Warning, File: "f.yaml", Line: 1, Column: 1, Message: "hm"}
	for want, ds := range map[string]config.Diagnostics{
		"f.yaml:2:3: one":                       {w, a},
		"f.yaml:2:3: one (and 1 more mistake)":  {a, a},
		"f.yaml:2:3: one (and 2 more mistakes)": {a, w, a, a},
	} {
		if ds.Err().Error() != want {
			t.Errorf("got %q, want %q", ds.Err(), want)
		}
	}
	if (config.Diagnostics{w}).Err() != nil {
		t.Error("warnings are no error")
	}
}

func TestTheDefaultsHaveNoMistakes(t *testing.T) {
	tree, ds := config.Default(config.Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	handlers := tree.Root.Get("handlers")
	if len(handlers.Items) != 1 || handlers.Items[0].Get("type").Text() != "fingers_crossed" {
		t.Errorf("handlers: %v", handlers.Plain())
	}
	if uri := tree.Root.Get("listen").Items[0].Get("uri").Text(); uri != "tcp://127.0.0.1:5556" {
		t.Errorf("listens on %q", uri)
	}
}
