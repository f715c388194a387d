// Package logview has the widget that shows records: a table of any number of
// rows that draws what is visible into one image.
package logview

import (
	"image"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

// MaxCopied is how many records are copied at most at a time.
const MaxCopied = 100_000

// Options are the parts that a [View] works with. The zero value works.
type Options struct {
	// Fonts are shared by the views of a program; nil loads them anew,
	// with those of the system.
	Fonts *glyph.Fonts
	// Text returns the text of a record that is copied; [model.Text] if nil.
	Text func(*core.Record) string
	// JSON returns a record as one line of JSON; [model.JSON] if nil.
	JSON func(*core.Record) string
	// Copy puts a text into the clipboard; that of the app if nil.
	Copy func(text string)
	// Now is the clock; time.Now if nil. It tells which records are of another day.
	Now func() time.Time
	// Columns are the columns at the beginning; [DefaultColumns] if nil.
	Columns []Column
	// TextSize is the size of the text; if zero, it goes with the theme.
	TextSize float32
}

// View is a widget that shows [model.Rows]. While it follows, the last row is
// always in sight; scrolling up or selecting a row ends that, and the End key or
// scrolling down to the end begins it anew.
//
// Like every widget it is used on the goroutine of the user interface only. Its
// callbacks are set before it is shown; each may be nil.
type View struct {
	widget.BaseWidget

	// OnCursor is called when another row becomes the current one.
	OnCursor func(r *core.Record)
	// OnOpen is called for a double click or the Enter key on a row.
	OnOpen func(r *core.Record)
	// OnMenu is called for a secondary click on a row, with the place on the
	// canvas where a menu belongs.
	OnMenu func(r *core.Record, at fyne.Position)
	// OnHeaderMenu is called for a secondary click on the names of the columns.
	OnHeaderMenu func(at fyne.Position)
	// OnFollow is called when following begins or ends.
	OnFollow func(following bool)
	// OnCopied is called after records were copied; of is how many were
	// selected.
	OnCopied func(n, of int)
	// OnKey is called for keys that mean nothing to the view itself.
	OnKey func(name fyne.KeyName)
	// OnShortcut is called for shortcuts that mean nothing to the view itself.
	OnShortcut func(s fyne.Shortcut)

	options Options
	raster  *canvas.Raster
	palette *style.Palette
	glyphs  *glyph.Cache
	image   *image.RGBA // painted anew for every frame
	scale   float32     // pixels for a unit, as last painted; 0 before

	rows      model.Rows
	matcher   *model.Matcher // what is marked in the messages
	emptyText string
	columns   []Column
	selection model.Selection
	mark      uint64 // key of the row that the window is about
	marked    bool

	top        int    // first row in sight
	full       int    // rows that were wholly in sight at the last layout
	topKey     uint64 // its key, by which it is found again
	following  bool
	seen       uint64 // key behind the last row that was in sight
	indent     int    // cells by which messages are scrolled to the left
	widest     int    // cells of the widest message in sight
	wheel      float32
	wheelSide  float32
	hoverRow   int // -1: none
	hoverPart  part
	drag       drag
	focused    bool
	shift      bool
	spans      []model.Span
	timeBuffer []byte
}

// New returns a view without rows that follows.
func New(o Options) *View {
	if o.Fonts == nil {
		o.Fonts = glyph.NewFonts(true)
	}
	if o.Text == nil {
		o.Text = model.Text
	}
	if o.JSON == nil {
		o.JSON = model.JSON
	}
	if o.Copy == nil {
		o.Copy = func(text string) { fyne.CurrentApp().Clipboard().SetContent(text) }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Columns == nil {
		o.Columns = DefaultColumns()
	}
	v := &View{options: o, rows: model.List(nil), columns: o.Columns, following: true, hoverRow: -1}
	v.ExtendBaseWidget(v)
	v.raster = canvas.NewRaster(v.paint)
	v.raster.ScaleMode = canvas.ImageScalePixels
	v.palette = style.PaletteFor(v.Theme(), fyne.CurrentApp().Settings().ThemeVariant())
	return v
}

// SetRows shows other rows, usually a later version of those shown. If the
// view does not follow, the rows in sight stay where they are.
func (v *View) SetRows(rows model.Rows) {
	v.rows = rows
	if v.following {
		v.top = v.lastTop()
	} else {
		v.top = min(rows.Index(v.topKey), v.lastTop())
	}
	v.settle()
	v.repaint()
}

// Rows returns the rows that are shown.
func (v *View) Rows() model.Rows { return v.rows }

// SetMatcher sets what is marked in the messages, and what [View.FindNext] and
// [View.FindPrevious] look for. nil marks nothing.
func (v *View) SetMatcher(m *model.Matcher) {
	if m != v.matcher {
		v.matcher = m
		v.repaint()
	}
}

// SetEmptyText sets what is shown where there are no rows.
func (v *View) SetEmptyText(text string) {
	v.emptyText = text
	v.repaint()
}

// SetMark sets off one row as the one that the window is about.
func (v *View) SetMark(key uint64) {
	v.mark, v.marked = key, true
	v.repaint()
}

// Following reports whether the last row is kept in sight.
func (v *View) Following() bool { return v.following }

// SetFollowing begins or ends following.
func (v *View) SetFollowing(on bool) {
	v.follow(on)
	if on {
		v.top = v.lastTop()
	}
	v.settle()
	v.repaint()
}

func (v *View) follow(on bool) {
	if on == v.following {
		return
	}
	v.following = on
	if v.OnFollow != nil {
		v.OnFollow(on)
	}
}

// Unseen returns how many rows came behind the last one that was in sight.
func (v *View) Unseen() int { return v.rows.Len() - v.rows.Index(v.seen) }

// Current returns the record under the cursor, nil if there is none.
func (v *View) Current() *core.Record {
	if row, ok := v.cursorRow(); ok {
		_, r := v.rows.At(row)
		return r
	}
	return nil
}

// Selected returns the selected records, at most [MaxCopied].
func (v *View) Selected() []*core.Record { return v.selection.Records(v.rows, MaxCopied) }

// Select makes the row with this key the current one and brings it into sight.
// It reports whether there is such a row.
func (v *View) Select(key uint64) bool {
	row, ok := model.RowOf(v.rows, key)
	if ok {
		v.follow(false)
		v.moveTo(row, false)
	}
	return ok
}

// CollapseSelection leaves the current row alone selected. It is called when
// another filter brings other rows between those selected.
func (v *View) CollapseSelection() { v.selection.Collapse() }

// FindNext goes to the next row that has what is marked, round at the end.
func (v *View) FindNext() bool { return v.find(1) }

// FindPrevious goes to the previous row that has what is marked.
func (v *View) FindPrevious() bool { return v.find(-1) }

func (v *View) find(step int) bool {
	if !v.matcher.HasText() {
		return false
	}
	from, ok := v.cursorRow()
	if !ok {
		from = v.top - 1
		if step < 0 {
			from = v.top + v.geometry().full
		}
	}
	row, ok := model.Find(v.rows, v.matcher, from, step)
	if ok {
		v.follow(false)
		v.moveTo(row, false)
	}
	return ok
}

// CopyText copies the selected records as text.
func (v *View) CopyText() { v.copy(v.options.Text) }

// CopyJSON copies the selected records as lines of JSON.
func (v *View) CopyJSON() { v.copy(v.options.JSON) }

func (v *View) copy(format func(*core.Record) string) {
	records := v.Selected()
	if len(records) == 0 {
		return
	}
	v.options.Copy(joinRecords(records, format))
	if v.OnCopied != nil {
		v.OnCopied(len(records), v.selection.Count(v.rows))
	}
}

// cursorRow returns the row of the cursor if it is still there.
func (v *View) cursorRow() (int, bool) {
	key, ok := v.selection.Cursor()
	if !ok {
		return 0, false
	}
	return model.RowOf(v.rows, key)
}

// moveTo puts the cursor on a row and brings it into sight.
func (v *View) moveTo(row int, extend bool) {
	key, r := v.rows.At(row)
	if extend {
		v.selection.Extend(key)
	} else {
		v.selection.Set(key)
	}
	full := max(v.geometry().full, 1)
	if row < v.top {
		v.top = row
	} else if row >= v.top+full {
		v.top = row - full + 1
	}
	v.settle()
	v.repaint()
	if v.OnCursor != nil {
		v.OnCursor(r)
	}
}

// scrollTo makes a row the first in sight, as far as there are rows, and
// follows if that is the end.
func (v *View) scrollTo(top int) {
	v.top = top
	v.settle()
	v.follow(v.top >= v.lastTop())
	v.repaint()
}

// lastTop is the first row in sight when the last row is in sight.
func (v *View) lastTop() int { return max(v.rows.Len()-v.geometry().full, 0) }

// settle brings top into its range and notes what has been seen.
func (v *View) settle() {
	v.top = max(min(v.top, v.lastTop()), 0)
	if n := v.rows.Len(); n > 0 {
		v.topKey, _ = v.rows.At(v.top)
		last, _ := v.rows.At(min(v.top+max(v.geometry().full, 1), n) - 1)
		v.seen = max(v.seen, last+1)
	}
}

// CreateRenderer is called by Fyne.
func (v *View) CreateRenderer() fyne.WidgetRenderer { return &renderer{view: v} }

// MinSize is small: the view is made for whatever space there is.
func (v *View) MinSize() fyne.Size {
	v.ExtendBaseWidget(v)
	return fyne.NewSize(160, 80)
}

// Refresh takes over the theme and paints anew.
func (v *View) Refresh() {
	v.palette = style.PaletteFor(v.Theme(), fyne.CurrentApp().Settings().ThemeVariant())
	v.repaint()
}

// repaint asks for a new image; many calls before the next frame make one.
func (v *View) repaint() { canvas.Refresh(v.raster) }

func (v *View) textSize() float32 {
	if v.options.TextSize > 0 {
		return v.options.TextSize
	}
	return v.Theme().Size(theme.SizeNameText)
}

type renderer struct{ view *View }

func (r *renderer) Destroy()                     {}
func (r *renderer) MinSize() fyne.Size           { return r.view.MinSize() }
func (r *renderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.view.raster} }
func (r *renderer) Refresh()                     { r.view.Refresh() }

func (r *renderer) Layout(size fyne.Size) {
	v := r.view
	v.raster.Resize(size)
	before := v.full
	v.full = v.geometry().full
	if v.following {
		v.top = v.lastTop()
	} else if row, ok := v.cursorRow(); ok && row >= v.top && row < v.top+before && row >= v.top+v.full {
		v.top = row - v.full + 1 // the current row stays in sight
	}
	v.settle()
}
