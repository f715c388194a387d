package push

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func newPushover(t *testing.T, s *service, o PushoverOptions) *Pushover {
	t.Helper()
	o.Server, o.Token, o.User, o.Client = s.URL, secretToken, secretUser, s.client()
	p, err := NewPushover(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPushoverGetsTheDocumentedRequest(t *testing.T) {
	s := startService(t)
	p := newPushover(t, s, PushoverOptions{Device: "phone", Sound: "siren", Click: "https://example.com/"})
	notify(t, p, declined)
	want := []request{{Method: "POST", Path: "/1/messages.json", Type: "application/x-www-form-urlencoded", Form: url.Values{
		"token": {secretToken}, "user": {secretUser}, "title": {"shop: Error"}, "priority": {"0"},
		"message": {"größer {\"x\": 1}\nsecond\n(12 times in 60 s)"},
		"device":  {"phone"}, "sound": {"siren"}, "url": {"https://example.com/"},
	}}}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestAnEmergencyOfPushoverIsRepeatedUntilItIsAcknowledged(t *testing.T) {
	s := startService(t)
	p := newPushover(t, s, PushoverOptions{Emergency: core.LevelError, Retry: 45 * time.Second, Expire: 2 * time.Hour})
	notify(t, p, declined)
	if f := s.got[0].Form; f.Get("priority") != "2" || f.Get("retry") != "45" || f.Get("expire") != "7200" {
		t.Errorf("form: %v", f)
	}
}

func TestAnUpdateOfPushoverIsShortAndWithoutASound(t *testing.T) {
	s := startService(t)
	p := newPushover(t, s, PushoverOptions{Emergency: core.LevelError})
	first := declined
	first.Note = ""
	notify(t, p, first)
	notify(t, p, declined)
	f := s.got[1].Form
	if f.Get("priority") != "-1" || f.Get("retry") != "" || f.Get("message") != `größer {"x": 1} … (12 times in 60 s)` {
		t.Errorf("form: %v", f)
	}
}

func TestTheMessagesOfPushoverAreCut(t *testing.T) {
	s := startService(t)
	p := newPushover(t, s, PushoverOptions{})
	long := declined
	long.Title, long.Body = strings.Repeat("t", 300), strings.Repeat("ä😀", 1000)
	notify(t, p, long)
	f := s.got[0].Form
	if n := utf8.RuneCountInString(f.Get("message")); n != 1024 || !strings.HasSuffix(f.Get("message"), "… (12 times in 60 s)") {
		t.Errorf("%d characters", n)
	}
	if n := utf8.RuneCountInString(f.Get("title")); n != 250 {
		t.Errorf("%d characters of title", n)
	}
	notify(t, p, notifiers.Notification{Title: "shop: Error"})
	if got := s.got[1].Form.Get("message"); got != "shop: Error" {
		t.Errorf("a message without a text is %q", got)
	}
}

func TestThePrioritiesOfPushover(t *testing.T) {
	var got []int
	for _, l := range core.Levels() {
		got = append(got, new(Pushover).priority(l))
	}
	if diff := cmp.Diff([]int{-2, -2, -1, 0, 0, 0, 1}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrongOptionsOfPushoverAreNamed(t *testing.T) {
	for want, o := range map[string]PushoverOptions{
		"pushover: token: none is given":                                    {User: "u"},
		"pushover: user: none is given":                                     {Token: "t"},
		"pushover: retry: want at least 30 s":                               {Token: "t", User: "u", Retry: time.Second},
		"pushover: expire: want at most 3 h":                                {Token: "t", User: "u", Expire: 4 * time.Hour},
		"pushover: address of the server: want http://HOST or https://HOST": {Server: "x"},
	} {
		if _, err := NewPushover(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
