package libnotify

import (
	"image"
	"image/draw"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// message holds the arguments of Notify, in the order of the specification.
type message struct {
	appName string
	replace uint32
	icon    string
	summary string
	body    string
	actions []string
	hints   map[string]dbus.Variant
	expires int32
}

// service is what a notification service can do.
type service struct {
	name         string
	identity     string // of this run of it
	capabilities []string
}

func (s *service) can(what string) bool { return slices.Contains(s.capabilities, what) }

// compose makes the call for a notification, as the service needs it. replace is the
// number of the one it updates, 0 if there is none.
func (n *Notifier) compose(of *notifiers.Notification, s *service, replace uint32) message {
	m := message{
		appName: n.opts.AppName, replace: replace, icon: n.opts.Icon, summary: display.Line(of.Title, 0),
		actions: []string{}, hints: n.hints(of, s, replace != 0), expires: expires(of.Level),
	}
	text := display.Clean(of.Text(n.opts.MaxBody))
	switch {
	case !s.can("body"):
		m.summary = strings.TrimSuffix(m.summary+": "+display.Line(text, 200), ": ")
	case s.can("body-markup"):
		m.body = escape(text)
	default:
		m.body = text
	}
	if s.can("actions") {
		m.actions = actions(of.Actions, s)
	}
	return m
}

// actions lists keys and labels in turn. Xfce's service shows a button for the
// default action too; one of the same label would look like it twice.
func actions(of []notifiers.Action, s *service) []string {
	list, first := []string{}, ""
	for _, a := range of {
		switch {
		case a.Key == notifiers.ActionDefault:
			first = a.Label
		case a.Label == first && strings.HasPrefix(s.name, "Xfce "):
			continue
		}
		list = append(list, a.Key, a.Label)
	}
	return list
}

// hints makes the hints. There is no resident: what was acted on goes. And none of the
// hints by which a service puts a new notification in the place of another one of the same
// name, such as x-canonical-private-synchronous, which are for volume and brightness: ours
// replaces its own alone.
func (n *Notifier) hints(of *notifiers.Notification, s *service, update bool) map[string]dbus.Variant {
	h := map[string]dbus.Variant{
		"urgency":       dbus.MakeVariant(urgency(of.Level)),
		"desktop-entry": dbus.MakeVariant(n.opts.DesktopEntry),
		"category":      dbus.MakeVariant(n.opts.Category),
	}
	if n.image != nil && s.can("icon-static") {
		h["image-data"] = dbus.MakeVariant(*n.image)
	}
	if s.can("persistence") && of.Level < core.LevelWarning {
		h["transient"] = dbus.MakeVariant(true) // not worth keeping in a list
	}
	if s.can("sound") {
		name, value := n.sound(of, update)
		h[name] = dbus.MakeVariant(value)
	}
	return h
}

// sound returns the hint for what is heard.
func (n *Notifier) sound(of *notifiers.Notification, update bool) (name string, value any) {
	byLevel := sound(of.Level)
	switch {
	case update || n.opts.Silent || of.Sound.Silent:
	case of.Sound.File != "":
		return "sound-file", of.Sound.File
	case of.Sound.Name != "":
		return "sound-name", of.Sound.Name
	case byLevel != "":
		return "sound-name", byLevel
	}
	return "suppress-sound", true
}

// escape makes text harmless in the service's markup, a few tags of HTML.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// pixels is an image as the hint image-data has it.
type pixels struct {
	Width, Height, Stride int32
	HasAlpha              bool
	BitsPerSample         int32
	Channels              int32
	Data                  []byte
}

func newPixels(m image.Image) *pixels {
	if m == nil {
		return nil
	}
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), m, b.Min, draw.Src)
	return &pixels{
		Width: int32(b.Dx()), Height: int32(b.Dy()), Stride: int32(out.Stride), //nolint:gosec // an icon
		HasAlpha: true, BitsPerSample: 8, Channels: 4, Data: out.Pix,
	}
}
