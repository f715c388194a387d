//go:build unix

package pipe

import (
	"errors"
	"syscall"
)

const nonBlocking = syscall.O_NONBLOCK

// isNoReader reports whether a named pipe cannot be opened because nobody reads it.
func isNoReader(err error) bool { return errors.Is(err, syscall.ENXIO) }
