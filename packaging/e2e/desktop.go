package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// Desktop is all that a user's session has: a home, a bus, a screen, a window manager
// and notifications. The tray is apart ([StartTray]), since many desktops have none.
type Desktop struct {
	Home    string
	Bus     *Bus
	Display *Display
	// Dunst is the notification daemon; nil for a session without one.
	Dunst *Dunst
	// Notifications is all that was said about notifications on the bus.
	Notifications *NotificationLog
}

// StartDesktop starts a session with an empty home, whose notification daemon is dunst.
func StartDesktop(t testing.TB) *Desktop {
	t.Helper()
	d := StartSession(t)
	d.Dunst = StartDunst(t, d.Bus, d.Display)
	return d
}

// StartSession starts a session with an empty home in which nothing shows notifications
// yet.
func StartSession(t testing.TB) *Desktop {
	t.Helper()
	d := &Desktop{Home: MakeHome(t), Bus: StartBus(t), Display: StartDisplay(t)}
	d.Display.StartWindowManager(t)
	d.Notifications = StartNotificationLog(t, d.Bus)
	return d
}

// Env returns the environment of the session's programs. Of the environment of the
// test they only get what names no desktop and no user.
func (d *Desktop) Env() []string {
	return append(HomeEnv(d.Home), "DBUS_SESSION_BUS_ADDRESS="+d.Bus.Address, "DISPLAY="+d.Display.Name)
}

// Start starts a program in this session; see [Start].
func (d *Desktop) Start(t testing.TB, program string, args ...string) *Process {
	t.Helper()
	return Start(t, d.Env(), program, args...)
}

// HomeEnv returns an environment in which dir is the home of the user, and that has
// neither a bus nor a display. It makes no folder; see [MakeHome].
func HomeEnv(dir string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"LANG=C.UTF-8",
		"TMPDIR=" + os.TempDir(),
		"HOME=" + dir,
		"XDG_CONFIG_HOME=" + filepath.Join(dir, ".config"),
		"XDG_CACHE_HOME=" + filepath.Join(dir, ".cache"),
		"XDG_DATA_HOME=" + filepath.Join(dir, ".local/share"),
		"XDG_STATE_HOME=" + filepath.Join(dir, ".local/state"),
		"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"),
	}
}

// MakeHome makes a home for [HomeEnv] with a path that is short enough for the sockets
// in it.
func MakeHome(t testing.TB) string {
	t.Helper()
	dir := tempDir(t)
	// The toolkit makes its folder in the cache, but not the cache.
	for _, name := range []string{".cache", ".config", "run"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
