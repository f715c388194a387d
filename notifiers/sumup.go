package notifiers

import (
	"fmt"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

var _ Muter = (*mute.Stack)(nil)

// Summary returns the notification about what a mute that has ended held back. ok is
// false if that is nothing. The ID is for the caller to set.
func Summary(m mute.Mute) (n Notification, ok bool) {
	if m.Held == 0 {
		return Notification{}, false
	}
	label := m.Label
	if label == "" {
		label = "everything"
	}
	level := core.LevelNotice
	if m.Errors > 0 {
		level = core.LevelWarning // worth a look, but no alarm
	}
	latest := display.Line(Title(m.Newest), titleMax) + "\n" + display.Clean(Text(m.Newest))
	return Notification{
		Title: display.Line("No longer muted: "+label, titleMax),
		Body:  heldBack(m) + " while muted, the latest:\n" + latest,
		Level: level, Count: m.Held, Digest: true, Record: m.Newest,
	}, true
}

func heldBack(m mute.Mute) string {
	records := "1 record"
	if m.Held > 1 {
		records = fmt.Sprintf("%d records", m.Held)
	}
	if m.Errors == 0 || m.Held == 1 {
		return records
	}
	return fmt.Sprintf("%s, %d of them errors,", records, m.Errors)
}
