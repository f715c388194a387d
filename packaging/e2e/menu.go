package e2e

import (
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

const menu = "com.canonical.dbusmenu"

// MenuEntry is one entry of a tray item's menu.
type MenuEntry struct {
	// ID is the program's number for it, which changes whenever the menu does.
	ID        int32
	Label     string // without the underscores that mark access keys
	Separator bool
	Disabled  bool
	Hidden    bool
	// Checked is true for a checkbox or radio entry that is on.
	Checked bool
	Entries []MenuEntry // the submenu
}

// menuLayout is an entry as com.canonical.dbusmenu.GetLayout has it: (ia{sv}av).
type menuLayout struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

// accessKeys undoes the marks in a label as a host does: "_" marks the next letter as
// the access key, "__" is one underscore.
var accessKeys = strings.NewReplacer("__", "_", "_", "")

func (l menuLayout) entry() (MenuEntry, error) {
	text := func(key string) string { s, _ := l.Properties[key].Value().(string); return s }
	isFalse := func(key string) bool { b, ok := l.Properties[key].Value().(bool); return ok && !b }
	state, _ := l.Properties["toggle-state"].Value().(int32)
	e := MenuEntry{
		ID: l.ID, Label: accessKeys.Replace(text("label")), Separator: text("type") == "separator",
		Disabled: isFalse("enabled"), Hidden: isFalse("visible"), Checked: state == 1,
	}
	for _, v := range l.Children {
		var child menuLayout
		if err := dbus.Store([]any{v.Value()}, &child); err != nil {
			return e, err
		}
		c, err := child.entry()
		if err != nil {
			return e, err
		}
		e.Entries = append(e.Entries, c)
	}
	return e, nil
}

func (i *TrayItem) menu(t testing.TB) dbus.BusObject {
	t.Helper()
	path, _ := i.property(t, "Menu").Value().(dbus.ObjectPath)
	if !path.IsValid() {
		t.Fatalf("the tray item has no menu: %q", path)
	}
	return i.conn.Object(i.name, path)
}

// Menu returns the item's menu.
func (i *TrayItem) Menu(t testing.TB) []MenuEntry {
	t.Helper()
	object := i.menu(t)
	var root menuLayout
	// The toolkit answers the first call after a change without the submenus.
	for range 2 {
		var revision uint32
		call := object.CallWithContext(t.Context(), menu+".GetLayout", 0, int32(0), int32(-1), []string{})
		if err := call.Store(&revision, &root); err != nil {
			t.Fatalf("read the menu of the tray item: %v", err)
		}
	}
	e, err := root.entry()
	if err != nil {
		t.Fatalf("read the menu of the tray item: %v", err)
	}
	return e.Entries
}

// Find returns the entry at this path of labels, each of which need only be the
// beginning of the entry's.
func Find(entries []MenuEntry, labels ...string) (MenuEntry, bool) {
	for _, e := range entries {
		if e.Hidden || e.Separator || !strings.HasPrefix(e.Label, labels[0]) {
			continue
		}
		if len(labels) == 1 {
			return e, true
		}
		return Find(e.Entries, labels[1:]...)
	}
	return MenuEntry{}, false
}

// Click waits until the menu has the entry at this path of labels, see [Find], and can
// be clicked, and clicks it.
func (i *TrayItem) Click(t testing.TB, labels ...string) {
	t.Helper()
	var e MenuEntry
	Eventually(t, "the menu entry "+strings.Join(labels, " > "), func() bool {
		var ok bool
		e, ok = Find(i.Menu(t), labels...)
		return ok && !e.Disabled
	})
	call := i.menu(t).CallWithContext(t.Context(), menu+".Event", 0, e.ID, "clicked", dbus.MakeVariant(int32(0)), uint32(0))
	if call.Err != nil {
		t.Fatalf("click on %s: %v", strings.Join(labels, " > "), call.Err)
	}
}

// Labels returns the visible labels, separators as "-", submenus indented by two
// spaces: a menu as a test can compare it.
func Labels(entries []MenuEntry) []string {
	var labels []string
	for _, e := range entries {
		switch {
		case e.Hidden:
		case e.Separator:
			labels = append(labels, "-")
		default:
			labels = append(labels, e.Label)
			for _, l := range Labels(e.Entries) {
				labels = append(labels, "  "+l)
			}
		}
	}
	return labels
}
