package libnotify_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
)

const (
	portalName          = "org.freedesktop.portal.Desktop"
	portalPath          = dbus.ObjectPath("/org/freedesktop/portal/desktop")
	portalNotifications = "org.freedesktop.portal.Notification"
)

// portal is a notification portal of the test's own.
type portal struct {
	t    *testing.T
	conn *dbus.Conn

	mu      sync.Mutex
	added   []added
	removed []string
	fail    *dbus.Error // of the calls
}

// added is one call of AddNotification, its values without their types.
type added struct {
	ID     string
	Fields map[string]any
}

func startPortal(t *testing.T, address string, version uint32) *portal {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	p := &portal{t: t, conn: conn}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Export(p, portalPath, portalNotifications); err != nil {
		t.Fatal(err)
	}
	_, err = prop.Export(conn, portalPath, prop.Map{portalNotifications: {"version": {Value: version, Emit: prop.EmitFalse}}})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.RequestName(portalName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: %v, %v", portalName, reply, err)
	}
	return p
}

// AddNotification is the portal's.
func (p *portal) AddNotification(id string, fields map[string]dbus.Variant) *dbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.added = append(p.added, added{id, plain(fields)})
	return p.fail
}

func plain(fields map[string]dbus.Variant) map[string]any {
	out := make(map[string]any)
	for k, v := range fields {
		out[k] = v.Value()
		if list, ok := v.Value().([]map[string]dbus.Variant); ok {
			var items []map[string]any
			for _, item := range list {
				items = append(items, plain(item))
			}
			out[k] = items
		}
	}
	return out
}

// RemoveNotification is the portal's.
func (p *portal) RemoveNotification(id string) *dbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removed = append(p.removed, id)
	return nil
}

func (p *portal) click(id, action string, parameter ...dbus.Variant) {
	p.t.Helper()
	if err := p.conn.Emit(portalPath, portalNotifications+".ActionInvoked", id, action, parameter); err != nil {
		p.t.Error(err)
	}
}

func (p *portal) all() []added {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]added(nil), p.added...)
}

func (p *portal) gone() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.removed...)
}

