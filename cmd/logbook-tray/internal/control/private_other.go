//go:build !unix

package control

import "os"

// private trusts the user's own temporary directory, which is not shared here.
func private(string) error { return nil }

// lock does nothing: the socket itself tells whether another instance runs.
func lock(*os.File) error { return nil }
