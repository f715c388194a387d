// Package tray shows the state of the program as an icon in the desktop's
// tray, with a menu. What the menu says is a pure function of a [State]; the
// adapter to the toolkit is in tray.go.
package tray

import (
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

// State is what the tray shows.
type State struct {
	// Alerts are the recent alerts, newest first. The menu lists the first
	// [MaxAlerts].
	Alerts []Alert
	// Unseen is how many alerts nobody has looked at.
	Unseen int
	// Muted says that everything is held back, but perhaps what is critical.
	// MutedUntil is when notifications come again; zero while that is open.
	Muted      bool
	MutedUntil time.Time
	// Mutes are all mutes in force, newest first. The menu lists the first
	// [MaxMutes].
	Mutes []Mute
	// Problem is a sentence about something that does not work, such as a
	// port in use; empty if all is well.
	Problem string
}

// Alert is a line of the list of recent alerts.
type Alert struct {
	ID    uint64
	Title string // "shop.checkout: Error"
	Text  string // the message
	Count int
	Last  time.Time
	Seen  bool
	// Failed says that somebody could not be told about it.
	Failed bool
}

// Mute is a line of the list of mutes.
type Mute struct {
	ID    uint64
	Label string    // what is muted
	Until time.Time // zero for never
	Held  int       // what it has held back
}

// MaxMutes is how many mutes the menu lists.
const MaxMutes = 10

// MaxAlerts is how many recent alerts the menu lists.
const MaxAlerts = 10

// Action is what a menu item does.
type Action uint8

// The actions of the menu.
const (
	None        Action = iota // a line that only informs
	OpenLog                   // raise the log window
	OpenNewest                // show the newest unseen alert, or the log window
	OpenAlert                 // show the context of Item.Alert
	OpenStatus                // raise the status window
	OpenWelcome               // raise the window with what programs have to add
	MarkAllSeen               // mark every alert as seen
	MuteAll                   // hold everything back, for as long as Item.Expiry says
	Unmute                    // end Item.Mute
	UnmuteAll                 // end all mutes
	Quit                      // end the program
)

// Item is one line of the menu.
type Item struct {
	Label     string
	Action    Action
	Alert     uint64
	Mute      uint64
	Expiry    mute.Expiry
	Separator bool
	Items     []Item // a submenu
}

// Menu returns the menu for a state. now decides how old an alert looks.
func Menu(s State, now time.Time) []Item {
	items := []Item{{Label: "Open log window", Action: OpenLog}, {Label: "Status", Action: OpenStatus}, {Label: "Add a program", Action: OpenWelcome}}
	items = append(items, Item{Label: recentLabel(s), Items: recent(s, now)})
	items = append(items, Item{Separator: true})
	items = append(items, Item{Label: "Mute everything", Items: expiries()})
	if len(s.Mutes) > 0 {
		items = append(items, Item{Label: mutedLabel(s, now), Items: mutes(s, now)})
	}
	if s.Problem != "" {
		items = append(items, Item{Label: "⚠ " + display.Line(s.Problem, 80), Action: OpenStatus})
	}
	return append(items, Item{Separator: true}, Item{Label: "Quit", Action: Quit})
}

func expiries() []Item {
	var items []Item
	for _, e := range mute.Expiries() {
		items = append(items, Item{Label: e.String(), Action: MuteAll, Expiry: e})
	}
	return items
}

func mutedLabel(s State, now time.Time) string {
	switch {
	case s.Muted && s.MutedUntil.IsZero():
		return "Everything is muted"
	case s.Muted:
		return "Everything is muted until " + clock(s.MutedUntil, now)
	}
	return fmt.Sprintf("Muted (%d)", len(s.Mutes))
}

// mutes lists what can be undone.
func mutes(s State, now time.Time) []Item {
	var items []Item
	for _, m := range s.Mutes[:min(len(s.Mutes), MaxMutes)] {
		label := "Unmute " + display.Line(m.Label, 60)
		if !m.Until.IsZero() {
			label += ", until " + clock(m.Until, now)
		}
		if m.Held > 0 {
			label += fmt.Sprintf(" (%d held back)", m.Held)
		}
		items = append(items, Item{Label: label, Action: Unmute, Mute: m.ID})
	}
	if len(s.Mutes) > 1 {
		items = append(items, Item{Separator: true}, Item{Label: "Unmute all", Action: UnmuteAll})
	}
	return items
}

// clock returns a time as short as it can be told.
func clock(t, now time.Time) string {
	if t, now = t.Local(), now.Local(); t.Sub(now) < 18*time.Hour {
		return t.Format("15:04")
	}
	return t.Format("2 January 15:04")
}

func recentLabel(s State) string {
	if s.Unseen > 0 {
		return fmt.Sprintf("Recent alerts (%d new)", s.Unseen)
	}
	return "Recent alerts"
}

func recent(s State, now time.Time) []Item {
	if len(s.Alerts) == 0 {
		return []Item{{Label: "No alerts yet"}}
	}
	items := make([]Item, 0, min(len(s.Alerts), MaxAlerts)+2)
	for _, a := range s.Alerts[:min(len(s.Alerts), MaxAlerts)] {
		items = append(items, Item{Label: alertLabel(a, now), Action: OpenAlert, Alert: a.ID})
	}
	if s.Unseen > 0 {
		items = append(items, Item{Separator: true}, Item{Label: "Mark all as seen", Action: MarkAllSeen})
	}
	return items
}

func alertLabel(a Alert, now time.Time) string {
	mark := "● "
	switch {
	case a.Seen:
		mark = "   "
	case a.Failed:
		mark = "⚠ "
	}
	label := mark + display.Line(a.Title, 60) + " – " + display.Line(a.Text, 60)
	if a.Count > 1 {
		label += fmt.Sprintf(" (%d×)", a.Count)
	}
	return label + ", " + ago(now.Sub(a.Last))
}

func ago(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// Icon names the picture for a state.
type Icon uint8

// The icons of the tray, most urgent first.
const (
	IconUnseen  Icon = iota // somebody should look: there are unseen alerts
	IconProblem             // a subscriber does not work
	IconMuted               // notifications are held back
	IconNormal
)

// IconFor returns the icon for a state.
func IconFor(s State) Icon {
	switch {
	case s.Unseen > 0:
		return IconUnseen
	case s.Problem != "":
		return IconProblem
	case s.Muted:
		return IconMuted
	}
	return IconNormal
}
