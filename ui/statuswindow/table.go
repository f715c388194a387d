package statuswindow

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// line is what stands on one line of a table: either cells, one for each column, or
// one object that goes across them.
type line struct {
	cells  []fyne.CanvasObject
	across fyne.CanvasObject
	indent int // of across and of the first cell, in steps
}

// table lays lines out so that their columns agree. One column takes what is left.
type table struct {
	lines   []line
	stretch int // the column that takes what is left
}

var _ fyne.Layout = (*table)(nil)

const indentStep = 18

// objects returns everything on the lines, for the container.
func (t *table) objects() []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, l := range t.lines {
		out = append(out, l.cells...)
		if l.across != nil {
			out = append(out, l.across)
		}
	}
	return out
}

// widths returns how wide the columns have to be.
func (t *table) widths() []float32 {
	var widths []float32
	for _, l := range t.lines {
		for i, cell := range l.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cell.MinSize().Width+l.inset(i))
		}
	}
	return widths
}

// inset is how far a cell is moved to the right.
func (l *line) inset(column int) float32 {
	if column == nameColumn || l.across != nil {
		return float32(l.indent) * indentStep
	}
	return 0
}

// MinSize implements [fyne.Layout].
func (t *table) MinSize([]fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, w := range t.widths() {
		size.Width += w
	}
	for _, l := range t.lines {
		size.Height += l.height()
	}
	return size
}

func (l *line) height() float32 {
	if l.across != nil {
		if !l.across.Visible() {
			return 0
		}
		return l.across.MinSize().Height
	}
	var height float32
	for _, cell := range l.cells {
		height = max(height, cell.MinSize().Height)
	}
	return height
}

// Layout implements [fyne.Layout].
func (t *table) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	widths := t.widths()
	rest := size.Width
	for i, w := range widths {
		if i != t.stretch {
			rest -= w
		}
	}
	if t.stretch < len(widths) {
		widths[t.stretch] = max(rest, 0)
	}
	var y float32
	for _, l := range t.lines {
		if l.across != nil {
			if !l.across.Visible() {
				continue
			}
			x := l.inset(0) + theme.Padding()
			// A text that is wrapped knows its height only once it knows its width.
			l.across.Resize(fyne.NewSize(max(size.Width-x, 0), l.across.MinSize().Height))
			l.across.Resize(fyne.NewSize(max(size.Width-x, 0), l.across.MinSize().Height))
			l.across.Move(fyne.NewPos(x, y))
			y += l.across.MinSize().Height
			continue
		}
		height, x := l.height(), float32(0)
		for i, cell := range l.cells {
			inset := l.inset(i)
			least := cell.MinSize()
			cell.Resize(fyne.NewSize(max(widths[i]-inset, 0), least.Height))
			cell.Move(fyne.NewPos(x+inset, y+(height-least.Height)/2))
			x += widths[i]
		}
		y += height
	}
}
