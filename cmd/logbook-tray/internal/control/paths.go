// Package control is how a second program talks to the running instance:
// HTTP over a Unix socket that only its owner can open. No port is involved,
// so no other user and no web page can reach it.
package control

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Dir returns the directory of the sockets of this user and creates it if
// need be: $XDG_RUNTIME_DIR/logbook-tray, or where that variable is not set
// a directory of the user's own below the temporary directory. An existing
// directory that somebody else could have prepared is refused.
func Dir() (string, error) {
	base := os.Getenv("XDG_RUNTIME_DIR")
	name := "logbook-tray"
	if base == "" {
		base = os.TempDir()
		name += "-" + strconv.Itoa(os.Getuid())
	}
	dir := filepath.Join(base, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("create the directory of the sockets: %w", err)
	}
	if err := private(dir); err != nil {
		return "", fmt.Errorf("%s: %w; set XDG_RUNTIME_DIR to a directory of your own", dir, err)
	}
	return dir, nil
}

var errNotPrivate = errors.New("is not a directory that only you can write to")

// DefaultSocket returns the path of the control socket.
func DefaultSocket() (string, error) { return inDir("control.sock") }

// RecordsSocket returns the path of the socket that programs of this user send
// their records to.
func RecordsSocket() (string, error) { return inDir("records.sock") }

func inDir(name string) (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}
