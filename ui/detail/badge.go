package detail

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

// badge is the name of a level in its colours, which follow the theme.
type badge struct {
	widget.BaseWidget
	level  core.Level
	text   *canvas.Text
	ground *canvas.Rectangle
}

func newBadge(l core.Level) *badge {
	b := &badge{level: l, text: canvas.NewText(l.String(), nil), ground: canvas.NewRectangle(nil)}
	b.text.TextStyle.Bold = true
	b.text.Alignment = fyne.TextAlignCenter
	b.ground.CornerRadius = 4
	b.ExtendBaseWidget(b)
	b.color()
	return b
}

func (b *badge) color() {
	palette := style.PaletteFor(b.Theme(), fyne.CurrentApp().Settings().ThemeVariant())
	colors := palette.Level(b.level)
	b.text.Color, b.text.TextSize = colors.Name, theme.TextSize()
	b.ground.FillColor = colors.Badge
	b.ground.Hidden = !colors.Badged
}

// CreateRenderer is called by Fyne.
func (b *badge) CreateRenderer() fyne.WidgetRenderer { return &badgeRenderer{b} }

type badgeRenderer struct{ badge *badge }

func (r *badgeRenderer) Destroy() {}

func (r *badgeRenderer) MinSize() fyne.Size {
	pad := theme.InnerPadding()
	return r.badge.text.MinSize().AddWidthHeight(2*pad, 2*pad)
}

func (r *badgeRenderer) Layout(size fyne.Size) {
	pad := theme.InnerPadding()
	r.badge.text.Resize(size)
	r.badge.ground.Move(fyne.NewPos(pad/2, pad/2))
	r.badge.ground.Resize(size.SubtractWidthHeight(pad, pad))
}

func (r *badgeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.badge.ground, r.badge.text}
}

func (r *badgeRenderer) Refresh() {
	r.badge.color()
	r.badge.ground.Refresh()
	r.badge.text.Refresh()
}
