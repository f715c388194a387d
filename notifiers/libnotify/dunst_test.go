//go:build linux

package libnotify_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
)

// The tests in this file run against a real notification service, dunst, on a
// screen without a monitor, Xvfb. Both are packages of Debian, as is dbus.

// dunst is a running dunst on a bus and a screen of its own.
type dunst struct {
	t       *testing.T
	address string
	env     []string
	config  string
	conn    *dbus.Conn
	object  dbus.BusObject // for dunst's own interface
	kill    func()
}

func startDunst(t *testing.T) *dunst {
	t.Helper()
	address, _ := startBus(t)
	display := startXvfb(t)
	config := filepath.Join(t.TempDir(), "dunstrc")
	if err := os.WriteFile(config, []byte("[global]\nmarkup = full\nnotification_limit = 20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	d := &dunst{
		t: t, address: address, config: config, conn: conn, object: conn.Object(notifications, objectPath),
		env: append(os.Environ(), "DISPLAY="+display, "DBUS_SESSION_BUS_ADDRESS="+address, "WAYLAND_DISPLAY="),
	}
	d.start()
	return d
}

func (d *dunst) start() {
	d.t.Helper()
	cmd := exec.Command("dunst", "-config", d.config)
	cmd.Env = d.env
	d.kill = start(d.t, cmd)
	wait(d.t, "dunst owns its name", func() bool { return d.owned() })
}

func (d *dunst) owned() (has bool) {
	err := d.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, notifications).Store(&has)
	return err == nil && has
}

func (d *dunst) call(method string, args ...any) *dbus.Call {
	d.t.Helper()
	c := d.object.Call("org.dunstproject.cmd0."+method, 0, args...)
	if c.Err != nil {
		d.t.Fatal(c.Err)
	}
	return c
}

func startXvfb(t *testing.T) (display string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "800x600x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	start(t, cmd)
	_ = w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("number of the screen: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// start starts a program and returns a function that ends it, which is called at
// the end of the test too.
func start(t *testing.T, cmd *exec.Cmd) (kill func()) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s (Debian: apt install dunst xvfb): %v", cmd.Args[0], err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	return kill
}

// entry is one notification in dunst's history.
type entry struct {
	App, Summary, Body, Action string
	Timeout                    int64
}

// history returns what dunst has shown and closed, newest first.
func (d *dunst) history() []entry {
	d.t.Helper()
	var list []map[string]dbus.Variant
	if err := d.call("NotificationListHistory").Store(&list); err != nil {
		d.t.Fatal(err)
	}
	var out []entry
	for _, m := range list {
		e := entry{App: text(m["appname"]), Summary: text(m["summary"]), Body: text(m["body"]), Action: text(m["default_action_name"])}
		e.Timeout, _ = m["timeout"].Value().(int64)
		out = append(out, e)
	}
	return out
}

func text(v dbus.Variant) string {
	s, _ := v.Value().(string)
	return s
}

func TestDunstShowsOneNotificationAndItsCount(t *testing.T) {
	d := startDunst(t)
	o, _, dismissed := actions()
	n := newNotifier(t, d.address, o)
	h := notifiers.NewHandler(n, notifiers.Options{})
	for range 3 {
		r := &core.Record{Channel: "shop", Level: core.LevelError}
		r.SetMessage("größer <b>1</b> & 2")
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil { // shows the count
		t.Fatal(err)
	}
	if st := n.Status(); st.Shown != 1 || !strings.HasPrefix(st.Server, "dunst ") {
		t.Errorf("status: %+v", st)
	}
	d.call("NotificationCloseAll")
	if id := receive(t, dismissed); id != 1 {
		t.Errorf("dismissed %d", id)
	}
	want := []entry{{
		App: "logbook-tray", Summary: "shop: Error", Action: "default",
		Body: "größer &lt;b&gt;1&lt;/b&gt; &amp; 2 (3 times in 60 s)",
	}}
	if diff := cmp.Diff(want, d.history()); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestAClickInDunstShowsTheContext(t *testing.T) {
	d := startDunst(t)
	o, acted, dismissed := actions()
	n := newNotifier(t, d.address, o)
	show(t, n, notification(41, core.LevelWarning, "disk almost full"))
	show(t, n, notification(42, core.LevelError, "declined"))
	d.call("NotificationAction", uint32(0)) // the top one
	if a := receive(t, acted); a.ID != 42 || a.Action != notifiers.ActionDefault {
		t.Errorf("activation: %+v", a)
	}
	wait(t, "dunst takes it away", func() bool { return n.Status().Shown == 1 })
	d.call("NotificationCloseLast")
	if id := receive(t, dismissed); id != 41 {
		t.Errorf("dismissed %d", id)
	}
}

func TestDunstThatIsRestartedIsUsedAgain(t *testing.T) {
	d := startDunst(t)
	n := newNotifier(t, d.address, libnotify.Options{})
	show(t, n, notification(1, core.LevelError, "x"))
	d.kill()
	wait(t, "the loss is noticed", func() bool { return n.Status().Server == "" })
	err := n.Notify(t.Context(), notification(2, core.LevelError, "missed"))
	if !errors.Is(err, libnotify.ErrNoService) {
		t.Errorf("while dunst is away: %v", err)
	}
	d.start()
	wait(t, "what was missed is shown", func() bool { return n.Status().Shown == 1 })
	d.call("NotificationCloseAll")
	if diff := cmp.Diff([]entry{{App: "logbook-tray", Summary: "shop: Error", Body: "missed", Action: "default"}}, d.history()); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestDunstThatIsPausedIsFollowed(t *testing.T) {
	d := startDunst(t)
	heard := watch(t, d.address)
	expect(t, heard, "at the beginning", false)
	pause := func(to string) {
		cmd := exec.Command("dunstctl", "set-paused", to)
		cmd.Env = d.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("dunstctl: %v: %s", err, out)
		}
	}
	pause("true")
	expect(t, heard, "paused", true)
	pause("false")
	expect(t, heard, "no longer paused", false)
	pause("toggle")
	expect(t, heard, "paused again", true)
	d.kill()
	expect(t, heard, "without dunst", false)
}
