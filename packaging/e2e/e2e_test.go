//go:build linux

package e2e_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fyne.io/systray"
	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// trayProgram in the environment makes the test binary a program with a tray icon, with
// the library that the toolkit uses.
const trayProgram = "E2E_TRAY_PROGRAM"

func TestMain(m *testing.M) {
	if icon := os.Getenv(trayProgram); icon != "" {
		systray.Run(func() { showTray(icon) }, nil)
		return
	}
	goleak.VerifyTestMain(m)
}

func showTray(icon string) {
	picture, err := os.ReadFile(icon)
	if err != nil {
		panic(err)
	}
	systray.SetIcon(picture)
	systray.SetTitle("e2e")
	systray.SetOnTapped(func() { println("tapped") })
	alerts := systray.AddMenuItem("Recent alerts", "")
	alert := alerts.AddSubMenuItem("shop: Error: payment_declined", "")
	systray.AddSeparator()
	disabled := systray.AddMenuItem("Unmute", "")
	disabled.Disable()
	systray.AddMenuItem("Hidden", "").Hide()
	systray.AddMenuItemCheckbox("Mute all for 1 h", "", true)
	quit := systray.AddMenuItem("Quit", "")
	go func() {
		for {
			select {
			case <-alert.ClickedCh:
				println("alert clicked")
			case <-quit.ClickedCh:
				systray.Quit()
				return
			}
		}
	}()
}

// notify sends a notification as a program does and returns its number.
func notify(t *testing.T, conn *dbus.Conn, replaces uint32, title string, urgency byte, actions ...string) uint32 {
	t.Helper()
	var id uint32
	call := conn.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications").CallWithContext(t.Context(),
		"org.freedesktop.Notifications.Notify", 0, "e2e", replaces, "dialog-error", title, "a <b>body</b>", actions,
		map[string]dbus.Variant{"urgency": dbus.MakeVariant(urgency)}, int32(0))
	if err := call.Store(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestANotificationIsShownUpdatedClickedAndRemembered(t *testing.T) {
	d := e2e.StartDesktop(t)
	conn := d.Bus.Connect(t)

	id := notify(t, conn, 0, "shop: Error", 2, "default", "Open", "context", "Show context")
	if again := notify(t, conn, id, "shop: Error (7 times)", 2, "default", "Open", "context", "Show context"); again != id {
		t.Fatalf("the update got number %d, want %d", again, id)
	}
	sent := d.Notifications.Wait(t, "the update", func(n e2e.Notify) bool { return n.Replaces == id })
	want := e2e.Notify{
		At: sent.At, App: "e2e", Replaces: id, Icon: "dialog-error", Title: "shop: Error (7 times)", Body: "a <b>body</b>",
		Actions: []e2e.NotifyAction{{Key: "default", Label: "Open"}, {Key: "context", Label: "Show context"}},
		Hints:   map[string]any{"urgency": byte(2)}, Timeout: 0, ID: id,
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("the call of Notify (-want +got):\n%s", diff)
	}
	if sent.Urgency() != 2 {
		t.Errorf("urgency %d, want 2", sent.Urgency())
	}
	if n := len(d.Notifications.Calls()); n != 2 {
		t.Errorf("%d calls of Notify were seen, want 2", n)
	}
	if n := d.Dunst.Displayed(t); n != 1 {
		t.Errorf("%d notifications are on the screen, want 1", n)
	}

	d.Dunst.Choose(t, "Show context")
	waitForSignal(t, d, e2e.NotifySignal{Name: "ActionInvoked", ID: id, Detail: "context"})
	d.Dunst.Default(t)
	waitForSignal(t, d, e2e.NotifySignal{Name: "ActionInvoked", ID: id, Detail: "default"})
	d.Dunst.CloseAll(t)
	second := notify(t, conn, 0, "shop: Warning", 1, "default", "Open")
	d.Dunst.Click(t)
	waitForSignal(t, d, e2e.NotifySignal{Name: "ActionInvoked", ID: second, Detail: "default"})
	waitForSignal(t, d, e2e.NotifySignal{Name: "NotificationClosed", ID: second, Detail: "2"})

	var titles []string
	for _, s := range d.Dunst.History(t) {
		titles = append(titles, s.Title)
	}
	if diff := cmp.Diff([]string{"shop: Error (7 times)", "shop: Warning"}, titles); diff != "" {
		t.Errorf("the history (-want +got):\n%s", diff)
	}
}

func waitForSignal(t *testing.T, d *e2e.Desktop, want e2e.NotifySignal) {
	t.Helper()
	e2e.Eventually(t, want.Name+" "+want.Detail, func() bool {
		return slices.Contains(d.Notifications.Signals(), want)
	})
}

// What the other daemons do with a click is what our notifications are made for.
func TestOtherDaemonsAreClickedOn(t *testing.T) {
	for _, test := range []struct {
		name             string
		start            func(testing.TB, *e2e.Bus, *e2e.Display) *e2e.Daemon
		right, down      int    // where the click opens
		besideX, besideY int    // where it does something else
		opens, beside    string // the key of the action
	}{
		{"xfce4-notifyd", e2e.StartXfceNotifyd, -176, -30, 100, 30, "default", ""},
		{"notification-daemon", e2e.StartNotificationDaemon, 100, 45, -80, -35, "default", "mute"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := e2e.StartSession(t)
			daemon := test.start(t, d.Bus, d.Display)
			conn := d.Bus.Connect(t)
			show := func() uint32 {
				return notify(t, conn, 0, "shop: Error", 2, "default", "Show context", "mute", "Mute 1 h")
			}
			id := show()
			daemon.Click(t, test.right, test.down)
			waitForSignal(t, d, e2e.NotifySignal{Name: "ActionInvoked", ID: id, Detail: test.opens})
			waitForSignal(t, d, e2e.NotifySignal{Name: "NotificationClosed", ID: id, Detail: "2"})
			e2e.Eventually(t, "the notification to go", func() bool { return daemon.Displayed(t) == 0 })

			id = show()
			daemon.Click(t, test.besideX, test.besideY)
			waitForSignal(t, d, e2e.NotifySignal{Name: "NotificationClosed", ID: id, Detail: "2"})
			if want := (e2e.NotifySignal{Name: "ActionInvoked", ID: id, Detail: test.beside}); test.beside != "" {
				waitForSignal(t, d, want)
			} else if n := len(d.Notifications.Signals()); n != 3 {
				t.Errorf("%d signals, want 3: the click beside the buttons only dismisses", n)
			}
		})
	}
}

