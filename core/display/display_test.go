package display_test

import (
	"strings"
	"testing"
	"unicode/utf8"

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

func TestCutLeavesLettersWhole(t *testing.T) {
	const family, austria, acute = "👩\u200d👩\u200d👧", "🇦🇹", "e\u0301"
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"hello", 5, "hello"},
		{"hello!", 5, "hell…"},
		{"hello", 0, ""},
		{"hello", -1, ""},
		{"hello", 1, "…"},
		{"hello world", 7, "hello…"},
		{"ab" + acute + "x", 4, "ab…"},
		{"ab" + acute + "x", 5, "ab" + acute + "x"},
		{"ab" + acute + "xyz", 5, "ab" + acute + "…"},
		{"ab" + family + " zzz", 7, "ab…"},
		{"ab" + family + " zzz", 8, "ab" + family + "…"},
		{austria + austria + austria, 4, austria + "…"},
		{austria + austria + austria, 5, austria + austria + "…"},
		{"👍🏽👍🏽", 3, "👍🏽…"},
		{"👍🏽👍🏽", 2, "…"},
		{"\u1100\u1161\u11a8\u1100\u1161", 5, "\u1100\u1161\u11a8\u1100\u1161"},
		{"\u1100\u1161\u11a8\u1100\u1161", 4, "\u1100\u1161\u11a8…"}, // parts of syllables
		{"किकि", 3, "कि…"},
		{family + family + family, 10, family + "…"},
		{family + family + family, 11, family + family + "…"},
		{"a\r\nb", 3, "a…"},
		{strings.Repeat(austria, 1000), 1000, strings.Repeat(austria, 499) + "…"},
		{strings.Repeat(austria, 1000), 1001, strings.Repeat(austria, 500) + "…"},
		{strings.Repeat("中", 10_000), 5000, strings.Repeat("中", 4999) + "…"},
		{"a\xff\xffb", 3, "a\xff…"},
	} {
		if got := display.Cut(c.s, c.n); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
	if got, want := display.Line("ab"+family+" zzz", 4), "ab…"; got != want {
		t.Errorf("Line = %q, want %q", got, want)
	}
}

func BenchmarkCutTextWithoutASCII(b *testing.B) {
	s := strings.Repeat("größer 中文 😀 ", 1000)
	for b.Loop() {
		_ = display.Cut(s, 4096)
	}
}

// Whatever comes in, what is shown acts on nobody and is as short as it is to be.
func FuzzWhatIsShownIsHarmlessAndShort(f *testing.F) {
	f.Add("payment declined\r\nfor \x1b[31morder\x1b[0m 4711", 10)
	f.Add("gpj.\u202eexe\u2066a\u2069\u2028b\x00\xff", 3)
	f.Add(strings.Repeat("👩\u200d👩\u200d👧🇦🇹e\u0301", 100), 7)
	f.Add(strings.Repeat("\u0301", 1000), 5)
	f.Fuzz(func(t *testing.T, s string, n int) {
		clean := display.Clean(s)
		if strings.ContainsFunc(clean, display.Harmful) || !utf8.ValidString(clean) || display.Clean(clean) != clean {
			t.Errorf("Clean(%q) = %q", s, clean)
		}
		cut := display.Cut(clean, n)
		if length := utf8.RuneCountInString(cut); length > max(n, 0) || !strings.HasPrefix(clean, strings.TrimSuffix(cut, "…")) {
			t.Errorf("Cut(%q, %d) = %q, of %d characters", clean, n, cut, length)
		}
		if line := display.Line(s, n); strings.ContainsAny(line, "\n\t") || n > 0 && utf8.RuneCountInString(line) > n+1 {
			t.Errorf("Line(%q, %d) = %q", s, n, line)
		}
	})
}
