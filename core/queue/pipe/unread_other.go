//go:build !linux

package pipe

import "os"

// unreadBytes says that everything has been read, where the system does not tell.
func unreadBytes(*os.File) int { return 0 }
