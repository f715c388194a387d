//go:build !unix

package listen

import (
	"context"
	"io/fs"
	"syscall"
)

// refused is the error of a socket that nobody listens on: WSAECONNREFUSED.
const refused = syscall.Errno(10061)

// withMode and lockDir have nothing to do where modes and advisory locks do not exist.
func withMode(fs.FileMode) func(string, string, syscall.RawConn) error { return nil }

func lockDir(context.Context, string) (unlock func(), err error) { return func() {}, nil }
