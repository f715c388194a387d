package speech

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func notification(id uint64, channel string, l core.Level) notifiers.Notification {
	r := &core.Record{Channel: channel, Level: l}
	return notifiers.Notification{ID: id, Title: channel + ": " + l.Title(), Body: "declined\nmore", Level: l, Count: 1, Record: r}
}

// speaking runs a notifier whose sentences take ten seconds of a fake clock.
func speaking(t *testing.T, o Options, f func(t *testing.T, n *Notifier, said *[]string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		said := new([]string)
		n := start(o, func(ctx context.Context, text string) error {
			select {
			case <-ctx.Done():
				text += " (cut off)"
			case <-time.After(10 * time.Second):
			}
			*said = append(*said, text)
			return nil
		})
		f(t, n, said)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if n.Notify(t.Context(), notifiers.Notification{}) == nil {
			t.Error("spoke after Close")
		}
	})
}

func notify(t *testing.T, n *Notifier, of ...notifiers.Notification) {
	t.Helper()
	for _, e := range of {
		if err := n.Notify(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

func TestWhatComesWhileItSpeaksIsSummedUp(t *testing.T) {
	speaking(t, Options{}, func(t *testing.T, n *Notifier, said *[]string) {
		notify(t, n, notification(1, "shop", core.LevelError))
		notify(t, n, notification(2, "db", core.LevelError), notification(3, "db", core.LevelError), notification(2, "db", core.LevelError),
			notification(4, "shop", core.LevelCritical), notification(5, "mail", core.LevelWarning))
		time.Sleep(time.Minute)
		synctest.Wait()
		want := []string{"shop: Error. declined…", "2 errors in db, 1 critical error in shop, 1 warning in mail."}
		if diff := cmp.Diff(want, *said); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
	})
}

func TestSkipEndsTheSentenceAndWhatWaits(t *testing.T) {
	speaking(t, Options{}, func(t *testing.T, n *Notifier, said *[]string) {
		n.Skip() // nothing to skip
		notify(t, n, notification(1, "shop", core.LevelError))
		notify(t, n, notification(2, "db", core.LevelError))
		n.Skip()
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"shop: Error. declined… (cut off)"}, *said); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
	})
}

func TestQuietMeansNothingIsSaid(t *testing.T) {
	quiet := func(n *notifiers.Notification) bool { return n.Level < core.LevelCritical }
	speaking(t, Options{Quiet: quiet}, func(t *testing.T, n *Notifier, said *[]string) {
		notify(t, n, notification(1, "shop", core.LevelError))
		notify(t, n, notification(2, "db", core.LevelError), notification(3, "db", core.LevelCritical))
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"db: Critical. declined…"}, *said); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
	})
}

func TestAMuteEndsTheSentenceAndWhatWaits(t *testing.T) {
	var muted atomic.Pointer[string]
	var changes chan struct{}
	mute := func(channel string) {
		muted.Store(&channel)
		changes <- struct{}{}
		synctest.Wait()
	}
	o := Options{
		Quiet: func(n *notifiers.Notification) bool {
			channel := muted.Load()
			return channel != nil && n.Record.Channel == *channel
		},
		Changes: func() (<-chan struct{}, func()) {
			changes = make(chan struct{}, 1)
			return changes, func() {}
		},
	}
	speaking(t, o, func(t *testing.T, n *Notifier, said *[]string) {
		notify(t, n, notification(1, "shop", core.LevelError))
		notify(t, n, notification(2, "shop", core.LevelError), notification(3, "db", core.LevelError))
		mute("mail") // this is about something else
		time.Sleep(time.Second)
		mute("shop")
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]string{"shop: Error. declined… (cut off)", "db: Error. declined…"}, *said); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
	})
}

func TestWhatWaitsIsBounded(t *testing.T) {
	speaking(t, Options{}, func(t *testing.T, n *Notifier, said *[]string) {
		notify(t, n, notification(1, "shop", core.LevelError))
		for id := range uint64(500) {
			notify(t, n, notification(id+2, "db", core.LevelError))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := (*said)[1]; got != "100 errors in db." {
			t.Errorf("said %q", got)
		}
	})
}

func TestAFailureIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got error
		n := start(Options{OnError: func(err error) { got = err }}, func(context.Context, string) error { return errors.New("no sound card") })
		notify(t, n, notification(1, "shop", core.LevelError))
		if err := n.Close(); err != nil || got == nil {
			t.Errorf("told %v, close %v", got, err)
		}
	})
}

func TestTheCommandFitsTheSystem(t *testing.T) {
	o := &Options{Rate: 200, Voice: "en"}
	for _, test := range []struct{ system, has, want string }{
		{"linux", "espeak-ng spd-say", "espeak-ng -s 200 -v en --stdin"},
		{"linux", "spd-say", "spd-say --wait --pipe-mode -r 10 -y en"},
		{"darwin", "say", "say -r 200 -v en -f -"},
	} {
		got, err := find(test.system, only(test.has), o)
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%s with %s: %q, %v; want %q", test.system, test.has, got, err, test.want)
		}
	}
	got, err := find("windows", only("powershell"), o)
	if err != nil || !strings.Contains(got[4], "$s.Rate = 1; $s.SelectVoice('en'); $s.Speak([Console]::In.ReadToEnd())") {
		t.Errorf("windows: %q, %v", got, err)
	}
	_, err = find("linux", only(""), o)
	if !errors.Is(err, ErrNoSpeaker) || err.Error() != "speech: no program to speak with: install espeak-ng or speech-dispatcher" {
		t.Errorf("error: %v", err)
	}
}

func only(names string) func(string) (string, error) {
	return func(name string) (string, error) {
		if slices.Contains(strings.Fields(names), name) {
			return name, nil
		}
		return "", exec.ErrNotFound
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	if _, err := New(Options{Rate: 5}); err == nil || err.Error() != "speech: rate: want 80 to 450 words a minute, have 5" {
		t.Errorf("error: %v", err)
	}
	for _, voice := range []string{"-x", "a'); calc; ('", "a’b", "a\nb"} {
		if _, err := find("windows", only("powershell"), &Options{Voice: voice}); err == nil {
			t.Errorf("voice %q was taken", voice)
		}
	}
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
