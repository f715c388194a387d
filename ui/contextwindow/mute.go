package contextwindow

import (
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

const (
	maxLabel    = 60
	maxChannels = 4 // the channel itself and those above it
)

// matter is something about the alert that can be muted.
type matter struct {
	name  string // in the menu
	label string // of the mute
	match mute.Match
}

// matters returns what can be muted, the narrowest first: the error, the channel and
// those above it, the source.
func (w *Window) matters() []matter {
	a := w.alert
	list := []matter{{"This error", a.Title, mute.Match{Fingerprint: a.Fingerprint}}}
	for channel := a.Trigger.Channel; channel != "" && len(list) <= maxChannels; {
		label := "channel " + channel
		list = append(list, matter{"Channel " + channel, label, mute.Match{Channel: channel}})
		channel = channel[:max(strings.LastIndexByte(channel, '.'), 0)]
	}
	if source := a.Trigger.Source.Name; source != "" {
		list = append(list, matter{"Source " + source, "source " + source, mute.Match{Source: source}})
	}
	return list
}

// holding returns the mutes that hold the alert's error back just now, newest first.
func (w *Window) holding() []mute.Mute {
	if w.options.Mutes == nil {
		return nil
	}
	var list []mute.Mute
	for _, m := range w.options.Mutes() {
		if m.Holds(w.alert.Trigger, w.alert.Fingerprint) {
			list = append(list, m)
		}
	}
	return list
}

// UpdateMutes shows whether the alert's error is muted by now.
func (w *Window) UpdateMutes() {
	text := "Mute"
	if list := w.holding(); len(list) > 0 {
		text = "Muted"
		if until := list[0].Until; !until.IsZero() {
			text += " until " + w.clock(until)
		}
	}
	w.mute.SetText(text)
}

func (w *Window) showMuteMenu() {
	c := fyne.CurrentApp().Driver().CanvasForObject(w.mute)
	if c == nil {
		return
	}
	menu := w.muteMenu()
	p := widget.NewPopUpMenu(menu, c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(w.mute)
	p.ShowAtPosition(at.SubtractXY(0, p.MinSize().Height))
}

// muteMenu offers to mute, for how long, and to undo the mutes there are.
func (w *Window) muteMenu() *fyne.Menu {
	var items []*fyne.MenuItem
	for _, one := range w.matters() {
		item := fyne.NewMenuItem(display.Line(one.name, maxLabel), nil)
		item.ChildMenu = fyne.NewMenu(item.Label)
		for _, e := range mute.Expiries() {
			item.ChildMenu.Items = append(item.ChildMenu.Items, fyne.NewMenuItem(e.String(), func() {
				w.options.Mute(one.match, one.label, e.Until(w.options.Now()))
				w.UpdateMutes()
			}))
		}
		items = append(items, item)
	}
	if held := w.holding(); len(held) > 0 && w.options.Unmute != nil {
		items = append(items, fyne.NewMenuItemSeparator())
		for _, m := range held {
			items = append(items, fyne.NewMenuItem(w.unmuteLabel(m), func() {
				w.options.Unmute(m.ID)
				w.UpdateMutes()
			}))
		}
	}
	return fyne.NewMenu("", items...)
}

func (w *Window) unmuteLabel(m mute.Mute) string {
	label := "Unmute " + display.Line(m.Label, maxLabel)
	if !m.Until.IsZero() {
		label += ", until " + w.clock(m.Until)
	}
	if m.Held > 0 {
		label += fmt.Sprintf(" (%d held back)", m.Held)
	}
	return label
}

// clock returns a time as short as it can be told.
func (w *Window) clock(t time.Time) string {
	if t.Sub(w.options.Now()) < 18*time.Hour {
		return t.Local().Format("15:04")
	}
	return t.Local().Format("2 January 15:04")
}
