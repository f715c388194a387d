package pytrace_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/internal/pytrace"
)

func TestTheLastExceptionIsTheOneThatWasCaught(t *testing.T) {
	for _, c := range []struct{ traceback, name, message string }{
		{"Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero\n", "ZeroDivisionError", "division by zero"},
		{"Traceback (most recent call last):\n  File \"x.py\", line 1, in f\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\n" +
			"Traceback (most recent call last):\n  File \"x.py\", line 2, in f\nshop.errors.Declined: limit", "shop.errors.Declined", "limit"},
		{"Traceback (most recent call last):\n  File \"x.py\", line 1, in f\nKeyboardInterrupt", "KeyboardInterrupt", ""},
		{"Traceback (most recent call last):\n  File \"x.py\", line 1, in f\nAssertionError: a\nsecond line\n  third", "AssertionError", "a\nsecond line\n  third"},
		{"Traceback (most recent call last):\n  File \"x.py\", line 1, in f\nValueError: note\nnote: it: hurts", "ValueError", "note\nnote: it: hurts"},
		{"  + Exception Group Traceback (most recent call last):\n  |   File \"x.py\", line 1, in f\n  |     raise\n  | ExceptionGroup: several (2 sub-exceptions)\n" +
			"  +-+---------------- 1 ----------------\n    | ValueError: one\n    +---------------- 2 ----------------\n    | TypeError: two\n    +------------------------------------", "ExceptionGroup", "several (2 sub-exceptions)"},
		{"nothing of the kind at all\n", "", ""},
		{"", "", ""},
	} {
		if name, message := pytrace.Last(c.traceback); name != c.name || message != c.message {
			t.Errorf("%q, %q, want %q, %q of\n%s", name, message, c.name, c.message, c.traceback)
		}
	}
}
