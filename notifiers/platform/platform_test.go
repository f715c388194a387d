package platform_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/platform"
)

func TestEverySystemHasANotifier(t *testing.T) {
	n := platform.New(platform.Options{})
	if _, dismisses := n.(notifiers.Dismisser); dismisses != platform.Clicks {
		t.Errorf("%T: dismisses %v, tells clicks %v", n, dismisses, platform.Clicks)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}
