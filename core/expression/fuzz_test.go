package expression_test

import (
	"errors"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/expression"
)

// FuzzCompile checks that no expression makes the compiler or a filter panic or
// run away, and that mistakes lie inside of the expression.
func FuzzCompile(f *testing.F) {
	for _, source := range []string{
		`level >= "error" && channel startsWith "shop." && extra.env != "test"`,
		`extra.a.b[0] in ["x"] or not (message matches "^a+$")`,
		`any(extra.list, # > 1) ? len(extra) == 1 : count(1..10, # % 2 == 0) == 5`,
		`sortBy(map(split(message, " "), upper(#)), #)[0] == "A" | string()`,
		`{"a": 1}.a == 1 && [1, 2][-1] == 2 && (extra?.x ?? 1) == 1`,
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		start := time.Now()
		filter, err := expression.Compile(source)
		var e *expression.Error
		switch {
		case err == nil:
			filter(record())
		case !errors.As(err, &e):
			t.Fatalf("%T: %v", err, err)
		case e.From < 0 || e.From > len([]rune(source)) || e.Length < 1:
			t.Fatalf("the mistake lies outside: %+v", e)
		}
		if text, err := expression.CompileText(source); err == nil {
			text(record())
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}
