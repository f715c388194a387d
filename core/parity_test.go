package core_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestParityTableNamesRealTests keeps PARITY.md honest.
func TestParityTableNamesRealTests(t *testing.T) {
	table, err := os.ReadFile("PARITY.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| (?:(\\d+) \\| )?`[^`]+` \\| (\\S+) \\| (.*?) ?\\|$")
	quoted := regexp.MustCompile("`(Test\\w+)`")
	next := 1
	for _, m := range row.FindAllStringSubmatch(string(table), -1) {
		number, dir, what := m[1], m[2], m[3]
		if number != "" {
			if number != strconv.Itoa(next) {
				t.Errorf("line %q, want number %d", m[0], next)
			}
			next++
		}
		if strings.TrimSpace(what) == "" {
			t.Errorf("%s: neither a test nor a reason", number)
		}
		if name := quoted.FindStringSubmatch(what); name != nil && !hasTest(t, dir, name[1]) {
			t.Errorf("%s: %s has no %s", number, dir, name[1])
		}
	}
	if next != 123 {
		t.Errorf("%d lines, want 122", next-1)
	}
}

// TestEveryTestThatDIFFERENCESNamesExists keeps DIFFERENCES.md honest.
func TestEveryTestThatDIFFERENCESNamesExists(t *testing.T) {
	text, err := os.ReadFile("DIFFERENCES.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, dir := range []string{".", filepath.Join("..", "notifiers")} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range function.FindAllSubmatch(source, -1) {
				tests[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(text, -1)
	for _, m := range named {
		if !tests[string(m[1])] {
			t.Errorf("there is no %s", m[1])
		}
	}
	if len(named) < 100 {
		t.Errorf("only %d tests are named", len(named))
	}
}

// hasTest reports whether a package of this module has a test.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(") {
			return true
		}
	}
	return false
}