func TestAPausedDaemonShowsNothing(t *testing.T) {
	d := e2e.StartDesktop(t)
	d.Dunst.Pause(t, true)
	notify(t, d.Bus.Connect(t), 0, "held back", 2)
	if n := d.Dunst.Displayed(t); n != 0 {
		t.Errorf("%d notifications are on the screen, want 0", n)
	}
	d.Dunst.Pause(t, false)
	e2e.Eventually(t, "the notification", func() bool { return d.Dunst.Displayed(t) == 1 })
}

func TestAWindowIsSeenPhotographedAndClosed(t *testing.T) {
	d := e2e.StartDesktop(t)
	t.Setenv("ARTIFACTS", t.TempDir())
	blank := screenshot(t, d, "blank")
	app := d.Start(t, "xmessage", "-title", "A window", "hello")
	d.Display.WaitForWindow(t, "A window")
	if diff := cmp.Diff([]string{"A window"}, d.Display.Windows(t)); diff != "" {
		t.Errorf("the windows (-want +got):\n%s", diff)
	}
	if bytes.Equal(blank, screenshot(t, d, "window")) {
		t.Error("the window is not in the picture")
	}
	e2e.Eventually(t, "the window in front", func() bool { return d.Display.ActiveWindow(t) == "A window" })
	d.Display.CloseWindow(t, "A window")
	app.Wait(t)
}

func screenshot(t *testing.T, d *e2e.Desktop, name string) []byte {
	t.Helper()
	path := d.Display.Screenshot(t, name)
	if dir := filepath.Join(os.Getenv("ARTIFACTS"), t.Name()); filepath.Dir(path) != dir {
		t.Errorf("the screenshot is %s, want it in %s", path, dir)
	}
	picture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	if config.Width != 1280 || config.Height != 800 {
		t.Errorf("the screenshot has %d by %d pixels, want 1280 by 800", config.Width, config.Height)
	}
	return picture
}

