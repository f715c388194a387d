// Package contextwindow has the content of the window that a notification
// leads to: a record that was worth an alert, and what led up to it.
package contextwindow

import (
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/ui/detail"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/logview"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// Options are the parts that a [Window] works with. A button whose callback is nil
// is not there.
type Options struct {
	// Store has the records of the other processes; without it they cannot be
	// shown.
	Store *model.Store
	// Fonts are shared by the windows of a program; nil loads them anew.
	Fonts *glyph.Fonts
	// Text, JSON and Markdown return what is copied of a record; [model.Text],
	// [model.JSON] and [model.Markdown] if nil.
	Text, JSON, Markdown func(*core.Record) string
	// Copy puts a text into the clipboard; that of the app if nil.
	Copy func(text string)
	// OpenEditor opens a place in the source.
	OpenEditor func(core.Site)
	// Mute holds back what m is about, which label says, until a time: zero for as
	// long as nobody ends it.
	Mute func(m mute.Match, label string, until time.Time)
	// Mutes returns the mutes in force, newest first, and Unmute ends one; without
	// them a mute cannot be undone here.
	Mutes  func() []mute.Mute
	Unmute func(id uint64)
	// Why says what the rules do with a record: of each handler, and why. It must not block.
	Why func(*core.Record) string
	// Dismiss closes the window and forgets the alert.
	Dismiss func(alert.Alert)
	// OpenLog shows the log window at the record.
	OpenLog func(*core.Record)
	// Close closes the window.
	Close func()
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// What the switch to the other processes brings in.
const (
	neighbourTime  = 10 * time.Second // at least this long before the alert
	maxNeighbours  = 5000
	listPart       = 0.5
	maxTitleLength = 300
)

// Window is the content of a context window. It is used on the goroutine of the
// user interface only.
type Window struct {
	options Options
	alert   alert.Alert
	rows    model.List

	list   *logview.View
	detail *detail.Pane
	others *widget.Check
	mute   *widget.Button
	title  *widget.Label
	facts  *widget.Label
	notice *widget.Label
	root   fyne.CanvasObject
}

// New returns the content for an alert, with the alert's record selected.
func New(a alert.Alert, o Options) *Window {
	if o.Copy == nil {
		o.Copy = func(text string) { fyne.CurrentApp().Clipboard().SetContent(text) }
	}
	if o.Text == nil {
		o.Text = model.Text
	}
	if o.JSON == nil {
		o.JSON = model.JSON
	}
	if o.Markdown == nil {
		o.Markdown = model.Markdown
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Window{options: o, alert: a}
	w.build()
	w.Update(a)
	w.show(w.own(), a.Trigger)
	return w
}

// Object returns what is to be put into a window.
func (w *Window) Object() fyne.CanvasObject { return w.root }

// Alert returns the alert that is shown.
func (w *Window) Alert() alert.Alert { return w.alert }

// Records returns the records that are listed.
func (w *Window) Records() []*core.Record { return w.rows }

// Selected returns the current record.
func (w *Window) Selected() *core.Record { return w.list.Current() }

// List returns the list, to be focused.
func (w *Window) List() *logview.View { return w.list }

// Update shows the count and times of the alert as they are now. Its context
// stays as it was when the window was opened.
func (w *Window) Update(a alert.Alert) {
	w.alert.Count, w.alert.First, w.alert.Last, w.alert.State = a.Count, a.First, a.Last, a.State
	w.alert.Failures = a.Failures
	w.facts.SetText(w.factsText())
	w.UpdateMutes()
}

// ShowOthers lists what other processes logged at the time, or not.
func (w *Window) ShowOthers(show bool) { w.others.SetChecked(show) }

func (w *Window) build() {
	o := &w.options
	w.list = logview.New(logview.Options{
		Fonts: o.Fonts, Text: o.Text, JSON: o.JSON, Copy: o.Copy, Now: func() time.Time { return w.alert.Trigger.Time },
	})
	w.list.OnCursor = func(r *core.Record) { w.detail.Show(r) }
	w.list.OnOpen = func(r *core.Record) { w.detail.Show(r) }
	w.list.OnCopied = func(n, _ int) { w.notice.SetText(fmt.Sprintf("copied %d records", n)) }
	w.list.OnKey = func(name fyne.KeyName) {
		switch {
		case name == fyne.KeyEscape && o.Close != nil:
			o.Close()
		case name == fyne.KeyM && o.Mute != nil:
			w.showMuteMenu()
		case name == fyne.KeyW:
			w.showWhy()
		}
	}
	w.list.OnMenu = w.recordMenu
	w.detail = detail.New(detail.Options{
		Text: o.Text, JSON: o.JSON, Markdown: o.Markdown, Copy: o.Copy, OpenEditor: o.OpenEditor, Now: o.Now,
	})
	split := container.NewVSplit(w.list, w.detail.Object())
	split.Offset = listPart
	w.root = container.NewBorder(w.head(), w.buttons(), nil, nil, split)
}

func (w *Window) head() fyne.CanvasObject {
	w.title = widget.NewLabel(w.titleText())
	w.title.TextStyle.Bold = true
	w.title.SizeName = theme.SizeNameSubHeadingText
	w.title.Truncation = fyne.TextTruncateEllipsis
	w.facts = widget.NewLabel("")
	w.facts.Importance = widget.LowImportance
	w.facts.Truncation = fyne.TextTruncateEllipsis
	w.others = widget.NewCheck("Other processes", w.setOthers)
	if w.options.Store == nil {
		w.others.Hide()
	}
	return container.NewPadded(container.NewBorder(nil, nil, nil, container.NewCenter(w.others), container.New(layout.NewCustomPaddedVBoxLayout(-8), w.title, w.facts)))
}

func (w *Window) titleText() string {
	text := w.alert.Title
	if text == "" {
		r := w.alert.Trigger
		text = r.Channel + ": " + r.Level.Title()
	}
	summary := model.Summarize(w.alert.Trigger).Line
	text = model.Printable(text + " – " + summary)
	if len(text) > maxTitleLength {
		text = text[:maxTitleLength]
	}
	return text
}

// factsText says how often and when it happened, and what is missing.
func (w *Window) factsText() string {
	const clock = "15:04:05.000"
	a, now := w.alert, w.options.Now()
	var text string
	if a.Count <= 1 {
		text = "once, at " + a.First.Local().Format(clock+" on 2 January") + " (" + model.Ago(now.Sub(a.First)) + ")"
	} else {
		text = fmt.Sprintf("%s times, first at %s, last at %s (%s)", model.Number(a.Count),
			a.First.Local().Format(clock), a.Last.Local().Format(clock), model.Ago(now.Sub(a.Last)))
	}
	if a.Omitted > 0 {
		text += "  ·  older records before it are not held: " + model.Number(a.Omitted)
	}
	parts := []string{text}
	for _, f := range a.Failures {
		parts = append(parts, model.Printable("not delivered by "+f.By+": "+f.Reason))
	}
	return strings.Join(parts, "  ·  ")
}

func (w *Window) buttons() fyne.CanvasObject {
	o := &w.options
	w.mute = widget.NewButtonWithIcon("Mute", theme.VolumeMuteIcon(), w.showMuteMenu)
	w.mute.Hidden = o.Mute == nil
	why := widget.NewButtonWithIcon("Why?", theme.QuestionIcon(), w.showWhy)
	why.Hidden = o.Why == nil
	copyAll := widget.NewButtonWithIcon("Copy", theme.ContentCopyIcon(), w.CopyAll)
	openLog := widget.NewButtonWithIcon("Open log", theme.ListIcon(), func() { o.OpenLog(w.current()) })
	openLog.Hidden = o.OpenLog == nil
	dismiss := widget.NewButtonWithIcon("Dismiss", theme.ConfirmIcon(), func() { o.Dismiss(w.alert) })
	dismiss.Importance, dismiss.Hidden = widget.HighImportance, o.Dismiss == nil
	w.notice = widget.NewLabel("")
	w.notice.Importance = widget.LowImportance
	w.notice.Truncation = fyne.TextTruncateEllipsis
	return container.NewPadded(container.NewBorder(nil, nil, nil, container.NewHBox(w.mute, why, copyAll, openLog, dismiss), w.notice))
}

func (w *Window) current() *core.Record {
	if r := w.list.Current(); r != nil {
		return r
	}
	return w.alert.Trigger
}

// CopyAll copies the records that led up to the alert, oldest first, as text.
func (w *Window) CopyAll() {
	texts := make([]string, len(w.rows))
	for i, r := range w.rows {
		texts[i] = w.options.Text(r)
	}
	w.options.Copy(strings.Join(texts, "\n"))
	w.notice.SetText(fmt.Sprintf("copied %d records", len(w.rows)))
}

// own returns the context of the alert with its trigger, once, at the end.
func (w *Window) own() []*core.Record {
	records := make([]*core.Record, 0, len(w.alert.Context)+1)
	for _, r := range w.alert.Context {
		if !model.SameRecord(r, w.alert.Trigger) {
			records = append(records, r)
		}
	}
	return append(records, w.alert.Trigger)
}

func (w *Window) setOthers(show bool) {
	records := w.own()
	if show && w.options.Store != nil {
		records = model.Neighbours(w.options.Store.Snapshot(), records, neighbourTime, maxNeighbours)
	}
	w.list.ShowColumn(logview.ColumnProcess, show)
	w.show(records, w.current())
}

// show lists records and keeps one of them selected.
func (w *Window) show(records []*core.Record, selected *core.Record) {
	w.rows = records
	w.list.SetFollowing(false)
	w.list.SetRows(w.rows)
	trigger := w.rowOf(w.alert.Trigger)
	w.list.SetMark(trigger)
	if row := w.rowOf(selected); w.list.Select(row) {
		w.detail.Show(w.rows[row])
	}
}

// rowOf returns the row of a record, that of the trigger if it is not listed.
func (w *Window) rowOf(r *core.Record) uint64 {
	trigger := len(w.rows) - 1
	for i := range w.rows {
		if model.SameRecord(w.rows[i], r) {
			return uint64(i)
		}
		if model.SameRecord(w.rows[i], w.alert.Trigger) {
			trigger = i
		}
	}
	return uint64(max(trigger, 0))
}

func (w *Window) recordMenu(r *core.Record, at fyne.Position) {
	items := []*fyne.MenuItem{fyne.NewMenuItem("Copy as text", w.list.CopyText), fyne.NewMenuItem("Copy as JSON", w.list.CopyJSON)}
	items = append(items, fyne.NewMenuItem("Copy as Markdown", func() { w.options.Copy(w.options.Markdown(r)) }))
	if w.options.OpenLog != nil {
		items = append(items, fyne.NewMenuItem("Show in the log", func() { w.options.OpenLog(r) }))
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(w.list); c != nil {
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
	}
}
