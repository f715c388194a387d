//go:build unix

package control

import (
	"os"
	"syscall"
)

// private reports an error unless dir belongs to this user and nobody else
// can write to it.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return errNotPrivate
	}
	return nil
}

// lock takes the lock that makes an instance the only one. It is released
// when f is closed or the process ends, however it ends.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
