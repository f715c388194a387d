package sound

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// player returns the system's own, which reads WAV files and nothing else.
func player() (func(context.Context, string) error, error) {
	play := windows.NewLazySystemDLL("winmm.dll").NewProc("PlaySoundW")
	if err := play.Find(); err != nil {
		return nil, fmt.Errorf("sound: %w: %w", ErrNoPlayer, err)
	}
	return func(_ context.Context, path string) error {
		name, err := windows.UTF16PtrFromString(path)
		if err != nil {
			return fmt.Errorf("play %q: %w", path, err)
		}
		// SND_FILENAME, SND_NODEFAULT, and SND_SYNC, which is zero.
		const flags = 0x20000 | 0x2
		if ok, _, _ := play.Call(uintptr(unsafe.Pointer(name)), 0, flags); ok == 0 { //nolint:gosec // how Windows is called
			return fmt.Errorf("play %s: %w", path, errPlay)
		}
		return nil
	}, nil
}

var errPlay = errors.New("Windows cannot play it, or has nothing to play it on")
