package platform_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/platform"
)

func TestConnectTellsThatThereIsNoBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+t.TempDir()+"/none")
	n := platform.New(platform.Options{})
	defer func() { _ = n.Close() }()
	_, dismisses := n.(notifiers.Dismisser) // one on a bus does
	if err := platform.Connect(t.Context(), n); (err != nil) != dismisses {
		t.Errorf("error: %v", err)
	}
}

func TestEverySystemHasANotifier(t *testing.T) {
	n := platform.New(platform.Options{})
	if _, dismisses := n.(notifiers.Dismisser); dismisses && !platform.Clicks {
		t.Errorf("%T dismisses, and does not tell about clicks", n)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
