// Package logwindow has the content of the log window: the live records with
// their filter, the details of one of them, and the numbers.
package logwindow

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/detail"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/logview"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// Options are the parts that a [Window] works with. Store and Dispatch are
// needed.
type Options struct {
	// Store has the records.
	Store *model.Store
	// Dispatch runs a function on the goroutine of the user interface, later.
	// It is called from other goroutines and must not wait for the function.
	Dispatch func(func())
	// Fonts are shared by the windows of a program; nil loads them anew.
	Fonts *glyph.Fonts
	// Text, JSON and Markdown return what is copied of a record; [model.Text],
	// [model.JSON] and [model.Markdown] if nil.
	Text, JSON, Markdown func(*core.Record) string
	// Copy puts a text into the clipboard; that of the app if nil.
	Copy func(text string)
	// OpenEditor opens a place in the source; nil if that is not possible.
	OpenEditor func(core.Site)
	// Dropped returns how many records were lost before they got here; nil if
	// none can be.
	Dropped func() uint64
	// Columns are the columns at the beginning; the default if nil.
	Columns []logview.Column
	// EmptyText is shown while no record has come yet.
	EmptyText string
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Window is the content of the log window. It is used on the goroutine of the
// user interface only.
type Window struct {
	options Options
	view    *model.View
	poster  model.Poster
	filter  model.Filter
	matcher *model.Matcher // of the text alone
	failure string         // why the filter does not compile
	notice  string         // what was done last
	closed  bool
	sought  *core.Record // to be brought into sight when it is listed

	list      *logview.View
	detail    *detail.Pane
	histogram *histogram
	split     *container.Split
	root      fyne.CanvasObject

	level   *widget.Select
	origin  *widget.Select
	origins []model.Origin // behind the entries of origin, but the first
	listed  time.Time      // when they were listed
	entry   *filterEntry
	only    *widget.Check
	follow  *widget.Check
	counts  *widget.Label
	message *widget.Label
	rate    *widget.Label
	status  *fyne.Container // the three

	numbered time.Time // when counts and rate were brought up to date
}

// buckets is the number of bars of the histogram.
const buckets = 120

// New returns a window that shows records from now on until it is closed.
func New(o Options) *Window {
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
	if o.EmptyText == "" {
		o.EmptyText = "Waiting for records …"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Window{options: o}
	w.poster = model.Poster{Dispatch: o.Dispatch, Do: w.update}
	w.build()
	w.view = model.NewView(o.Store, model.ViewOptions{Buckets: buckets, Changed: w.poster.Post})
	w.update()
	return w
}

// Close ends the work behind the window and waits for it. Closing twice is
// allowed.
func (w *Window) Close() error {
	w.closed = true
	return w.view.Close()
}

// Object returns what is to be put into a window.
func (w *Window) Object() fyne.CanvasObject { return w.root }

// List returns the list, to be focused or to keep its columns.
func (w *Window) List() *logview.View { return w.list }

// Status says what a log window shows.
type Status struct {
	Shown     int     `json:"shown"`     // rows that pass the filter
	Held      int     `json:"held"`      // records in the store
	Total     uint64  `json:"total"`     // records since the start
	Dropped   uint64  `json:"dropped"`   // records lost before they got here
	Rate      float64 `json:"rate"`      // records per second
	Following bool    `json:"following"` // the newest record is in sight
	Selected  uint64  `json:"selected"`  // sequence number of the current record, 0 if there is none
	Filter    string  `json:"filter"`    // the text of the filter
	Level     string  `json:"level"`     // the lowest level shown
}

// Status returns what is shown now.
func (w *Window) Status() Status {
	state := w.view.State()
	s := Status{
		Shown: w.list.Rows().Len(), Held: state.Stats.Held, Total: state.Stats.Total, Dropped: w.dropped(),
		Rate: state.Rate, Following: w.list.Following(), Filter: w.filter.Text, Level: w.filter.Min.String(),
	}
	if r := w.list.Current(); r != nil {
		s.Selected = r.Seq
	}
	return s
}

func (w *Window) dropped() uint64 {
	if w.options.Dropped == nil {
		return 0
	}
	return w.options.Dropped()
}

// AddShortcuts makes the shortcuts of the window work on its canvas.
func (w *Window) AddShortcuts(c fyne.Canvas) {
	c.AddShortcut(findShortcut(), func(fyne.Shortcut) { w.FocusFilter() })
	c.AddShortcut(clearShortcut(), func(fyne.Shortcut) { w.clear() })
}

func findShortcut() *desktop.CustomShortcut {
	return &desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierShortcutDefault}
}

func clearShortcut() *desktop.CustomShortcut {
	return &desktop.CustomShortcut{KeyName: fyne.KeyL, Modifier: fyne.KeyModifierShortcutDefault}
}

// FocusFilter puts the cursor into the filter.
func (w *Window) FocusFilter() { focus(w.entry) }

// FocusList gives the keyboard to the list.
func (w *Window) FocusList() { focus(w.list) }

func focus(o interface {
	fyne.CanvasObject
	fyne.Focusable
},
) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		c.Focus(o)
	}
}

