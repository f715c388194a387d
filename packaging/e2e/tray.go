package e2e

import (
	"image"
	"image/png"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

const (
	watcher     = "org.kde.StatusNotifierWatcher"
	watcherPath = dbus.ObjectPath("/StatusNotifierWatcher")
	item        = "org.kde.StatusNotifierItem"
)

// Tray is the tray of a desktop, on the bus alone: it has no picture, and a test can ask
// it what would be in it. It is a StatusNotifierWatcher and host, see
// https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem.
type Tray struct {
	conn *dbus.Conn

	mu    sync.Mutex
	items []*TrayItem
}

// StartTray starts a tray. A program that is there already registers with it, too.
func StartTray(t testing.TB, b *Bus) *Tray {
	t.Helper()
	h := &Tray{conn: b.Connect(t)}
	// All is exported before the name is taken: programs register when they see the
	// name, once.
	if err := h.conn.Export((*trayMethods)(h), watcherPath, watcher); err != nil {
		t.Fatal(err)
	}
	properties := map[string]map[string]*prop.Prop{watcher: {
		"IsStatusNotifierHostRegistered": {Value: true, Emit: prop.EmitFalse},
		"RegisteredStatusNotifierItems":  {Value: []string{}, Emit: prop.EmitFalse},
		"ProtocolVersion":                {Value: int32(0), Emit: prop.EmitFalse},
	}}
	if _, err := prop.Export(h.conn, watcherPath, properties); err != nil {
		t.Fatal(err)
	}
	reply, err := h.conn.RequestName(watcher, dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("take the name %s: %v, %v", watcher, reply, err)
	}
	return h
}

// Stop takes the tray away before its test is over, as when the panel crashes.
func (h *Tray) Stop(t testing.TB) {
	t.Helper()
	if err := h.conn.Close(); err != nil {
		t.Fatal(err)
	}
}

// trayMethods are the methods that are called over the bus.
type trayMethods Tray

// RegisterStatusNotifierItem takes in an item: service is its name on the bus, or the
// path of its object if it is the sender's.
func (h *trayMethods) RegisterStatusNotifierItem(sender dbus.Sender, service string) *dbus.Error {
	name, path := service, dbus.ObjectPath("/StatusNotifierItem")
	if p := dbus.ObjectPath(service); p.IsValid() {
		name, path = string(sender), p
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.items = append(h.items, &TrayItem{conn: h.conn, name: name, path: path})
	return nil
}

// RegisterStatusNotifierHost takes in another host, which this tray has no use for.
func (h *trayMethods) RegisterStatusNotifierHost(string) *dbus.Error { return nil }

// Items returns all that was registered so far, oldest first. A program that registers
// again is in it twice.
func (h *Tray) Items() []*TrayItem {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.items)
}

// Item waits for an item and returns the newest.
func (h *Tray) Item(t testing.TB) *TrayItem {
	t.Helper()
	Eventually(t, "an item in the tray", func() bool { return len(h.Items()) > 0 })
	items := h.Items()
	return items[len(items)-1]
}

// TrayItem is a program's icon in the tray. It asks the program anew each time.
type TrayItem struct {
	conn *dbus.Conn
	name string
	path dbus.ObjectPath
}

func (i *TrayItem) property(t testing.TB, name string) dbus.Variant {
	t.Helper()
	v, err := i.conn.Object(i.name, i.path).GetProperty(item + "." + name)
	if err != nil {
		t.Fatalf("ask the tray item for %s: %v", name, err)
	}
	return v
}

// Title returns the item's title.
func (i *TrayItem) Title(t testing.TB) string {
	t.Helper()
	s, _ := i.property(t, "Title").Value().(string)
	return s
}

// Activate clicks on the item itself.
func (i *TrayItem) Activate(t testing.TB) {
	t.Helper()
	call := i.conn.Object(i.name, i.path).CallWithContext(t.Context(), item+".Activate", 0, int32(0), int32(0))
	if call.Err != nil {
		t.Fatalf("click on the tray item: %v", call.Err)
	}
}

// Icon returns the largest picture that the item offers. It waits for one: a program may
// register before it has it.
func (i *TrayItem) Icon(t testing.TB) image.Image {
	t.Helper()
	var icon *image.NRGBA
	Eventually(t, "the icon of the tray item", func() bool {
		var pixmaps []pixmap
		if err := dbus.Store([]any{i.property(t, "IconPixmap").Value()}, &pixmaps); err != nil {
			t.Fatalf("read the icon of the tray item: %v", err)
		}
		for _, p := range pixmaps {
			if icon == nil || icon.Rect.Dx() < int(p.Width) {
				icon = p.picture(t)
			}
		}
		return icon != nil && !icon.Rect.Empty()
	})
	return icon
}

// pixmap is a picture as the protocol has it: (iiay).
type pixmap struct {
	Width, Height int32
	ARGB          []byte // not premultiplied, most significant byte first
}

func (p pixmap) picture(t testing.TB) *image.NRGBA {
	t.Helper()
	w, h := int(p.Width), int(p.Height)
	if len(p.ARGB) != w*h*4 {
		t.Fatalf("the icon of the tray item is %d by %d pixels but has %d bytes", w, h, len(p.ARGB))
	}
	icon := image.NewNRGBA(image.Rect(0, 0, w, h))
	for at := 0; at < len(p.ARGB); at += 4 {
		icon.Pix[at], icon.Pix[at+1], icon.Pix[at+2], icon.Pix[at+3] = p.ARGB[at+1], p.ARGB[at+2], p.ARGB[at+3], p.ARGB[at]
	}
	return icon
}

// SaveIcon writes the item's picture to the artifacts of this test as name.png and
// returns its path.
func (i *TrayItem) SaveIcon(t testing.TB, name string) string {
	t.Helper()
	path := Artifact(t, name+".png")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, i.Icon(t)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