func newPortal(t *testing.T, address string, o libnotify.Options) *libnotify.Portal {
	t.Helper()
	o.Address = address
	p := libnotify.NewPortal(o)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

func TestThePortalIsGivenWhatItKnows(t *testing.T) {
	address, _ := startBus(t)
	p := startPortal(t, address, 1)
	n := newPortal(t, address, libnotify.Options{})
	show(t, n, notification(7, core.LevelError, "a <b> & 'c'\nd\x1b\u202e"))
	want := []added{{"alert-7", map[string]any{
		"title": "shop: Error", "body": "a <b> & 'c'\nd", "priority": "high", "default-action": "default",
		"buttons": []map[string]any{
			{"label": "Show context", "action": "context"},
			{"label": "Mute 1 h", "action": "mute"},
		},
	}}}
	if diff := cmp.Diff(want, p.all()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestThePrioritiesOfThePortalFollowTheLevel(t *testing.T) {
	address, _ := startBus(t)
	p := startPortal(t, address, 1)
	n := newPortal(t, address, libnotify.Options{})
	for i, test := range []struct {
		level core.Level
		want  string
	}{
		{core.LevelInfo, "low"},
		{core.LevelWarning, "normal"},
		{core.LevelError, "high"},
		{core.LevelCritical, "urgent"},
	} {
		show(t, n, notification(uint64(i+1), test.level, "x"))
		if got := p.all()[i].Fields["priority"]; got != test.want {
			t.Errorf("%s: priority %v, want %s", test.level, got, test.want)
		}
	}
}

func TestTheSecondVersionOfThePortalHasSoundsAndHints(t *testing.T) {
	address, _ := startBus(t)
	p := startPortal(t, address, 2)
	n := newPortal(t, address, libnotify.Options{})
	own := notification(3, core.LevelError, "x")
	own.Sound.File = "/x.wav" // played by the program
	again := notification(2, core.LevelError, "x")
	again.Note = "12 times in 60 s"
	for i, test := range []struct {
		of          notifiers.Notification
		sound, hint any
	}{
		{notification(1, core.LevelInfo, "x"), "silent", []string{"transient"}},
		{notification(2, core.LevelError, "x"), nil, nil},
		{again, "silent", nil},
		{own, "silent", nil},
	} {
		show(t, n, test.of)
		got := p.all()[i].Fields
		if diff := cmp.Diff([]any{test.sound, test.hint}, []any{got["sound"], got["display-hint"]}); diff != "" {
			t.Errorf("notification %d (-want +got):\n%s", i, diff)
		}
	}
	if id := p.all()[2].ID; id != "alert-2" {
		t.Errorf("the update is %s, want alert-2", id)
	}
}

func TestAClickInThePortalBringsTheActionAndTheToken(t *testing.T) {
	address, _ := startBus(t)
	p := startPortal(t, address, 2)
	o, acted, _ := actions()
	n := newPortal(t, address, o)
	if err := n.Connect(t.Context()); err != nil { // those of an earlier run are understood
		t.Fatal(err)
	}
	p.click("something else", "default")
	p.click("alert-x", "default")
	p.click("alert-42", "context", dbus.MakeVariant(map[string]dbus.Variant{"activation-token": dbus.MakeVariant("token-1")}))
	if diff := cmp.Diff(notifiers.Activation{ID: 42, Action: "context", Token: "token-1"}, receive(t, acted)); diff != "" {
		t.Errorf("activation (-want +got):\n%s", diff)
	}
	p.click("alert-42", "mute")
	if diff := cmp.Diff(notifiers.Activation{ID: 42, Action: "mute"}, receive(t, acted)); diff != "" {
		t.Errorf("activation (-want +got):\n%s", diff)
	}
	show(t, n, notification(5, core.LevelError, "x"))
	for range 2 { // what is gone is not removed again
		if err := n.Dismiss(t.Context(), 5); err != nil {
			t.Error(err)
		}
	}
	wait(t, "the notifications to go", func() bool {
		return cmp.Equal([]string{"alert-42", "alert-42", "alert-5"}, p.gone())
	})
}

func TestWhereThereIsNoPortalTheErrorSaysSoOnce(t *testing.T) {
	address, _ := startBus(t)
	var told []error
	n := newPortal(t, address, libnotify.Options{OnState: func(err error) { told = append(told, err) }})
	for range 3 {
		if err := n.Notify(t.Context(), notification(1, core.LevelError, "x")); !errors.Is(err, libnotify.ErrNoPortal) {
			t.Errorf("error: %v", err)
		}
	}
	if len(told) != 1 {
		t.Errorf("told %d times", len(told))
	}
}

func TestAPortalThatRefusesIsAnError(t *testing.T) {
	address, _ := startBus(t)
	p := startPortal(t, address, 1)
	p.mu.Lock()
	p.fail = dbus.NewError("org.freedesktop.portal.Error.NotAllowed", []any{"not allowed"})
	p.mu.Unlock()
	n := newPortal(t, address, libnotify.Options{})
	const want = "AddNotification: portal.Error.NotAllowed: not allowed"
	if err := n.Notify(t.Context(), notification(1, core.LevelError, "x")); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestAfterCloseThePortalIsNotCalled(t *testing.T) {
	address, _ := startBus(t)
	p := startPortal(t, address, 1)
	n := libnotify.NewPortal(libnotify.Options{Address: address})
	show(t, n, notification(1, core.LevelError, "x"))
	for range 2 {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := n.Notify(t.Context(), notification(1, core.LevelError, "x")); err == nil || len(p.all()) != 1 {
		t.Errorf("error %v, %d calls", err, len(p.all()))
	}
}
