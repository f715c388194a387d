package assets_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"github.com/logbook-tray/logbook-tray/assets"
)

func TestEveryPictureIsAPNGOfItsSizeWithANameOfItsOwn(t *testing.T) {
	names := map[string]bool{}
	for _, test := range []struct {
		picture assets.Picture
		size    int
	}{
		{assets.AppIcon(), 128},
		{assets.TrayIcon(assets.Normal), 88},
		{assets.TrayIcon(assets.Unseen), 88},
		{assets.TrayIcon(assets.Muted), 88},
		{assets.TrayIcon(assets.Disconnected), 88},
	} {
		name := test.picture.Name()
		if names[name] {
			t.Errorf("two pictures are called %s", name)
		}
		names[name] = true
		decoded, err := png.Decode(bytes.NewReader(test.picture.Content()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := decoded.Bounds().Size(), image.Pt(test.size, test.size); got != want {
			t.Errorf("%s has %v pixels, want %v", name, got, want)
		}
	}
}

func TestAnUnknownStateHasNoPicture(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("TrayIcon did not panic")
		}
	}()
	assets.TrayIcon(assets.State(99))
}

func TestEverySoundIsAWAVFileThatDiffersFromTheOthers(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{assets.SoundWarning, assets.SoundError, assets.SoundCritical} {
		content := assets.Sound(name)
		if !bytes.HasPrefix(content, []byte("RIFF")) || !bytes.Equal(content[8:12], []byte("WAVE")) {
			t.Errorf("%s is no WAV file", name)
		}
		if seen[string(content)] {
			t.Errorf("%s sounds like another", name)
		}
		seen[string(content)] = true
	}
}
