//go:build linux

package libnotify_test

import (
	"fmt"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// The daemon of GNOME refuses more than about 20, and shows one at a time, the oldest
// first. What it is told to close it leaves on the screen.
func TestNotificationDaemonTakesTheNewestAlthoughItIsFull(t *testing.T) {
	bus, display := e2e.StartBus(t), e2e.StartDisplay(t)
	daemon := e2e.StartNotificationDaemon(t, bus, display)
	o, acted, _ := actions()
	n := newNotifier(t, bus.Address, o)
	for id := range uint64(30) {
		show(t, n, notification(id+1, core.LevelError, fmt.Sprint("error ", id+1)))
	}
	if s := n.Status().Shown; s < 15 || s > 25 {
		t.Errorf("%d are shown, want about 20", s)
	}
	daemon.Click(t, 100, 45)
	if a := receive(t, acted); a.ID != 1 || a.Action != notifiers.ActionDefault {
		t.Errorf("activation: %+v, want that of the first, which was closed for the newest", a)
	}
}
