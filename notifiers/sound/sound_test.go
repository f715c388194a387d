package sound

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func all() (Files, error) {
	return Files{Warning: "warning", Error: "error", Critical: "critical"}, nil
}

func notification(id uint64, l core.Level) notifiers.Notification {
	return notifiers.Notification{ID: id, Level: l, Count: 1}
}

// playing runs a notifier whose sounds take half a second of a fake clock.
func playing(t *testing.T, o Options, f func(t *testing.T, notify func(...notifiers.Notification), played *[]string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		played := new([]string)
		n := start(o, func(ctx context.Context, path string) error {
			*played = append(*played, path)
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
			return nil
		})
		f(t, func(of ...notifiers.Notification) {
			t.Helper()
			for _, e := range of {
				if err := n.Notify(t.Context(), e); err != nil {
					t.Error(err)
				}
			}
			synctest.Wait()
		}, played)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if n.Notify(t.Context(), notification(1, core.LevelError)) == nil {
			t.Error("taken after Close")
		}
	})
}

func expect(t *testing.T, played *[]string, want ...string) {
	t.Helper()
	time.Sleep(time.Second) // of the fake clock
	synctest.Wait()
	if !slices.Equal(*played, want) {
		t.Errorf("played %q, want %q", *played, want)
	}
	*played = nil
}

func TestEachLevelHasItsSound(t *testing.T) {
	for _, test := range []struct {
		level core.Level
		want  []string
	}{
		{core.LevelInfo, nil},
		{core.LevelNotice, nil},
		{core.LevelWarning, []string{"warning"}},
		{core.LevelError, []string{"error"}},
		{core.LevelCritical, []string{"critical"}},
	} {
		playing(t, Options{Files: all}, func(t *testing.T, notify func(...notifiers.Notification), played *[]string) {
			notify(notification(1, test.level))
			expect(t, played, test.want...)
		})
	}
}

func TestABurstHasOneSoundUnlessItGetsWorse(t *testing.T) {
	playing(t, Options{Files: all}, func(t *testing.T, notify func(...notifiers.Notification), played *[]string) {
		for id := range uint64(30) { // one after the other for a minute
			notify(notification(id+1, core.LevelError), notification(id+100, core.LevelWarning))
			time.Sleep(2 * time.Second)
		}
		expect(t, played, "error")
		notify(notification(200, core.LevelCritical))
		expect(t, played, "critical")
		notify(notification(201, core.LevelCritical))
		expect(t, played)
		time.Sleep(DefaultBurst)
		notify(notification(202, core.LevelWarning))
		expect(t, played, "warning")
	})
}

func TestAllAtOnceIsHeardAsTheWorstOfIt(t *testing.T) {
	playing(t, Options{Files: all}, func(t *testing.T, notify func(...notifiers.Notification), played *[]string) {
		notify(notification(1, core.LevelWarning)) // is being played meanwhile
		notify(notification(2, core.LevelError), notification(3, core.LevelCritical), notification(4, core.LevelError))
		expect(t, played, "warning", "critical")
	})
}

func TestWithoutBurstsEachNotificationHasItsSound(t *testing.T) {
	playing(t, Options{Files: all, Burst: -1}, func(t *testing.T, notify func(...notifiers.Notification), played *[]string) {
		for id := range uint64(3) {
			notify(notification(id+1, core.LevelError))
			time.Sleep(time.Second)
		}
		expect(t, played, "error", "error", "error")
	})
}

func TestCountsAndDigestsAreNotHeard(t *testing.T) {
	playing(t, Options{Files: all}, func(t *testing.T, notify func(...notifiers.Notification), played *[]string) {
		update, digest := notification(1, core.LevelError), notification(2, core.LevelError)
		update.Note, digest.Digest = "12 times in 60 s", true
		notify(update, digest)
		expect(t, played)
		notify(notification(3, core.LevelError)) // they were no burst
		expect(t, played, "error")
	})
}

func TestALevelWithoutAFileIsSilent(t *testing.T) {
	files := func() (Files, error) { return Files{Critical: "critical"}, nil }
	playing(t, Options{Files: files}, func(t *testing.T, notify func(...notifiers.Notification), played *[]string) {
		notify(notification(1, core.LevelError), notification(2, core.LevelCritical))
		expect(t, played, "critical")
	})
}

func TestQuietMeansNothingIsHeard(t *testing.T) {
	quiet := func(n *notifiers.Notification) bool { return n.Level < core.LevelCritical }
	playing(t, Options{Files: all, Quiet: quiet}, func(t *testing.T, notify func(...notifiers.Notification), played *[]string) {
		notify(notification(1, core.LevelError))
		expect(t, played)
		notify(notification(2, core.LevelCritical))
		expect(t, played, "critical")
	})
}

func TestAFailureIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got error
		n := start(Options{Files: all, OnError: func(err error) { got = err }}, func(context.Context, string) error {
			return errors.New("no sound card")
		})
		if err := n.Notify(t.Context(), notification(1, core.LevelError)); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := n.Close(); err != nil || got == nil {
			t.Errorf("told %v, close %v", got, err)
		}
	})
}

// program writes a player that notes its arguments.
func program(t *testing.T, dir, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestThePlayerThatWorksIsUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows plays by itself")
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	program(t, dir, "paplay", `echo "paplay $*" >>`+log+`; echo "no server" >&2; exit 1`)
	program(t, dir, "aplay", `echo "aplay $*" >>`+log)
	p, err := find("linux", func(name string) (string, error) {
		path := filepath.Join(dir, name)
		_, err := os.Stat(path)
		return path, err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.play(t.Context(), "a sound.wav"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("paplay a sound.wav\naplay -q a sound.wav\naplay -q a sound.wav\n", string(got)); diff != "" {
		t.Errorf("what was run (-want +got):\n%s", diff)
	}
	program(t, dir, "aplay", "echo broken >&2; exit 2")
	err = p.play(t.Context(), "x.wav")
	for _, want := range []string{"aplay: exit status 2: broken", "paplay: exit status 1: no server"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestWithoutAPlayerTheErrorSaysWhatToInstall(t *testing.T) {
	_, err := find("linux", func(string) (string, error) { return "", os.ErrNotExist })
	const want = "sound: no program to play sounds with: install pipewire-bin, pulseaudio-utils or alsa-utils"
	if !errors.Is(err, ErrNoPlayer) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestSoundsAreUnpackedOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache", "sounds")
	content := []byte("RIFF\x04\x00\x00\x00WAVE")
	path, err := Unpack(dir, "error", content)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(path); err != nil {
		t.Error(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Unpack(dir, "error", content); err != nil || again != path {
		t.Errorf("again: %s, %v", again, err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file is another one: %v", err)
	}
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Unpack(dir, "error", content); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); err != nil {
		t.Errorf("a broken file stays: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v in the folder, %v", entries, err)
	}
	if other, err := Unpack(dir, "error", append(content, 0)); err != nil || other == path {
		t.Errorf("another sound is at the same path: %v", err)
	}
}

func TestWhatIsNoSoundIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.wav")
	if err := Check(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	for _, content := range []string{"", "RIFF", "OggS........WAVE", "RIFF....AVI "} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Check(path); err == nil || err.Error() != path+": is not a WAV file" {
			t.Errorf("%q: %v", content, err)
		}
	}
}
