package desktop

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// toast is what Windows makes of the XML.
type toast struct {
	XMLName  xml.Name `xml:"toast"`
	Type     string   `xml:"activationType,attr"`
	Launch   string   `xml:"launch,attr"`
	Duration string   `xml:"duration,attr"`
	Image    struct {
		Source string `xml:"src,attr"`
	} `xml:"visual>binding>image"`
	Texts []string `xml:"visual>binding>text"`
	Audio struct {
		Source string `xml:"src,attr"`
		Silent string `xml:"silent,attr"`
	} `xml:"audio"`
	Actions []struct {
		Type      string `xml:"activationType,attr"`
		Content   string `xml:"content,attr"`
		Arguments string `xml:"arguments,attr"`
	} `xml:"actions>action"`
}

func parse(t *testing.T, text string) (out toast) {
	t.Helper()
	if err := xml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

func TestAToastHasTextsButtonsAndASound(t *testing.T) {
	m := &message{
		id: 7, title: "shop: Error", body: "declined\n<b>\"$x\"</b> & `y`", level: core.LevelError, loud: true,
		actions: notifiers.DefaultActions(),
	}
	got := parse(t, m.toast(`C:\Users\Zoë & co\icon.png`))
	if diff := cmp.Diff([]string{m.title, m.body}, got.Texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	if got.Image.Source != `C:\Users\Zoë & co\icon.png` || got.Duration != "long" || got.Type != "foreground" {
		t.Errorf("toast %+v", got)
	}
	if got.Audio.Source != "ms-winsoundevent:Notification.Default" || got.Audio.Silent != "" {
		t.Errorf("sound %+v", got.Audio)
	}
	clicks := []string{got.Launch}
	var labels []string
	for _, a := range got.Actions {
		labels, clicks = append(labels, a.Content), append(clicks, a.Arguments)
		if a.Type != "foreground" {
			t.Errorf("the button %q is of type %s: nobody is told about it", a.Content, a.Type)
		}
	}
	if diff := cmp.Diff([]string{"Show context", "Mute 1 h"}, labels); diff != "" {
		t.Errorf("buttons (-want +got):\n%s", diff)
	}
	var acted []notifiers.Activation
	for _, c := range clicks {
		a, ok := activation(c)
		if !ok {
			t.Errorf("the arguments %q are not understood", c)
		}
		acted = append(acted, a)
	}
	want := []notifiers.Activation{{ID: 7, Action: "default"}, {ID: 7, Action: "context"}, {ID: 7, Action: "mute"}}
	if diff := cmp.Diff(want, acted); diff != "" {
		t.Errorf("clicks (-want +got):\n%s", diff)
	}
}

func TestTheSoundOfAToastFollowsTheLevel(t *testing.T) {
	for _, test := range []struct {
		level core.Level
		loud  bool
		want  string
	}{
		{core.LevelCritical, true, "ms-winsoundevent:Notification.Reminder"},
		{core.LevelError, true, "ms-winsoundevent:Notification.Default"},
		{core.LevelError, false, ""},
	} {
		m := &message{level: test.level, loud: test.loud}
		got := parse(t, m.toast("")).Audio
		if got.Source != test.want || (got.Silent == "true") == test.loud {
			t.Errorf("%s, loud %v: %+v", test.level, test.loud, got)
		}
	}
}

func TestAToastHasNoMoreButtonsThanWindowsShows(t *testing.T) {
	m := new(message)
	for range 9 {
		m.actions = append(m.actions, notifiers.Action{Key: "x", Label: "X"})
	}
	if got := len(parse(t, m.toast("")).Actions); got != maxButtons {
		t.Errorf("%d buttons, want %d", got, maxButtons)
	}
}

func TestOnlyClicksOfOursAreUnderstood(t *testing.T) {
	for _, text := range []string{"", "alert=7", "action=mute", "alert=-1&action=mute", "alert=x&action=mute", "%zz", "C:\\x"} {
		if a, ok := activation(text); ok {
			t.Errorf("%q is understood as %+v", text, a)
		}
	}
}

func FuzzToast(f *testing.F) {
	f.Add("\"\"@@ ]]]>> $$( ``", "”@\n\"@")
	f.Fuzz(func(t *testing.T, title, body string) {
		title, body = display.Clean(title), display.Clean(body)
		text := (&message{title: title, body: body}).toast("")
		if utf8.ValidString(title) && utf8.ValidString(body) {
			if diff := cmp.Diff([]string{title, body}, parse(t, text).Texts); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
		}
		for _, bad := range []string{"$", "`", "\n", "“", "”", "„"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %q", text, bad)
			}
		}
	})
}
