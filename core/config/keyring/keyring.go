// Package keyring keeps secrets in the keyring of the desktop: the Secret Service of
// freedesktop.org on Linux (GNOME Keyring, KWallet, KeePassXC), the Keychain on macOS, the
// Credential Manager on Windows. It is what {keyring: NAME} in the configuration reads.
package keyring

import (
	"context"
	"errors"
	"fmt"

	"github.com/zalando/go-keyring"
)

// Service is the name under which all secrets are kept; other programs' are not seen.
const Service = "logbook-tray"

// ErrNotFound says that the keyring has no secret of that name.
var ErrNotFound = errors.New("the keyring has no such secret; put it there with: logbook-tray secret set NAME")

// Get returns a secret. It may wait until the user has unlocked the keyring, for as long
// as ctx allows.
func Get(ctx context.Context, name string) (string, error) {
	return within(ctx, func() (string, error) { return keyring.Get(Service, name) })
}

// Set keeps a secret, in place of the one that has the name already. It may wait like
// [Get].
func Set(ctx context.Context, name, value string) error {
	_, err := within(ctx, func() (string, error) { return "", keyring.Set(Service, name, value) })
	return err
}

// Delete forgets a secret. It may wait like [Get].
func Delete(ctx context.Context, name string) error {
	_, err := within(ctx, func() (string, error) { return "", keyring.Delete(Service, name) })
	return err
}

// answer is what the keyring says.
type answer struct {
	value string
	err   error
}

// within calls f, which knows no context. If ctx ends first f goes on by itself: what it
// waits for is the user, who may answer the keyring's question at any time.
func within(ctx context.Context, f func() (string, error)) (string, error) {
	done := make(chan answer, 1)
	go func() {
		value, err := f()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		switch {
		case errors.Is(a.err, keyring.ErrNotFound):
			return "", ErrNotFound
		case a.err != nil:
			return "", fmt.Errorf("ask the keyring: %w", a.err)
		}
		return a.value, nil
	case <-ctx.Done():
		return "", fmt.Errorf("the keyring does not answer, is it locked? %w", ctx.Err())
	}
}
