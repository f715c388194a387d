//go:build unix

package listen

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// refused is the error of a socket that nobody listens on.
const refused = syscall.ECONNREFUSED

// withMode returns a function that gives a socket its mode before it gets its file, so
// that nobody else can connect in between. Systems other than Linux do not
// know that; the file has its mode right afterwards.
func withMode(mode fs.FileMode) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), uint32(mode.Perm())) })
	}
}

// lockTimeout is how long another program may take to look at a directory.
const lockTimeout = 2 * time.Second

var errLocked = errors.New("another program is about to listen in this directory, and does not come to an end")

// lockDir makes other programs of this kind wait: of two that find an abandoned socket at
// the same time, the second one would remove that of the first. A directory that cannot be
// opened has no sockets that could be removed.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
		case errors.Is(err, syscall.EINTR):
			continue
		default: // it is ours, or the file system has no locks
			return func() { _ = f.Close() }, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = f.Close()
			return nil, errLocked
		}
	}
}
