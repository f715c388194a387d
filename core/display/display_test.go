package display_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/display"
)

func TestCleanTakesOutWhatActsOnTerminalsAndReaders(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "payment declined, 4711 €", "payment declined, 4711 €"},
		{"newline and tab stay", "a\n\tb", "a\n\tb"},
		{"escape sequences lose their escape", "\x1b[31mred\x1b]0;title\a", "[31mred]0;title"},
		{"carriage return before newline", "a\r\nb", "a\nb"},
		{"C1 controls", "a\u009b31mb", "a31mb"},
		{"right-to-left override", "gpj.\u202eexe", "gpj.exe"},
		{"isolates", "\u2066a\u2069", "a"},
		{"line separator", "a\u2028b", "a\nb"},
		{"invalid UTF-8", "a\xffb", "a\ufffdb"},
		{"NUL", "a\x00b", "ab"},
		{"right-to-left scripts themselves stay", "שלום", "שלום"},
		{"joined emoji stay", "👩‍💻", "👩‍💻"},
	} {
		if got := display.Clean(c.in); got != c.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestLineIsOneShortLine(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"one", 10, "one"},
		{"\n  first\nsecond", 10, "first…"},
		{"exactly ten", 11, "exactly ten"},
		{"longer than ten", 10, "longer tha…"},
		{"cut at the space", 4, "cut…"},
		{"äöüß", 3, "äöü…"},
		{"tab\there", 0, "tab here"},
		{"", 5, ""},
	} {
		if got := display.Line(c.in, c.n); got != c.want {
			t.Errorf("Line(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
