package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// Dunst is a running notification daemon, with a configuration that shows every
// notification by itself and keeps all of them in its history.
type Dunst struct {
	process *Process
	object  dbus.BusObject
	display *Display
	// wanted is the file in which the menu's stand-in finds what to choose.
	wanted string
}

// dunstConfig leaves nothing to chance: no notification is merged with an equal one or
// held back because nobody is at the keyboard. A click on the body invokes the
// default action, as on the desktops people have; the menu of all actions is a script.
const dunstConfig = `[global]
    width = 380
    height = 200
    origin = top-right
    offset = 10x10
    notification_limit = 0
    stack_duplicates = false
    idle_threshold = 0
    history_length = 1000
    sticky_history = yes
    font = DejaVu Sans 10
    markup = full
    format = "<b>%%s</b>\n%%b"
    icon_position = left
    max_icon_size = 48
    mouse_left_click = do_action, close_current
    mouse_middle_click = context
    mouse_right_click = close_current
    dmenu = %s
[urgency_low]
    timeout = 10
[urgency_normal]
    timeout = 10
[urgency_critical]
    background = "#7a1f1f"
    foreground = "#ffffff"
    timeout = 0
`

// dunstMenu stands in for the menu in which a user chooses an action: it prints the
// first of the lines it is given that starts with the wanted one.
const dunstMenu = `#!/bin/sh
wanted=$(cat %q)
while IFS= read -r line || [ -n "$line" ]; do
	case $line in
	"$wanted"*) printf '%%s\n' "$line"; break ;;
	esac
done
`

// StartDunst starts the notification daemon.
func StartDunst(t testing.TB, b *Bus, d *Display) *Dunst {
	t.Helper()
	dir := tempDir(t)
	config, menu := filepath.Join(dir, "dunstrc"), filepath.Join(dir, "menu")
	x := &Dunst{
		object:  b.Connect(t).Object(notifications, notificationsPath),
		display: d,
		wanted:  filepath.Join(dir, "wanted"),
	}
	writeFile(t, config, 0o600, fmt.Sprintf(dunstConfig, menu))
	writeFile(t, menu, 0o700, fmt.Sprintf(dunstMenu, x.wanted))
	env := append(HomeEnv(MakeHome(t)), "DISPLAY="+d.Name, "DBUS_SESSION_BUS_ADDRESS="+b.Address)
	x.process = Start(t, env, "dunst", "-conf", config)
	b.WaitForName(t, notifications)
	return x
}

func writeFile(t testing.TB, path string, mode os.FileMode, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the daemon before its test is over, as when it crashes: nobody is told
// that notifications are gone.
func (x *Dunst) Stop(t testing.TB) {
	t.Helper()
	x.process.Stop(t)
}

// Pause makes the daemon hold all notifications back, and let go of them:
// do not disturb.
func (x *Dunst) Pause(t testing.TB, paused bool) {
	t.Helper()
	if err := x.object.SetProperty("org.dunstproject.cmd0.paused", dbus.MakeVariant(paused)); err != nil {
		t.Fatalf("pause dunst: %v", err)
	}
}

// Shown is a notification as dunst showed it.
type Shown struct {
	ID      uint32
	App     string
	Title   string
	Body    string
	Icon    string // the path of the picture that was found for the icon
	Message string // all of the text that was on the screen, with its markup
}

// Displayed returns how many notifications are on the screen.
func (x *Dunst) Displayed(t testing.TB) int {
	t.Helper()
	v, err := x.object.GetProperty("org.dunstproject.cmd0.displayedLength")
	if err != nil {
		t.Fatalf("ask dunst: %v", err)
	}
	n, _ := v.Value().(uint32)
	return int(n)
}

// CloseAll takes all notifications off the screen, as a user does who dismisses them.
func (x *Dunst) CloseAll(t testing.TB) {
	t.Helper()
	x.call(t, "NotificationCloseAll")
}

// History returns what was shown and is closed, oldest first. A notification that was
// updated is in it once, as it was last.
func (x *Dunst) History(t testing.TB) []Shown {
	t.Helper()
	var entries []map[string]dbus.Variant
	if err := x.call(t, "NotificationListHistory").Store(&entries); err != nil {
		t.Fatalf("read the history of dunst: %v", err)
	}
	var shown []Shown
	for _, e := range entries {
		text := func(key string) string { s, _ := e[key].Value().(string); return s }
		id, _ := e["id"].Value().(int32)
		shown = append(shown, Shown{
			ID: uint32(id), App: text("appname"), Title: text("summary"), Body: text("body"),
			Icon: text("icon_path"), Message: text("message"),
		})
	}
	slices.SortFunc(shown, func(a, b Shown) int { return cmp.Compare(a.ID, b.ID) })
	return shown
}

// Default invokes the default action of the topmost notification: for a notification
// with action "default" what a click on it does.
func (x *Dunst) Default(t testing.TB) {
	t.Helper()
	x.call(t, "NotificationAction", uint32(0))
}

// Choose chooses the action with this label in the menu of all actions of the
// notifications on the screen.
func (x *Dunst) Choose(t testing.TB, label string) {
	t.Helper()
	writeFile(t, x.wanted, 0o600, "#"+label+" (")
	x.call(t, "ContextMenuCall")
}

// Click clicks with the mouse on the topmost notification.
func (x *Dunst) Click(t testing.TB) {
	t.Helper()
	Eventually(t, "a notification on the screen", func() bool { return x.Displayed(t) > 0 })
	window := strings.Fields(x.display.Do(t, "xdotool", "search", "--onlyvisible", "--class", "Dunst"))
	if len(window) == 0 {
		t.Fatal("dunst has no window")
	}
	x.display.Do(t, "xdotool", "mousemove", "--window", window[0], "40", "20", "click", "1")
}

func (x *Dunst) call(t testing.TB, method string, args ...any) *dbus.Call {
	t.Helper()
	call := x.object.CallWithContext(t.Context(), "org.dunstproject.cmd0."+method, 0, args...)
	if call.Err != nil {
		t.Fatalf("dunst: %s: %v", method, call.Err)
	}
	return call
}
