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

// table lays lines out so that their columns agree. One column takes what is left; where
// that is too little, its cells stand below the others.
type table struct {
	lines   []line
	stretch int  // the column that takes what is left
	folded  bool // its cells stand below the others
}

var _ fyne.Layout = (*table)(nil)

const (
	indentStep = 18
	// leastStretch is the least width in which some counters can be read.
	leastStretch = 160
)

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
		height, below := t.heights(l)
		size.Height += height + below
	}
	return size
}

// heights returns how high a line is, and the cell below it.
func (t *table) heights(l line) (height, below float32) {
	if l.across != nil {
		if !l.across.Visible() {
			return 0, 0
		}
		return l.across.MinSize().Height, 0
	}
	for i, cell := range l.cells {
		if h := cell.MinSize().Height; i == t.stretch && t.folded {
			below = h
		} else {
			height = max(height, h)
		}
	}
	return height, below
}

// Layout implements [fyne.Layout].
func (t *table) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	size.Width -= theme.Size(theme.SizeNameScrollBarSmall) + theme.Padding() // the bar lies on what it scrolls
	widths := t.widths()
	rest := size.Width
	for i, w := range widths {
		if i != t.stretch {
			rest -= w
		}
	}
	if t.stretch < len(widths) {
		widths[t.stretch] = max(rest, 0)
		t.folded = rest < leastStretch
	}
	var y float32
	for _, l := range t.lines {
		if l.across != nil {
			y += l.placeAcross(y, size.Width)
			continue
		}
		height, below := t.heights(l)
		x := float32(0)
		for i, cell := range l.cells {
			inset, least := l.inset(i), cell.MinSize()
			if i == t.stretch && t.folded {
				left := widths[0] + l.inset(nameColumn)
				cell.Resize(fyne.NewSize(max(size.Width-left, 0), least.Height))
				cell.Move(fyne.NewPos(left, y+height))
			} else {
				cell.Resize(fyne.NewSize(max(widths[i]-inset, 0), least.Height))
				cell.Move(fyne.NewPos(x+inset, y+(height-least.Height)/2))
			}
			x += widths[i]
		}
		y += height + below
	}
}

// placeAcross puts what goes across the columns at a height, and returns its own.
func (l *line) placeAcross(y, width float32) float32 {
	if !l.across.Visible() {
		return 0
	}
	x := l.inset(0) + theme.Padding()
	// A text that is wrapped knows its height only once it knows its width.
	for range 2 {
		l.across.Resize(fyne.NewSize(max(width-x, 0), l.across.MinSize().Height))
	}
	l.across.Move(fyne.NewPos(x, y))
	return l.across.MinSize().Height
}
