package notifiers

import (
	"context"
	"fmt"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

var _ Muter = (*mute.Stack)(nil)

// SumUp shows one notification about what a mute has held back, now that it has
// ended; none if that is nothing. It does not count as a record.
func (h *Handler) SumUp(ctx context.Context, m mute.Mute) error {
	if m.Held == 0 {
		return nil
	}
	label := m.Label
	if label == "" {
		label = "everything"
	}
	title, body := h.texts(m.Newest)
	level := core.LevelNotice
	if m.Errors > 0 {
		level = core.LevelWarning // worth a look, but no alarm
	}
	return h.call(ctx, func() (Notification, bool) {
		return Notification{
			ID: h.opts.Alerts.NewID(), Title: display.Line("No longer muted: "+label, titleMax),
			Body:  fmt.Sprintf("%s while muted, the latest:\n%s\n%s", heldBack(m), title, body),
			Level: level, Count: m.Held, Digest: true, Record: m.Newest,
		}, true
	})
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
