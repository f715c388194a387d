package pipe

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// unreadBytes returns how much of what was written into a pipe nobody has read, also when
// nobody reads it any more. It is all of it if that cannot be told.
func unreadBytes(f *os.File) int {
	n, failed := 0, error(nil)
	c, err := f.SyscallConn()
	if err == nil {
		err = c.Control(func(fd uintptr) {
			n, failed = unix.IoctlGetInt(int(fd), unix.TIOCINQ) //nolint:gosec // a descriptor
		})
	}
	if err != nil || failed != nil {
		return math.MaxInt
	}
	return n
}
