package e2e

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Daemon is a running notification daemon that, other than [Dunst], knows no remote
// control: it is clicked on, as a user does.
type Daemon struct {
	process *Process
	display *Display
	class   string // of its windows
}

// StartXfceNotifyd starts the notification daemon of Xfce, with its defaults. It shows a
// button for every action, the default one too; a click beside them only dismisses.
func StartXfceNotifyd(t testing.TB, b *Bus, d *Display) *Daemon {
	t.Helper()
	return startDaemon(t, b, d, "Xfce4-notifyd", "/usr/lib/*/xfce4/notifyd/xfce4-notifyd")
}

// StartNotificationDaemon starts the notification daemon that GNOME had before its
// shell. It shows 20 notifications at most, and some of those that expire it does not
// report as closed.
func StartNotificationDaemon(t testing.TB, b *Bus, d *Display) *Daemon {
	t.Helper()
	return startDaemon(t, b, d, "Notification-daemon", "/usr/lib/notification-daemon/notification-daemon")
}

// startDaemon starts the program whose path matches pattern: neither of them is where
// programs are looked for.
func startDaemon(t testing.TB, b *Bus, d *Display, class, pattern string) *Daemon {
	t.Helper()
	program := filepath.Base(pattern)
	if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
		program = found[0]
	}
	// Both tell about every accessibility service that is not there.
	env := append(HomeEnv(MakeHome(t)), "DISPLAY="+d.Name, "DBUS_SESSION_BUS_ADDRESS="+b.Address, "NO_AT_BRIDGE=1")
	x := &Daemon{display: d, class: class}
	x.process = Start(t, env, program)
	b.WaitForName(t, notifications)
	return x
}

// Stop ends the daemon before its test is over, as when it crashes.
func (x *Daemon) Stop(t testing.TB) {
	t.Helper()
	x.process.Stop(t)
}

// Displayed returns how many notifications are on the screen.
func (x *Daemon) Displayed(t testing.TB) int {
	t.Helper()
	return len(x.windows(t))
}

// windows returns the numbers of the windows of all notifications.
func (x *Daemon) windows(t testing.TB) []string {
	t.Helper()
	out, _ := x.display.try(t, "xdotool", "search", "--onlyvisible", "--class", "^"+x.class+"$") // fails if there is none
	return strings.Fields(out)
}

// Click clicks with the mouse on the notification, of which one must be shown: right pixels
// from its left edge and down pixels from its upper one; from the right and the lower
// edge if they are negative.
func (x *Daemon) Click(t testing.TB, right, down int) {
	t.Helper()
	var windows []string
	Eventually(t, "a notification on the screen", func() bool {
		windows = x.windows(t)
		return len(windows) > 0
	})
	if len(windows) > 1 {
		t.Fatalf("%d notifications are on the screen, which one to click on?", len(windows))
	}
	var width, height int
	for line := range strings.Lines(x.display.Do(t, "xdotool", "getwindowgeometry", "--shell", windows[0])) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		n, _ := strconv.Atoi(value) // what is no number is not looked at
		switch name {
		case "WIDTH":
			width = n
		case "HEIGHT":
			height = n
		}
	}
	if right < 0 {
		right += width
	}
	if down < 0 {
		down += height
	}
	x.display.Do(t, "xdotool", "mousemove", "--window", windows[0], strconv.Itoa(right), strconv.Itoa(down), "click", "1")
}
