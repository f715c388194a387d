package listen

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// abandon leaves a socket as a program does that is killed.
func abandon(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
}

func TestAnAbandonedSocketIsTakenOverByOneAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 20 {
		abandon(t, path)
		winners := make(chan net.Listener, 8)
		var wg sync.WaitGroup
		for range cap(winners) {
			wg.Go(func() {
				l, err := Stream(t.Context(), "unix", path, Options{})
				if err == nil {
					winners <- l
				} else if !errors.Is(err, syscall.EADDRINUSE) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(winners) != 1 {
			t.Fatalf("%d listen", len(winners))
		}
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatalf("nobody is behind the socket: %v", err)
		}
		_ = c.Close()
		_ = (<-winners).Close()
	}
}

func TestASocketThatIsAliveIsNotTakenOver(t *testing.T) {
	dir := t.TempDir()
	busy := filepath.Join(dir, "busy") // nobody accepts, and no more can wait
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: busy}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := net.Dial("unix", busy)
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	datagrams := filepath.Join(dir, "datagrams")
	p, err := Packet(t.Context(), "unixgram", datagrams, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, path := range []string{busy, datagrams} {
		l, err := Stream(t.Context(), "unix", path, Options{})
		if want := "listen on unix " + path + ": address already in use; find the program with: ss -lxp src " + path; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if err == nil {
			_ = l.Close()
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestASocketIsItsOwnersFromTheStart(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for _, network := range []string{"unix", "unixgram"} {
		path := filepath.Join(t.TempDir(), "s")
		c := net.ListenConfig{Control: withMode(0o600)}
		var s io.Closer
		var err error
		if network == "unix" {
			s, err = c.Listen(t.Context(), network, path)
		} else {
			s, err = c.ListenPacket(t.Context(), network, path)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", network, info, err)
		}
	}
}

// asSomebodyElse does something without the rights of the administrator.
func asSomebodyElse(t *testing.T, f func()) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			const nobody = 65534
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
				t.Error(errno)
				return
			}
		}
		f()
	})
	wg.Wait()
}

func TestAPathWithoutPermissionIsExplained(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "listen-test-") //nolint:usetesting // everybody may pass its parents
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	foreign := filepath.Join(dir, "foreign")
	abandon(t, foreign)
	if err := errors.Join(os.Chmod(foreign, 0), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	for path, want := range map[string]string{
		filepath.Join(dir, "s"): "permission denied; the directory must be one that you can write to",
		foreign:                 "permission denied; the socket that is there belongs to somebody else",
	} {
		asSomebodyElse(t, func() {
			_, err := Stream(context.Background(), "unix", path, Options{})
			if want := "listen on unix " + path + ": " + want; err == nil || err.Error() != want || !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

func TestTheOneWhoLooksAtADirectoryIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockDir(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Stream(ctx, "unix", filepath.Join(dir, "s"), Options{}); !errors.Is(err, errLocked) {
		t.Error(err)
	}
	unlock()
	l, err := Stream(t.Context(), "unix", filepath.Join(dir, "s"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}
