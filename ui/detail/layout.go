package detail

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
)

// overlap is how far labels may come together: their own padding is too wide
// for the lines of one table.
func overlap() float32 { return theme.InnerPadding() * 1.35 }

// tight stacks objects closer than labels would stand by themselves.
type tight struct{}

func (*tight) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		least := o.MinSize()
		size.Width = max(size.Width, least.Width)
		size.Height += least.Height - overlap()
	}
	size.Height += overlap()
	return size
}

func (*tight) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, o.MinSize().Height)) // a width, for the text to wrap at
		height := o.MinSize().Height
		o.Resize(fyne.NewSize(size.Width, height))
		y += height - overlap()
	}
}

// sideBySide puts two objects beside each other where there is room, and the
// second below the first where there is not.
type sideBySide struct{ width float32 }

const (
	roomForTwo = 760
	mainPart   = 0.55
)

func (l *sideBySide) MinSize(objects []fyne.CanvasObject) fyne.Size {
	a, b := objects[0].MinSize(), objects[1].MinSize()
	if l.width >= roomForTwo {
		return fyne.NewSize(a.Width+b.Width, max(a.Height, b.Height))
	}
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height)
}

func (l *sideBySide) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	a, b := objects[0], objects[1]
	a.Move(fyne.NewPos(0, 0))
	if size.Width >= roomForTwo {
		left := max(size.Width*mainPart, a.MinSize().Width)
		a.Resize(fyne.NewSize(left, size.Height))
		b.Move(fyne.NewPos(left, 0))
		b.Resize(fyne.NewSize(max(size.Width-left, 1), size.Height))
		return
	}
	a.Resize(fyne.NewSize(size.Width, a.MinSize().Height)) // a width, for the text to wrap at
	height := a.MinSize().Height
	a.Resize(fyne.NewSize(size.Width, height))
	b.Move(fyne.NewPos(0, height))
	b.Resize(fyne.NewSize(size.Width, max(size.Height-height, 1)))
}

// leastNames is the width of names that most tables get by with, so that their
// values stand below each other.
const leastNames = 92

// twoColumns lays out names and values, the names as wide as the widest, up to
// two fifths.
type twoColumns struct{}

func (*twoColumns) names(objects []fyne.CanvasObject, width float32) float32 {
	w := float32(leastNames)
	for i := 0; i < len(objects); i += 2 {
		w = max(w, objects[i].MinSize().Width)
	}
	if width > 0 {
		w = min(w, width*0.4)
	}
	return w
}

func (t *twoColumns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(t.names(objects, 0), overlap())
	value := float32(0)
	for i := 0; i+1 < len(objects); i += 2 {
		least := objects[i+1].MinSize()
		value = max(value, least.Width)
		size.Height += max(least.Height, objects[i].MinSize().Height) - overlap()
	}
	size.Width += value
	return size
}

func (t *twoColumns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	names := t.names(objects, size.Width)
	rest := max(size.Width-names, 1)
	y := float32(0)
	for i := 0; i+1 < len(objects); i += 2 {
		name, value := objects[i], objects[i+1]
		name.Move(fyne.NewPos(0, y))
		value.Move(fyne.NewPos(names, y))
		value.Resize(fyne.NewSize(rest, value.MinSize().Height)) // a width, for the text to wrap at
		height := max(name.MinSize().Height, value.MinSize().Height)
		name.Resize(fyne.NewSize(names, name.MinSize().Height))
		value.Resize(fyne.NewSize(rest, height))
		y += height - overlap()
	}
}

// siteLink is a line of text that opens a place in the source.
type siteLink struct {
	widget.BaseWidget
	full string // text, as much of which is shown as there is room for
	text *canvas.Text
	site core.Site
	open func(core.Site)
	over bool
}

var (
	_ fyne.Tappable      = (*siteLink)(nil)
	_ desktop.Hoverable  = (*siteLink)(nil)
	_ desktop.Cursorable = (*siteLink)(nil)
)

func newSiteLink(text string, site core.Site, open func(core.Site)) *siteLink {
	l := &siteLink{full: text, text: canvas.NewText(text, theme.Color(theme.ColorNameHyperlink)), site: site, open: open}
	l.text.TextStyle.Monospace = true
	l.ExtendBaseWidget(l)
	return l
}

// Tapped opens the place.
func (l *siteLink) Tapped(*fyne.PointEvent) { l.open(l.site) }

// MouseIn underlines the link.
func (l *siteLink) MouseIn(*desktop.MouseEvent) { l.hover(true) }

// MouseMoved is called by Fyne.
func (l *siteLink) MouseMoved(*desktop.MouseEvent) {}

// MouseOut takes the line away.
func (l *siteLink) MouseOut() { l.hover(false) }

func (l *siteLink) hover(over bool) {
	l.over = over
	l.text.TextStyle.Underline = over
	l.text.Refresh()
}

// Cursor shows that the text can be clicked.
func (l *siteLink) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer is called by Fyne.
func (l *siteLink) CreateRenderer() fyne.WidgetRenderer { return &linkRenderer{l} }

type linkRenderer struct{ link *siteLink }

func (r *linkRenderer) Destroy() {}

func (r *linkRenderer) MinSize() fyne.Size {
	pad := theme.InnerPadding()
	text := fyne.MeasureText("M", theme.TextSize(), r.link.text.TextStyle)
	return fyne.NewSize(text.Width+2*pad, text.Height+2*pad)
}

func (r *linkRenderer) Layout(size fyne.Size) {
	pad := theme.InnerPadding()
	letter := fyne.MeasureText("M", r.link.text.TextSize, r.link.text.TextStyle).Width
	if shown := fit(r.link.full, int((size.Width-2*pad)/letter)); shown != r.link.text.Text {
		r.link.text.Text = shown
		r.link.text.Refresh()
	}
	r.link.text.Move(fyne.NewPos(pad, pad))
	r.link.text.Resize(fyne.NewSize(max(size.Width-2*pad, 0), size.Height-2*pad))
}

// fit shortens a place to n letters: the folders that its quoted path begins with go first,
// since the name of the file and the line tell most.
func fit(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n || n < 2 {
		return text
	}
	cut := len(runes) - n + 1
	from := slices.Index(runes, '"') + 1
	if path := slices.Index(runes[from:], '"'); from > 0 && cut < path {
		return string(runes[:from]) + "…" + string(runes[from+cut:])
	}
	return string(runes[:n-1]) + "…"
}

func (r *linkRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.link.text} }

func (r *linkRenderer) Refresh() {
	r.link.text.Color = theme.Color(theme.ColorNameHyperlink)
	r.link.text.TextSize = theme.TextSize()
	r.link.text.Refresh()
}
