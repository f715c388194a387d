package logwindow

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/logview"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// How often the process selector and the numbers are brought up to date: every new
// text costs the toolkit a texture that it keeps for a minute.
const (
	originInterval = time.Second
	numberInterval = 400 * time.Millisecond
)

// update takes over what the view found; it is called ten times a second at most.
func (w *Window) update() {
	if w.closed {
		return
	}
	state := w.view.State()
	if state.Stats.Held == 0 {
		w.list.SetEmptyText(w.options.EmptyText)
	} else {
		w.list.SetEmptyText("No record passes the filter.")
	}
	w.list.SetRows(state.Rows)
	if w.sought != nil && w.selectRecord(w.sought) {
		w.sought = nil
	}
	w.histogram.set(state.Histogram)
	w.listOrigins(false)
	// The view reports once more when it gets quiet, so the last numbers are not
	// missed.
	if now := w.options.Now(); now.Sub(w.numbered).Abs() >= numberInterval {
		w.numbered = now
		w.setNumbers(w.countsText(state), rateText(state.Rate))
	}
}

// setNumbers changes the labels only if they have to be drawn anew.
func (w *Window) setNumbers(counts, rate string) {
	if w.counts.Text != counts || w.rate.Text != rate {
		w.counts.SetText(counts)
		w.rate.SetText(rate)
		w.status.Refresh() // their widths may be others
	}
}

func (w *Window) countsText(s *model.State) string {
	parts := []string{model.Number(s.Rows.Len()) + " of " + plural(s.Stats.Held, "record")}
	if n := s.Stats.Levels.AtLeast(core.LevelError); n > 0 {
		parts = append(parts, plural(n, "error"))
	}
	if n := s.Stats.Levels.Of(core.LevelWarning); n > 0 {
		parts = append(parts, plural(n, "warning"))
	}
	if s.Stats.Evicted > 0 {
		parts = append(parts, model.Number(s.Stats.Evicted)+" older forgotten")
	}
	if n := w.dropped(); n > 0 {
		parts = append(parts, model.Number(n)+" dropped")
	}
	return strings.Join(parts, "  ·  ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return model.Number(n) + " " + what + "s"
}

func rateText(rate float64) string {
	switch {
	case rate <= 0:
		return "idle"
	case rate < 10:
		return fmt.Sprintf("%.1f/s", rate)
	}
	return model.Number(int(rate)) + "/s"
}

// updateMessage shows what is wrong with the filter, or else the last notice.
func (w *Window) updateMessage() {
	importance := widget.MediumImportance
	text := w.notice
	if w.failure != "" {
		importance, text = widget.DangerImportance, w.failure
	}
	if w.message.Text != text || w.message.Importance != importance {
		w.message.Importance = importance
		w.message.SetText(text)
	}
}

// jumpTo brings the first record of a bar of the histogram into sight.
func (w *Window) jumpTo(h model.Histogram, bar int) {
	rows := w.list.Rows()
	if row, ok := h.FirstRowAt(rows, bar); ok {
		key, _ := rows.At(row)
		w.list.Select(key)
	}
}

func (w *Window) recordMenu(r *core.Record, at fyne.Position) { w.popUp(w.recordItems(r), at) }

// recordItems are what can be done with a record.
func (w *Window) recordItems(r *core.Record) []*fyne.MenuItem {
	items := []*fyne.MenuItem{
		fyne.NewMenuItem("Copy as text", w.list.CopyText),
		fyne.NewMenuItem("Copy as JSON", w.list.CopyJSON),
		fyne.NewMenuItem("Copy as Markdown", func() { w.options.Copy(w.options.Markdown(r)) }),
		fyne.NewMenuItemSeparator(),
	}
	if r.Channel != "" {
		items = append(items,
			fyne.NewMenuItem("Only channel "+short(r.Channel), func() { w.addTerm(model.QuoteTerm("channel:", r.Channel)) }),
			fyne.NewMenuItem("Hide channel "+short(r.Channel), func() { w.addTerm("-" + model.QuoteTerm("channel:", r.Channel)) }))
	}
	if r.Process.ID != 0 {
		process := strconv.Itoa(r.Process.ID)
		items = append(items, fyne.NewMenuItem("Only process "+process, func() { w.addTerm("process:" + process) }))
	}
	items = append(items,
		fyne.NewMenuItem("Only "+r.Level.Title()+" and above", func() { w.level.SetSelectedIndex(levelIndex(r.Level)) }),
		fyne.NewMenuItem("Hide this message", func() { w.addTerm("-" + model.QuoteTerm("", model.Summarize(r).Line)) }))
	if site := r.Caller(); site.File != "" && w.options.OpenEditor != nil {
		items = append(items, fyne.NewMenuItemSeparator(),
			fyne.NewMenuItem("Open in editor", func() { w.options.OpenEditor(site) }))
	}
	return items
}

func short(text string) string {
	const most = 40
	text = model.Printable(text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func (w *Window) columnMenu(at fyne.Position) { w.popUp(w.columnItems(), at) }

// columnItems show and hide columns.
func (w *Window) columnItems() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, c := range w.list.Columns() {
		item := fyne.NewMenuItem(strings.ToUpper(string(c.ID[:1]))+string(c.ID[1:]), func() { w.list.ShowColumn(c.ID, c.Hidden) })
		item.Checked = !c.Hidden
		item.Disabled = c.ID == logview.ColumnMessage
		items = append(items, item)
	}
	return items
}

func (w *Window) popUp(items []*fyne.MenuItem, at fyne.Position) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(w.list); c != nil {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
	}
}
