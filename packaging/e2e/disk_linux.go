package e2e

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// SmallDisk mounts a file system of this many KiB, which gets full soon, until the test
// ends, and returns its directory. That takes the superuser: without it the test is skipped,
// but not in CI.
func SmallDisk(t testing.TB, kib int) string {
	t.Helper()
	dir := t.TempDir()
	size := "size=" + strconv.Itoa(kib) + "k"
	unmount := func() error { return syscall.Unmount(dir, 0) }
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size); err != nil {
		// Nobody but a machine that is there for tests is asked for more rights.
		if os.Getenv("CI") == "" {
			t.Skipf("cannot mount a small disk here: %v", err)
		}
		if out, err := exec.CommandContext(t.Context(), "sudo", "-n", "mount", "-t", "tmpfs", "-o", size+",mode=777", "tmpfs", dir).CombinedOutput(); err != nil { //nolint:gosec // our own arguments
			t.Fatalf("mount a small disk: %v: %s", err, out)
		}
		unmount = func() error { return exec.Command("sudo", "-n", "umount", dir).Run() } //nolint:noctx // after the end of the test's context
	}
	t.Cleanup(func() {
		if err := unmount(); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}
