package pipe

import (
	"os"

	"golang.org/x/sys/unix"
)

// unreadBytes returns how much of what was written into a pipe nobody has read, also when
// nobody reads it any more.
func unreadBytes(f *os.File) int {
	n := 0
	c, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = c.Control(func(fd uintptr) {
		n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) //nolint:gosec // a descriptor
	})
	return n
}
