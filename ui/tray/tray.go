package tray

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/systray"
)

// Options connects a tray to the program.
type Options struct {
	// App is where the icon and menu go.
	App desktop.App
	// Dispatch runs a function on the toolkit's goroutine.
	Dispatch func(func())
	// Icons holds a picture for each [Icon].
	Icons map[Icon]fyne.Resource
	// Do carries out what an item of the menu says. It is called on the toolkit's
	// goroutine.
	Do func(Item)
	// State returns what to show. It is called from the goroutine of
	// [Tray.Run].
	State func() State
}

// Tray keeps icon and menu up to date. Changing a menu costs the desktop a good
// deal (each item is announced on the bus), so it is done at most twice a second.
type Tray struct {
	o     Options
	dirty chan struct{}

	mu   sync.Mutex
	icon Icon
	shot []Item // what the menu shows now
}

// New returns a tray. It shows nothing until [Tray.Show].
func New(o Options) *Tray {
	return &Tray{o: o, dirty: make(chan struct{}, 1), icon: IconNormal + 1}
}

// Show shows the tray. It is called on the toolkit's goroutine before the app runs:
// the toolkit starts an icon only if it was there then. A click on the icon itself is
// [OpenNewest].
func (t *Tray) Show() {
	systray.SetOnTapped(func() { t.o.Dispatch(func() { t.o.Do(Item{Action: OpenNewest}) }) })
	t.show(t.o.State(), time.Now(), func(f func()) { f() })
}

// Changed says that the state has changed. It never blocks and may be called
// from any goroutine, as often as one likes.
func (t *Tray) Changed() {
	select {
	case t.dirty <- struct{}{}:
	default:
	}
}

const (
	quiet   = 500 * time.Millisecond // between two changes of the menu
	ageStep = time.Minute            // "3 min ago" is renewed this often
)

// Run makes the tray follow the state until ctx ends.
func (t *Tray) Run(ctx context.Context) {
	age := time.NewTicker(ageStep)
	defer age.Stop()
	for {
		t.show(t.o.State(), time.Now(), t.o.Dispatch)
		pause := time.NewTimer(quiet)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-t.dirty:
		case <-age.C:
		}
	}
}

// show hands menu and icon to the toolkit if they differ from those shown.
func (t *Tray) show(s State, now time.Time, dispatch func(func())) {
	items, icon := Menu(s, now), IconFor(s)
	t.mu.Lock()
	newMenu, newIcon := !equal(items, t.shot), icon != t.icon
	t.shot, t.icon = items, icon
	t.mu.Unlock()
	if !newMenu && !newIcon {
		return
	}
	dispatch(func() {
		if newMenu {
			t.o.App.SetSystemTrayMenu(fyne.NewMenu("logbook-tray", t.fyneItems(items)...))
		}
		if res := t.o.Icons[icon]; newIcon && res != nil {
			t.o.App.SetSystemTrayIcon(res)
		}
	})
}

func (t *Tray) fyneItems(items []Item) []*fyne.MenuItem {
	out := make([]*fyne.MenuItem, len(items))
	for i, item := range items {
		if item.Separator {
			out[i] = fyne.NewMenuItemSeparator()
			continue
		}
		m := fyne.NewMenuItem(label(item.Label), func() { t.o.Do(item) })
		m.Disabled = item.Action == None && len(item.Items) == 0
		m.IsQuit = item.Action == Quit
		if len(item.Items) > 0 {
			m.ChildMenu = fyne.NewMenu(item.Label, t.fyneItems(item.Items)...)
		}
		out[i] = m
	}
	return out
}

// label escapes what the menu's protocol takes for a keyboard mnemonic, an
// underscore (com.canonical.dbusmenu; the other platforms have their own ways).
func label(s string) string {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return s
	}
	return strings.ReplaceAll(s, "_", "__")
}

func equal(a, b []Item) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Label != b[i].Label || a[i].Action != b[i].Action || a[i].Alert != b[i].Alert ||
			a[i].Mute != b[i].Mute || a[i].Expiry != b[i].Expiry || a[i].Separator != b[i].Separator || !equal(a[i].Items, b[i].Items) {
			return false
		}
	}
	return true
}
