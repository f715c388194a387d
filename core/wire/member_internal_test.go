package wire

import (
	"strings"
	"testing"
)

// padding is what follows a name at least where the short cut looks for one.
var padding = strings.Repeat(" ", spellingSize)

func TestAMemberIsFoundBySpelling(t *testing.T) {
	names := map[string]member{"levelno": memberForeign, "levelname": memberForeign}
	for m := memberChannel; m < memberForeign; m++ {
		names[memberNames[m]] = m
	}
	for name, want := range names {
		if got := memberOf(name); got != want {
			t.Errorf("%s: member %d by its name, want %d", name, got, want)
		}
		for _, behind := range []string{":1", ": 1"} {
			p := newScanner([]byte(`"`+name+`"`+behind+padding), 1, 1)
			if got := p.knownMember(); got != want || p.s[p.i] != '1' {
				t.Errorf("%s%s: member %d, want %d, and the scanner stands on %q", name, behind, got, want, p.s[p.i:])
			}
		}
	}
}

func TestWhatIsSpelledOtherwiseIsNoKnownMember(t *testing.T) {
	for _, text := range []string{
		`"levels": 1`, `"leve": 1`, `"level" : 1`, `"lev\u0065l": 1`, `"": 1`, `"msgs": 1`, `msg": 1`, `"Channel": 1`, `}`, ``,
		`"process_names": 1`, `"exception_": 1`, `"formatted_exceptions": 1`,
	} {
		p := newScanner([]byte(text+padding), 1, 1)
		if got := p.knownMember(); got != memberNone || p.i != 0 {
			t.Errorf("%s: member %d at %d", text, got, p.i)
		}
	}
	if memberOf("levels") != memberNone || memberOf("") != memberNone {
		t.Error("a name that is none is a member")
	}
}

func TestAtTheEndNothingIsReadThatIsNotThere(t *testing.T) {
	for n := range len(`"msg": 1}`) + 1 {
		p := newScanner([]byte(`"msg": 1}`[:n]), 1, 1)
		if got := p.knownMember(); got != memberNone {
			t.Errorf("%d bytes: member %d", n, got)
		}
	}
}
