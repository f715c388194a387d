package display_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core/display"
)

func TestBytesAreShownHarmlesslyAndWhole(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		`{"msg": "Zoë 💳"}`:              `{"msg": "Zoë 💳"}`,
		"a\tb\nc":                       "a\tb\nc",
		"\x1b]0;title\x07\x9b31m\x7f\r": `\x1b]0;title\x07\x9b31m\x7f\r`,
		"\xff\xfe latin \xe9":           `\xff\xfe latin \xe9`,
		"x\u202eyx\u2066":               `x\u202eyx\u2066`,
		"\u0085\u2028\ufeff\u200b":      `\u0085\u2028\ufeff\u200b`,
		"\U000e0001":                    `\U000e0001`,
		"\ufffd":                        "\ufffd",
	} {
		if got := display.Escape([]byte(in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	if got := display.EscapeLine([]byte("a\tb\r\nc\x00"), 100); got != `a\tb\r\nc\x00` {
		t.Errorf("on one line: %s", got)
	}
	for n, want := range map[int]string{0: "…", 3: "abc…", 6: "abc…", 7: `abc\x00…`, 8: `abc\x00d`} {
		if got := display.EscapeLine([]byte("abc\x00d"), n); got != want {
			t.Errorf("cut to %d: %s, want %s", n, got, want)
		}
	}
}

func TestWhatIsNoTextIsShownAsNumbers(t *testing.T) {
	for in, text := range map[string]bool{
		"":                                       true,
		"{\"level\": \"error\"}\r\n":             true,
		"Größe \x1b[31mrot\x1b[0m":               false, // two escapes in so few letters
		strings.Repeat("text ", 20) + "\x00\xff": true,
		"\x80\x04\x95\x0b\x00\x00]\x94(K\x01e.":  false,
		"\x00\x00\x00\x32cut":                    false,
	} {
		if got := !strings.HasPrefix(display.Dump([]byte(in)), "00000000  "); got != text {
			t.Errorf("%q: text %v, want %v", in, got, text)
		}
	}
	want := "00000000  00 1b 5b 32 4a ff                                 |..[2J.|\n"
	if got := display.Dump([]byte("\x00\x1b[2J\xff")); got != want {
		t.Errorf("got %q", got)
	}
}

// FuzzEscape looks for bytes that get through to a terminal.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J\x9b", "\xc2\x9b31m", "é\xcc\x81\u202e\u2066", "\xf3\xa0\x80\x81", "\xed\xa0\x80", "{\"a\":\"\\u001b\"}\n\t"} {
		f.Add([]byte(seed), 5)
	}
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		whole := display.Escape(in)
		for name, out := range map[string]string{"Escape": whole, "Dump": display.Dump(in), "EscapeLine": display.EscapeLine(in, n)} {
			for _, r := range out {
				if r == '\n' || r == '\t' {
					if name == "EscapeLine" {
						t.Fatalf("a line has %q: %q", r, out)
					}
					continue
				}
				if display.Harmful(r) || !unicode.IsGraphic(r) || r == 0x2028 || r == 0x2029 {
					t.Fatalf("%s lets %U through: %q", name, r, out)
				}
			}
			if !utf8.ValidString(out) {
				t.Fatalf("%s is not UTF-8: %q", name, out)
			}
		}
		if line := display.EscapeLine(in, n); n >= 0 && utf8.RuneCountInString(line) > n+1 {
			t.Fatalf("longer than %d: %q", n, line)
		}
		// Nothing is left out.
		if !bytes.ContainsAny(in, "\\") && utf8.Valid(in) && !strings.Contains(whole, `\`) && whole != string(in) {
			t.Fatalf("%q became %q", in, whole)
		}
	})
}
