package logview

import (
	"image"
	"math"

	"fyne.io/fyne/v2"

	"github.com/logbook-tray/logbook-tray/ui/glyph"
)

// geometry says where things are, in pixels.
type geometry struct {
	scale         float32
	width, height int
	cell          int // width of a character
	row           int // height of a row
	baseline      int // top of the text within a row
	header        int // height of the names of the columns
	bottom        int // of the rows; below is the horizontal scroll bar
	full, shown   int // rows that fit wholly, and that can be seen at least in part
	columns       []placed
	message       image.Rectangle // of the messages of all rows
	messageCells  int             // whole characters that fit into it
	track         image.Rectangle // of the vertical scroll bar
}

// placed is a visible column at its place.
type placed struct {
	Column
	index  int // in View.columns
	x0, x1 int // of its text
}

func (v *View) px(units float32) int { return int(math.Round(float64(units * v.currentScale()))) }

// currentScale is the number of pixels for a unit.
func (v *View) currentScale() float32 {
	if v.scale > 0 {
		return v.scale
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(v); c != nil && c.Scale() > 0 {
		return c.Scale()
	}
	return 1
}

func (v *View) geometry() geometry {
	size := v.Size()
	return v.measure(v.px(size.Width), v.px(size.Height))
}

// measure lays out an area of that many pixels.
func (v *View) measure(width, height int) geometry {
	g := geometry{scale: v.currentScale(), width: width, height: height}
	glyphs := v.glyphCache()
	g.cell = glyphs.Cell()
	g.row = glyphs.Height() + v.px(4)
	g.baseline = (g.row - glyphs.Height()) / 2
	g.header = g.row + v.px(4)
	g.bottom = max(height-v.px(9), g.header)
	rows := g.bottom - g.header
	g.full, g.shown = rows/g.row, (rows+g.row-1)/g.row
	g.track = image.Rect(width-v.px(11), g.header, width, g.bottom)
	x, gap := v.px(8), v.px(10)
	for i, c := range v.columns {
		if c.Hidden || c.ID == ColumnMessage {
			continue
		}
		p := placed{Column: c, index: i, x0: x, x1: x + c.Cells*g.cell}
		g.columns = append(g.columns, p)
		x = p.x1 + gap
	}
	g.message = image.Rect(min(x, width), g.header, max(g.track.Min.X-v.px(2), min(x, width)), height)
	g.messageCells = g.message.Dx() / g.cell
	return g
}

// glyphCache returns the cache for the size of text at the current scale.
func (v *View) glyphCache() *glyph.Cache {
	size := v.textSize() * v.currentScale()
	if v.glyphs == nil || v.glyphs.Size() != size {
		v.glyphs = glyph.NewCache(v.options.Fonts, size)
	}
	return v.glyphs
}

// part is a part of the view that the mouse can be on.
type part int

const (
	partNone part = iota
	partHeader
	partBorder // right border of a column's name, which can be dragged
	partRow
	partTrack
	partThumb
	partSideThumb // thumb of the horizontal scroll bar
	partHint      // "12 new"
)

// hit says what is at a place in pixels: the part, and the row or index of the
// column.
func (v *View) hit(g geometry, at image.Point) (part, int) {
	if at.In(v.hintRect(g)) {
		return partHint, 0
	}
	if at.Y < g.header {
		for _, c := range g.columns {
			if border := c.x1 + v.px(5); at.X >= border-v.px(5) && at.X <= border+v.px(5) {
				return partBorder, c.index
			}
		}
		return partHeader, 0
	}
	if at.In(v.thumb(g)) {
		return partThumb, 0
	}
	if at.In(g.track) && !v.thumb(g).Empty() {
		return partTrack, 0
	}
	if at.In(v.sideThumb(g)) {
		return partSideThumb, 0
	}
	if row := v.top + (at.Y-g.header)/g.row; row < v.rows.Len() && at.Y < g.bottom {
		return partRow, row
	}
	return partNone, 0
}

// thumb is the movable part of the vertical scroll bar; empty if all rows are in
// sight.
func (v *View) thumb(g geometry) image.Rectangle {
	n := v.rows.Len()
	if n <= g.full || g.full == 0 {
		return image.Rectangle{}
	}
	length := max(g.track.Dy()*g.full/n, v.px(28))
	room := g.track.Dy() - length
	if room <= 0 {
		return image.Rectangle{}
	}
	y := g.track.Min.Y + int(float64(room)*float64(v.top)/float64(n-g.full))
	return image.Rect(g.track.Min.X, y, g.track.Max.X, y+length)
}

// topAt is the reverse of thumb: the first row when the thumb begins at y.
func (v *View) topAt(g geometry, y int) int {
	t := v.thumb(g)
	room := g.track.Dy() - t.Dy()
	if t.Empty() || room <= 0 {
		return v.top
	}
	return int(math.Round(float64(y-g.track.Min.Y) / float64(room) * float64(v.rows.Len()-g.full)))
}

// maxIndent is how far messages can be scrolled to the left.
func (v *View) maxIndent(g geometry) int { return max(v.widest-g.messageCells+2, 0) }

// sideThumb is the movable part of the horizontal scroll bar; empty if every
// message in sight fits.
func (v *View) sideThumb(g geometry) image.Rectangle {
	reach := max(v.maxIndent(g), v.indent)
	if (v.widest <= g.messageCells && v.indent == 0) || g.messageCells == 0 {
		return image.Rectangle{}
	}
	length := max(g.message.Dx()*g.messageCells/(g.messageCells+reach), v.px(28))
	room := g.message.Dx() - length
	if room <= 0 {
		return image.Rectangle{}
	}
	x := g.message.Min.X + room*v.indent/max(reach, 1)
	return image.Rect(x, g.bottom, x+length, g.height)
}

// hintRect is where the number of new rows is shown; empty if it is not.
func (v *View) hintRect(g geometry) image.Rectangle {
	text := v.hintText()
	if text == "" || g.full < 3 {
		return image.Rectangle{}
	}
	w := glyph.Cells(text, 100)*g.cell + v.px(24)
	x := max((g.track.Min.X-w)/2, 0)
	y := g.height - g.row - v.px(18)
	return image.Rect(x, y, x+w, y+g.row+v.px(4))
}