// startTrayProgram starts a program with a tray icon that is red in one corner.
func startTrayProgram(t *testing.T, b *e2e.Bus) *e2e.Process {
	t.Helper()
	icon := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	icon.Set(0, 0, color.NRGBA{R: 200, G: 10, B: 20, A: 128})
	path := filepath.Join(t.TempDir(), "icon.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, icon); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// The tray library itself has a race, between two answers for its menu.
	env := append(e2e.HomeEnv(e2e.MakeHome(t)), "DBUS_SESSION_BUS_ADDRESS="+b.Address, trayProgram+"="+path, "GORACE=exitcode=0")
	return e2e.Start(t, env, os.Args[0])
}

func TestTheTrayShowsAnItemAndClicksItsMenu(t *testing.T) {
	bus := e2e.StartBus(t)
	tray := e2e.StartTray(t, bus)
	app := startTrayProgram(t, bus)
	item := tray.Item(t)

	e2e.Eventually(t, "the whole menu", func() bool { _, ok := e2e.Find(item.Menu(t), "Quit"); return ok })
	want := []string{"Recent alerts", "  shop: Error: paymentdeclined", "-", "Unmute", "Mute all for 1 h", "Quit"}
	if diff := cmp.Diff(want, e2e.Labels(item.Menu(t))); diff != "" {
		t.Errorf("the menu (-want +got):\n%s", diff)
	}
	if e, _ := e2e.Find(item.Menu(t), "Unmute"); !e.Disabled {
		t.Error("Unmute can be clicked, want it disabled")
	}
	if e, _ := e2e.Find(item.Menu(t), "Mute"); !e.Checked {
		t.Error("Mute all is off, want it checked")
	}
	e2e.Eventually(t, "the title", func() bool { return item.Title(t) == "e2e" })
	if got, want := item.Icon(t).At(0, 0), (color.NRGBA{R: 200, G: 10, B: 20, A: 128}); got != want {
		t.Errorf("the corner of the icon is %v, want %v", got, want)
	}

	item.Activate(t)
	e2e.Eventually(t, "the click on the icon", func() bool { return strings.Contains(app.Output(), "tapped") })
	item.Click(t, "Recent", "shop: Error")
	e2e.Eventually(t, "the click on the alert", func() bool { return strings.Contains(app.Output(), "alert clicked") })
	item.Click(t, "Quit")
	if code := app.Wait(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestATrayThatComesLateFindsTheItem(t *testing.T) {
	bus := e2e.StartBus(t)
	startTrayProgram(t, bus)
	bus.WaitForName(t, "org.freedesktop.DBus")
	first := e2e.StartTray(t, bus)
	first.Item(t)
	first.Stop(t)
	e2e.StartTray(t, bus).Item(t)
}

func TestTheBusStartsNoServiceByItself(t *testing.T) {
	conn := e2e.StartBus(t).Connect(t)
	var names []string
	if err := conn.BusObject().CallWithContext(t.Context(), "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"org.freedesktop.DBus"}, names); diff != "" {
		t.Errorf("the names that can be started (-want +got):\n%s", diff)
	}
}

func TestAProgramsEndIsItsExitCode(t *testing.T) {
	env := e2e.HomeEnv(e2e.MakeHome(t))
	if code := e2e.Start(t, env, "sh", "-c", "exit 3").Wait(t); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	p := e2e.Start(t, env, "sh", "-c", `trap "exit 5" TERM; echo ready; while :; do sleep 0.01; done`)
	e2e.Eventually(t, "the program", func() bool { return p.Output() == "ready\n" })
	if code := p.Stop(t); code != 5 {
		t.Errorf("exit code %d, want 5", code)
	}
	p = e2e.Start(t, env, "sleep", "60")
	p.Signal(t, syscall.SIGKILL)
	if code := p.Wait(t); code != -1 {
		t.Errorf("exit code %d, want -1", code)
	}
}

func TestAProgramKnowsNothingOfTheDesktopOfTheTester(t *testing.T) {
	t.Setenv("DISPLAY", ":0")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
	home := e2e.MakeHome(t)
	got := e2e.Run(t, e2e.HomeEnv(home), strings.NewReader("input"), "sh", "-c", "cat; echo \" $DISPLAY$DBUS_SESSION_BUS_ADDRESS$HOME\"")
	if want := "input " + home + "\n"; got != want {
		t.Errorf("the program wrote %q, want %q", got, want)
	}
}
