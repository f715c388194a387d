package logwindow

import (
	"image"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

// histogram draws records over time, by level, into one image. A click picks a bar.
type histogram struct {
	widget.BaseWidget
	onPick  func(h model.Histogram, bar int)
	onHover func(text string)

	data   model.Histogram
	raster *canvas.Raster
	image  *image.RGBA
	hover  int // -1: none
}

var (
	_ fyne.Tappable     = (*histogram)(nil)
	_ desktop.Hoverable = (*histogram)(nil)
)

const histogramHeight = 34

func newHistogram() *histogram {
	h := &histogram{hover: -1}
	h.raster = canvas.NewRaster(h.paint)
	h.ExtendBaseWidget(h)
	return h
}

// set shows other data.
func (h *histogram) set(data model.Histogram) {
	same := data.Start.Equal(h.data.Start) && data.Step == h.data.Step && data.Max == h.data.Max &&
		len(data.Buckets) == len(h.data.Buckets) && (len(data.Buckets) == 0 || &data.Buckets[0] == &h.data.Buckets[0])
	if !same {
		h.data = data
		canvas.Refresh(h.raster)
	}
}

// CreateRenderer is called by Fyne.
func (h *histogram) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(h.raster) }

// MinSize is a strip.
func (h *histogram) MinSize() fyne.Size { return fyne.NewSize(80, histogramHeight) }

func (h *histogram) barAt(x float32) (bar int, ok bool) {
	n := len(h.data.Buckets)
	if n == 0 || h.Size().Width <= 0 {
		return 0, false
	}
	bar = int(x / h.Size().Width * float32(n))
	return bar, bar >= 0 && bar < n
}

// Tapped picks a bar.
func (h *histogram) Tapped(e *fyne.PointEvent) {
	if bar, ok := h.barAt(e.Position.X); ok && h.onPick != nil {
		h.onPick(h.data, bar)
	}
}

// MouseIn is called when the mouse comes.
func (h *histogram) MouseIn(e *desktop.MouseEvent) { h.MouseMoved(e) }

// MouseMoved tells what is under the mouse.
func (h *histogram) MouseMoved(e *desktop.MouseEvent) {
	bar, ok := h.barAt(e.Position.X)
	if !ok {
		bar = -1
	}
	h.setHover(bar)
}

// MouseOut is called when the mouse goes.
func (h *histogram) MouseOut() { h.setHover(-1) }

func (h *histogram) setHover(bar int) {
	if bar == h.hover {
		return
	}
	h.hover = bar
	canvas.Refresh(h.raster)
	if h.onHover != nil {
		h.onHover(h.barText(bar))
	}
}

func (h *histogram) barText(bar int) string {
	if bar < 0 {
		return ""
	}
	from := h.data.Start.Add(time.Duration(bar) * h.data.Step).Local()
	text := from.Format("15:04:05") + " – " + from.Add(h.data.Step).Format("15:04:05") + ":  " + plural(h.data.Buckets[bar].Total(), "record")
	if n := h.data.Buckets[bar].AtLeast(core.LevelError); n > 0 {
		text += ", " + plural(n, "error")
	}
	return text
}

// stack is the order of the levels in a bar, from below: the severe ones are
// at the bottom, where they stand on one line and can be compared.
func stack() []core.Level {
	levels := append([]core.Level{core.LevelNotSet}, core.Levels()...)
	slices.Reverse(levels)
	return levels
}

func (h *histogram) paint(width, height int) image.Image {
	if h.image == nil || h.image.Rect.Dx() != width || h.image.Rect.Dy() != height {
		h.image = image.NewRGBA(image.Rect(0, 0, width, height))
	}
	settings := fyne.CurrentApp().Settings()
	palette := style.PaletteFor(h.Theme(), settings.ThemeVariant())
	glyph.Fill(h.image, h.image.Rect, palette.Ground)
	glyph.Fill(h.image, image.Rect(0, 0, width, 1), palette.Separator)
	n := len(h.data.Buckets)
	room := height - 4
	for i := range n {
		x0, x1 := width*i/n, width*(i+1)/n
		if i == h.hover {
			glyph.Fill(h.image, image.Rect(x0, 1, x1, height), palette.Hover)
		}
		if x1-x0 > 2 {
			x1--
		}
		h.paintBar(palette, h.data.Buckets[i], x0, x1, height, room)
	}
	return h.image
}

// paintBar stacks the levels of one bar. What is there is seen, be it a single
// error among thousands.
func (h *histogram) paintBar(palette *style.Palette, counts model.LevelCounts, x0, x1, bottom, room int) {
	y := bottom
	for _, l := range stack() {
		n := counts.Of(l)
		if n == 0 || h.data.Max == 0 {
			continue
		}
		least := 1
		if l >= core.LevelWarning {
			least = 3
		}
		top := max(y-max(n*room/h.data.Max, least), 2)
		glyph.Fill(h.image, image.Rect(x0, top, x1, y), palette.Level(l).Fill)
		y = top
	}
}