// Reveal selects a record and brings it into sight, without the filter if that
// hides it. It reports whether the record is still held.
func (w *Window) Reveal(r *core.Record) bool {
	if w.selectRecord(r) {
		return true
	}
	if _, held := model.RowFor(w.options.Store.Snapshot(), r); !held {
		w.tell("the record is not held any more")
		return false
	}
	w.SetFilter(model.Filter{})
	w.sought = r
	return true
}

func (w *Window) selectRecord(r *core.Record) bool {
	row, ok := model.RowFor(w.list.Rows(), r)
	if ok {
		key, _ := w.list.Rows().At(row)
		w.list.Select(key)
	}
	return ok
}

func (w *Window) build() {
	o := &w.options
	w.list = logview.New(logview.Options{
		Fonts: o.Fonts, Text: o.Text, JSON: o.JSON, Copy: o.Copy, Now: o.Now, Columns: o.Columns,
	})
	w.list.OnCursor = w.showDetail
	w.list.OnOpen = w.showDetail
	w.list.OnFollow = func(on bool) { w.follow.SetChecked(on) }
	w.list.OnMenu = w.recordMenu
	w.list.OnHeaderMenu = w.columnMenu
	w.list.OnCopied = w.copied
	w.list.OnKey = w.typedKey
	w.list.OnShortcut = w.typedShortcut
	w.detail = detail.New(detail.Options{
		Text: o.Text, JSON: o.JSON, Markdown: o.Markdown, Copy: o.Copy,
		OpenEditor: o.OpenEditor, Close: w.hideDetail, Now: o.Now,
	})
	w.histogram = newHistogram()
	w.histogram.onPick = w.jumpTo
	w.histogram.onHover = func(text string) { w.tell(text) }
	w.buildSplit()
	w.root = container.NewBorder(
		container.NewVBox(w.toolbar(), w.histogram), w.statusBar(), nil, nil, w.split)
}

func (w *Window) buildSplit() {
	w.split = container.NewVSplit(w.list, w.detail.Object())
	w.split.Offset = 0.6
	w.detail.Object().Hide()
}

func (w *Window) toolbar() fyne.CanvasObject {
	w.level = widget.NewSelect(levelNames(), func(string) { w.setLevel(w.level.SelectedIndex()) })
	w.level.SetSelectedIndex(0)
	w.origin = widget.NewSelect([]string{allOrigins}, func(string) { w.setOrigin(w.origin.SelectedIndex()) })
	w.origin.SetSelectedIndex(0)
	w.entry = newFilterEntry()
	w.entry.OnChanged = w.setText
	w.entry.onNext, w.entry.onPrevious = w.findNext, w.findPrevious
	w.entry.onLeave = w.FocusList
	w.only = widget.NewCheck("Only matches", func(bool) { w.apply() })
	w.only.Checked = true
	w.follow = widget.NewCheck("Follow", func(on bool) { w.list.SetFollowing(on) })
	w.follow.Checked = true
	erase := widget.NewButtonWithIcon("Clear", theme.DeleteIcon(), w.clear)
	erase.Importance = widget.LowImportance
	w.origin.Hide() // until there are two
	return container.NewPadded(container.NewBorder(nil, nil,
		container.NewHBox(w.level, w.origin),
		container.NewHBox(w.only, w.follow, erase),
		w.entry))
}

func (w *Window) statusBar() fyne.CanvasObject {
	w.counts, w.message, w.rate = statusLabel(), statusLabel(), statusLabel()
	w.message.Truncation = fyne.TextTruncateEllipsis
	w.message.Alignment = fyne.TextAlignCenter
	w.status = container.NewBorder(nil, nil, w.counts, w.rate, w.message)
	return w.status
}

func statusLabel() *widget.Label {
	l := widget.NewLabel("")
	l.SizeName = theme.SizeNameCaptionText
	return l
}

func (w *Window) showDetail(r *core.Record) {
	if r == nil {
		return
	}
	w.detail.Show(r)
	if object := w.detail.Object(); !object.Visible() {
		object.Show()
		w.split.Refresh()
	}
}

func (w *Window) hideDetail() {
	w.detail.Object().Hide()
	w.split.Refresh()
	w.FocusList()
}

func (w *Window) typedKey(name fyne.KeyName) {
	if name == fyne.KeyEscape && w.detail.Object().Visible() {
		w.hideDetail()
	}
}

// typedShortcut does what the canvas would do if the list did not have the
// focus.
func (w *Window) typedShortcut(s fyne.Shortcut) {
	switch s.ShortcutName() {
	case findShortcut().ShortcutName():
		w.FocusFilter()
	case clearShortcut().ShortcutName():
		w.clear()
	}
}

func (w *Window) clear() {
	w.options.Store.Clear()
	w.detail.Show(nil)
	w.detail.Object().Hide()
	w.split.Refresh()
	w.tell("cleared")
}

func (w *Window) copied(n, of int) {
	text := "copied " + plural(n, "record")
	if n < of {
		text += " of " + model.Number(of) + " selected: more are not copied at a time"
	}
	w.tell(text)
}

// tell shows a message in the status bar until the next one.
func (w *Window) tell(text string) {
	w.notice = text
	w.updateMessage()
}
