package handler_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// smallDisk mounts a file system of 64 KiB, which takes the superuser.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	unmount := func() error { return syscall.Unmount(dir, 0) }
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		// Nobody but a machine that is there for tests is asked for more rights.
		if os.Getenv("CI") == "" {
			t.Skipf("cannot mount a small disk here: %v", err)
		}
		if out, err := exec.CommandContext(t.Context(), "sudo", "-n", "mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", dir).CombinedOutput(); err != nil {
			t.Fatalf("mount a small disk: %v: %s", err, out)
		}
		unmount = func() error { return exec.Command("sudo", "-n", "umount", dir).Run() }
	}
	t.Cleanup(func() {
		if err := unmount(); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// On a disk that gets full a record is reported as lost or is there as a whole; when
// there is room again, the next one begins on a line of its own.
func TestADiskThatGetsFull(t *testing.T) {
	for name, newHandler := range map[string]func(o handler.FileOptions) (core.Handler, error){
		"File": func(o handler.FileOptions) (core.Handler, error) { return handler.NewFile(o) },
		"RotatingFile": func(o handler.FileOptions) (core.Handler, error) {
			return handler.NewRotatingFile(handler.RotatingFileOptions{File: o, MaxSize: 1 << 20})
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := smallDisk(t)
			ballast := filepath.Join(dir, "ballast")
			if err := os.WriteFile(ballast, []byte(strings.Repeat("x", 16<<10)), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "app.log")
			h, err := newHandler(handler.FileOptions{Path: path, Formatter: messageOnly(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = core.Close(h) }()
			line := strings.Repeat("a", 999)
			taken, lost := 0, 0
			for range 80 {
				switch err := h.Handle(t.Context(), testRecord(line)); {
				case err == nil:
					taken++
				case errors.Is(err, syscall.ENOSPC):
					lost++
				default:
					t.Fatal(err)
				}
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			handle(t, h, testRecord("room again"))
			whole := 0
			for l := range strings.Lines(content(t, path)) {
				if l == line+"\n" {
					whole++
				}
			}
			if lost == 0 || whole != taken || !strings.HasSuffix(content(t, path), "\nroom again\n") {
				t.Errorf("%d taken, %d of them whole, %d lost", taken, whole, lost)
			}
		})
	}
}
