//go:build !windows && !darwin

package platform_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
	"github.com/logbook-tray/logbook-tray/notifiers/platform"
)

func TestInsideAFlatpakThePortalIsUsed(t *testing.T) {
	info := filepath.Join(t.TempDir(), "info")
	isPortal := func() bool {
		n := platform.New(platform.Options{Sandbox: info})
		defer func() { _ = n.Close() }()
		_, is := n.(*libnotify.Portal)
		return is
	}
	if isPortal() {
		t.Error("the portal is used outside of a sandbox")
	}
	if err := os.WriteFile(info, []byte("[Application]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !isPortal() {
		t.Error("the portal is not used inside a sandbox")
	}
}
