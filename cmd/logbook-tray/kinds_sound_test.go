package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// loudspeaker makes a player that notes which files it plays, and returns a function that
// reads their names, without what tells one version from another.
func loudspeaker(t *testing.T) (played func() []string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows plays by itself")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "played")
	player := filepath.Join(dir, "paplay")
	if runtime.GOOS == "darwin" {
		player = filepath.Join(dir, "afplay")
	}
	write(t, player, "#!/bin/sh\necho \"$1\" >>'"+log+"'\n")
	if err := os.Chmod(player, 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	return func() (names []string) {
		content, err := os.ReadFile(log)
		if err != nil {
			return nil
		}
		for path := range strings.Lines(string(content)) {
			if _, err := os.Stat(strings.TrimSpace(path)); err != nil {
				t.Error(err)
			}
			name, _, _ := strings.Cut(filepath.Base(path), "-")
			names = append(names, strings.TrimSpace(name))
		}
		return names
	}
}

func TestTheSoundOfAnErrorIsHeardOnceForABurst(t *testing.T) {
	played := loudspeaker(t)
	r := runKinds(t, `handlers: [{type: sound, level: warning, fingerprint: message}]`)
	defer r.end(t)
	r.log(t, core.LevelInfo, "of no interest")
	for _, message := range []string{"one", "two", "two", "three"} {
		r.log(t, core.LevelError, message)
	}
	eventually(t, func() bool { return len(played()) > 0 })
	r.log(t, core.LevelCritical, "worse")
	eventually(t, func() bool { return len(played()) > 1 })
	if got := played(); !slices.Equal(got, []string{"error", "critical"}) {
		t.Errorf("played %q", got)
	}
}

func TestWhatIsMutedIsNotHeard(t *testing.T) {
	played := loudspeaker(t)
	r := runKinds(t, `handlers: [{type: sound, fingerprint: message}]`)
	r.app.Mutes.Push(mute.Mute{Label: "shop", Match: mute.Match{Channel: "shop"}, Until: time.Now().Add(time.Hour)})
	r.log(t, core.LevelError, "muted")
	r.log(t, core.LevelCritical, "passes")
	eventually(t, func() bool { return len(played()) > 0 })
	r.end(t)
	if got := played(); !slices.Equal(got, []string{"critical"}) {
		t.Errorf("played %q", got)
	}
}

func TestQuietIsWhatAMuteHoldsBack(t *testing.T) {
	a := &app.App{Mutes: mute.NewStack(nil)}
	about := func(channel string, l core.Level) *notifiers.Notification {
		return &notifiers.Notification{Level: l, Record: &core.Record{Channel: channel, Level: l}}
	}
	is := quiet(a)
	if is(about("shop", core.LevelError)) {
		t.Error("quiet without a mute")
	}
	a.Mutes.Push(mute.Mute{Match: mute.Match{Channel: "shop"}})
	for _, test := range []struct {
		channel string
		level   core.Level
		want    bool
	}{
		{"shop.cart", core.LevelError, true},
		{"shop", core.LevelCritical, false},
		{"mail", core.LevelError, false},
	} {
		if got := is(about(test.channel, test.level)); got != test.want {
			t.Errorf("%s of %s: quiet is %v, want %v", test.level, test.channel, got, test.want)
		}
	}
	a.Mutes.Push(mute.Mute{Critical: true})
	if !is(about("mail", core.LevelCritical)) {
		t.Error("not quiet although everything is muted")
	}
	if is(&notifiers.Notification{Level: core.LevelError}) {
		t.Error("a notification without a record is held back")
	}
}

func TestANotificationHasTheSoundOfTheFile(t *testing.T) {
	played := loudspeaker(t)
	wav := filepath.Join(t.TempDir(), "mine-1.wav")
	write(t, wav, "RIFF\x04\x00\x00\x00WAVE")
	for _, test := range []struct {
		option string
		want   notifiers.Sound
		plays  []string // by ourselves, since this desktop plays nothing
	}{
		{"", notifiers.Sound{}, nil},
		{"sound: false", notifiers.Sound{Silent: true}, nil},
		{"sound: bell", notifiers.Sound{Name: "bell"}, nil},
		{"sound: " + wav, notifiers.Sound{File: wav}, []string{"mine"}},
		{"sound: true", notifiers.Sound{}, []string{"mine", "error"}},
	} {
		r := runKinds(t, `handlers: [{type: notification, `+test.option+`}]`)
		r.log(t, core.LevelError, "declined")
		eventually(t, func() bool { return len(played()) >= len(test.plays) })
		r.end(t)
		if len(r.screen.shown) != 1 {
			t.Fatalf("%q: %d notifications", test.option, len(r.screen.shown))
		}
		got := r.screen.shown[0].Sound
		if test.option == "sound: true" {
			if name := filepath.Base(got.File); !strings.HasPrefix(name, "error-") {
				t.Errorf("%q: file %q", test.option, got.File)
			}
			got.File = ""
		}
		if got != test.want {
			t.Errorf("%q: %+v, want %+v", test.option, got, test.want)
		}
		if p := played(); !slices.Equal(p, test.plays) && len(test.plays) > 0 {
			t.Errorf("%q: played %q, want %q", test.option, p, test.plays)
		}
	}
}
