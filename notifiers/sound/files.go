package sound

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/logbook-tray/logbook-tray/core"
)

// Files are the paths of the sounds, WAV files; "" stands for silence.
type Files struct {
	Warning, Error, Critical string
}

// For returns the file for records of a level: what is less than a warning makes no
// sound.
func (f *Files) For(l core.Level) string {
	switch {
	case l >= core.LevelCritical:
		return f.Critical
	case l >= core.LevelError:
		return f.Error
	case l >= core.LevelWarning:
		return f.Warning
	}
	return ""
}

// Check returns an error if path is not a WAV file that can be read.
func Check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	var head [12]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || !bytes.HasPrefix(head[:], []byte("RIFF")) || !bytes.HasSuffix(head[:], []byte("WAVE")) {
		return fmt.Errorf("%s: %w", path, errNoWAV)
	}
	return nil
}

var errNoWAV = errors.New("is not a WAV file")

// Unpack writes a sound that is part of the program to a folder, since players and
// notification services want files, and returns its path. A file that is there already
// is left as it is; several processes may unpack at the same time.
func Unpack(dir, name string, content []byte) (path string, err error) {
	sum := sha256.Sum256(content)
	path = filepath.Join(dir, fmt.Sprintf("%s-%x.wav", name, sum[:6]))
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("unpack sounds: %w", err)
	}
	f, err := os.CreateTemp(dir, "."+name)
	if err != nil {
		return "", fmt.Errorf("unpack sounds: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the other error is the one to tell
		}
	}()
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("unpack sounds: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return "", fmt.Errorf("unpack sounds: %w", err)
	}
	return path, nil
}
