package logview

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

var (
	_ fyne.Focusable         = (*View)(nil)
	_ fyne.Scrollable        = (*View)(nil)
	_ fyne.Draggable         = (*View)(nil)
	_ fyne.DoubleTappable    = (*View)(nil)
	_ fyne.SecondaryTappable = (*View)(nil)
	_ fyne.Shortcutable      = (*View)(nil)
	_ desktop.Mouseable      = (*View)(nil)
	_ desktop.Hoverable      = (*View)(nil)
	_ desktop.Keyable        = (*View)(nil)
	_ desktop.Cursorable     = (*View)(nil)
)

// drag is what is being dragged, if anything.
type drag struct {
	part   part // partNone: nothing
	column int
	offset int // from the begin of the thumb or the border of the column to the mouse
}

// wheelRows is by how much the wheel is faster than one row for its height.
const wheelRows = 2

func (v *View) point(at fyne.Position) image.Point {
	return image.Pt(v.px(at.X), v.px(at.Y))
}

// MouseDown selects rows, takes hold of scroll bars and borders, and focuses.
func (v *View) MouseDown(e *desktop.MouseEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(v); c != nil {
		c.Focus(v)
	}
	g, at := v.geometry(), v.point(e.Position)
	where, index := v.hit(g, at)
	if e.Button == desktop.MouseButtonSecondary {
		if where == partRow {
			v.pickForMenu(index)
		}
		return
	}
	v.drag = drag{part: where, column: index}
	switch where {
	case partHint:
		v.SetFollowing(true)
	case partRow:
		v.pick(index, e.Modifier)
	case partThumb:
		v.drag.offset = at.Y - v.thumb(g).Min.Y
	case partSideThumb:
		v.drag.offset = at.X - v.sideThumb(g).Min.X
	case partBorder:
		for _, c := range g.columns {
			if c.index == index {
				v.drag.offset = at.X - c.x1
			}
		}
	case partTrack: // the thumb comes to the mouse and is held
		v.drag = drag{part: partThumb, offset: v.thumb(g).Dy() / 2}
		v.scrollTo(v.topAt(g, at.Y-v.drag.offset))
	}
}

// pick selects a row that was clicked.
func (v *View) pick(row int, modifier fyne.KeyModifier) {
	v.follow(false)
	switch {
	case modifier&fyne.KeyModifierShift != 0:
		v.moveTo(row, true)
	case modifier&fyne.KeyModifierShortcutDefault != 0:
		key, r := v.rows.At(row)
		v.selection.Toggle(key)
		v.repaint()
		if v.OnCursor != nil {
			v.OnCursor(r)
		}
	default:
		v.moveTo(row, false)
	}
}

// pickForMenu selects a row unless it is selected.
func (v *View) pickForMenu(row int) {
	if key, _ := v.rows.At(row); !v.selection.Has(key) {
		v.follow(false)
		v.moveTo(row, false)
	}
}

// MouseUp lets go of what was dragged.
func (v *View) MouseUp(*desktop.MouseEvent) { v.release() }

// DragEnd lets go of what was dragged.
func (v *View) DragEnd() { v.release() }

func (v *View) release() {
	if v.drag.part != partNone {
		v.drag = drag{}
		v.repaint()
	}
}

// Dragged moves the scroll bar or border that is held, or extends the selection.
func (v *View) Dragged(e *fyne.DragEvent) {
	g, at := v.geometry(), v.point(e.Position)
	switch v.drag.part {
	case partThumb:
		v.scrollTo(v.topAt(g, at.Y-v.drag.offset))
	case partSideThumb:
		thumb := v.sideThumb(g)
		if room := g.message.Dx() - thumb.Dx(); room > 0 {
			v.scrollSide((at.X-v.drag.offset-g.message.Min.X)*v.maxIndent(g)/room - v.indent)
		}
	case partBorder:
		v.resizeColumn(g, at.X-v.drag.offset)
	case partRow:
		v.extendTo(g, at.Y)
	}
}

func (v *View) resizeColumn(g geometry, x int) {
	for _, c := range g.columns {
		if c.index == v.drag.column {
			cells := (x - c.x0 + g.cell/2) / g.cell
			v.columns[c.index].Cells = max(min(cells, maxColumn), minColumn)
			v.repaint()
		}
	}
}

// extendTo extends the selection to the row at a height, which may be above or
// below the rows in sight.
func (v *View) extendTo(g geometry, y int) {
	n := v.rows.Len()
	if n == 0 {
		return
	}
	row := v.top + (y-g.header)/g.row
	if y < g.header {
		row = v.top - 1
	}
	row = max(min(row, v.top+g.full, n-1), 0)
	key, _ := v.rows.At(row)
	if cursor, ok := v.selection.Cursor(); !ok || cursor != key {
		v.moveTo(row, true)
	}
}

// Scrolled is called for the wheel and the track pad.
func (v *View) Scrolled(e *fyne.ScrollEvent) {
	g := v.geometry()
	v.wheel -= e.Scrolled.DY * g.scale * wheelRows / float32(g.row)
	if rows := int(v.wheel); rows != 0 {
		v.wheel -= float32(rows)
		v.scrollTo(v.top + rows)
		v.hoverAt(e.Position)
	}
	v.wheelSide -= e.Scrolled.DX * g.scale * wheelRows / float32(g.cell)
	if cells := int(v.wheelSide); cells != 0 {
		v.wheelSide -= float32(cells)
		v.scrollSide(cells)
	}
}

// scrollSide scrolls the messages by a number of cells.
func (v *View) scrollSide(cells int) {
	v.indent = max(min(v.indent+cells, v.maxIndent(v.geometry())), 0)
	v.repaint()
}

// DoubleTapped opens a row.
func (v *View) DoubleTapped(e *fyne.PointEvent) {
	if where, row := v.hit(v.geometry(), v.point(e.Position)); where == partRow && v.OnOpen != nil {
		_, r := v.rows.At(row)
		v.OnOpen(r)
	}
}

// TappedSecondary asks for a menu.
func (v *View) TappedSecondary(e *fyne.PointEvent) {
	where, row := v.hit(v.geometry(), v.point(e.Position))
	switch {
	case where == partRow && v.OnMenu != nil:
		_, r := v.rows.At(row)
		v.OnMenu(r, e.AbsolutePosition)
	case (where == partHeader || where == partBorder) && v.OnHeaderMenu != nil:
		v.OnHeaderMenu(e.AbsolutePosition)
	}
}

// MouseIn is called when the mouse comes.
func (v *View) MouseIn(e *desktop.MouseEvent) { v.hoverAt(e.Position) }

// MouseMoved is called when the mouse moves.
func (v *View) MouseMoved(e *desktop.MouseEvent) { v.hoverAt(e.Position) }

// MouseOut is called when the mouse goes.
func (v *View) MouseOut() { v.setHover(partNone, -1) }

func (v *View) hoverAt(at fyne.Position) {
	where, row := v.hit(v.geometry(), v.point(at))
	if where != partRow {
		row = -1
	}
	v.setHover(where, row)
}

func (v *View) setHover(where part, row int) {
	if where != v.hoverPart || row != v.hoverRow {
		v.hoverPart, v.hoverRow = where, row
		v.repaint()
	}
}

// Cursor shows which borders can be dragged.
func (v *View) Cursor() desktop.Cursor {
	switch {
	case v.hoverPart == partBorder || v.drag.part == partBorder:
		return desktop.HResizeCursor
	case v.hoverPart == partHint:
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}
