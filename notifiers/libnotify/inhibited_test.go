package libnotify_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
)

// watch watches the desktop on a bus until the test ends, and returns what it hears.
func watch(t *testing.T, address string) <-chan bool {
	t.Helper()
	heard := make(chan bool, 16)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- libnotify.Watch(ctx, address, func(on bool) { heard <- on }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch returned %v", err)
		}
	})
	return heard
}

func expect(t *testing.T, heard <-chan bool, what string, want bool) {
	t.Helper()
	if got := receive(t, heard); got != want {
		t.Fatalf("%s: inhibited %v", what, got)
	}
}

// inhibit gives a service a property that can be set.
func inhibit(t *testing.T, conn *dbus.Conn, owner, name string, value bool) *prop.Properties {
	t.Helper()
	p, err := prop.Export(conn, objectPath, prop.Map{owner: {name: {Value: value, Emit: prop.EmitTrue}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheInhibitedPropertyIsFollowed(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	p := inhibit(t, s.conn, notifications, "Inhibited", true)
	heard := watch(t, address)
	expect(t, heard, "at the beginning", true)
	p.SetMust(notifications, "Inhibited", false)
	expect(t, heard, "after a change", false)
	p.SetMust(notifications, "Inhibited", true)
	expect(t, heard, "after another", true)
	s.stop()
	expect(t, heard, "without the service", false)
}

func TestAServiceThatStartsLateIsFollowed(t *testing.T) {
	address, _ := startBus(t)
	heard := watch(t, address)
	expect(t, heard, "without a service", false)
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	inhibit(t, conn, "org.dunstproject.cmd0", "paused", true)
	if _, err := conn.RequestName(notifications, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	expect(t, heard, "once it is there", true)
}

// gnome is a settings portal that shows one setting.
type gnome struct {
	conn *dbus.Conn
	show chan bool // holds the value
}

func (g *gnome) Read(namespace, key string) (dbus.Variant, *dbus.Error) {
	if namespace != "org.gnome.desktop.notifications" || key != "show-banners" {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.portal.Error.NotFound", []any{"Requested setting not found"})
	}
	show := <-g.show
	g.show <- show
	return dbus.MakeVariant(dbus.MakeVariant(show)), nil
}

func (g *gnome) set(t *testing.T, show bool) {
	t.Helper()
	<-g.show
	g.show <- show
	err := g.conn.Emit("/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings.SettingChanged",
		"org.gnome.desktop.notifications", "show-banners", dbus.MakeVariant(show))
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheSettingOfGNOMEIsFollowedThroughThePortal(t *testing.T) {
	address, _ := startBus(t)
	startServer(t, address, allCaps...)
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	g := &gnome{conn: conn, show: make(chan bool, 1)}
	g.show <- true
	if err := conn.Export(g, "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings"); err != nil {
		t.Fatal(err)
	}
	heard := watch(t, address)
	expect(t, heard, "without the portal", false)
	g.set(t, false)
	if _, err := conn.RequestName("org.freedesktop.portal.Desktop", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	expect(t, heard, "once the portal is there", true)
	g.set(t, true)
	expect(t, heard, "after a change", false)
}

func TestABusThatComesBackIsWatchedAgain(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	address, stop := startBusAt(t, socket)
	s := startServer(t, address, allCaps...)
	inhibit(t, s.conn, notifications, "Inhibited", true)
	heard := watch(t, address)
	expect(t, heard, "at the beginning", true)
	stop()
	expect(t, heard, "without a bus", false)
	address, _ = startBusAt(t, socket)
	s = startServer(t, address, allCaps...)
	inhibit(t, s.conn, notifications, "Inhibited", true)
	expect(t, heard, "on the new bus", true)
}
