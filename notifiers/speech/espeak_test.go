//go:build linux

package speech

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
)

// What espeak-ng makes of the command, written to a file instead of the speakers.
func TestEspeakSpeaksTheTextAtItsRate(t *testing.T) {
	size := func(rate int, text string) int64 {
		command, err := find("linux", only("espeak-ng"), &Options{Rate: rate, Voice: "en-gb"})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out.wav")
		cmd := exec.Command(command[0], append(command[1:], "-w", out)...)
		cmd.Stdin = strings.NewReader(text)
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Fatalf("espeak-ng (Debian: apt install espeak-ng): %v: %s", err, said)
		}
		info, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	const text = "shop: Error. payment declined for order 4711"
	normal, short, fast := size(150, text), size(150, "shop"), size(300, text)
	if short <= 1000 || normal < 2*short || fast > normal*3/4 {
		t.Errorf("%d bytes for a sentence, %d for a word, %d at double the rate", normal, short, fast)
	}
}

// It is found by itself, and opens the sound card, which is one of ALSA's that plays
// nothing.
func TestSpeechOpensTheSoundCard(t *testing.T) {
	home := t.TempDir()
	opened := filepath.Join(home, "opened")
	config := "pcm.!default { type file; slave.pcm { type null }; file " + opened + "; format wav }\n"
	if err := os.WriteFile(filepath.Join(home, ".asoundrc"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(home, "none"))
	t.Setenv("XDG_RUNTIME_DIR", home)
	failed := make(chan error, 1)
	n, err := New(Options{OnError: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Notify(t.Context(), notification(1, "shop", core.LevelError)); err != nil {
		t.Error(err)
	}
	waitFor(t, "the sound card to be opened", func() bool {
		_, err := os.Stat(opened)
		return err == nil
	})
	waitFor(t, "the end of the sentence", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.waiting) == 0 && n.skip == nil
	})
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-failed:
		t.Error(err)
	default:
	}
}
