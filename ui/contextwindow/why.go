package contextwindow

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/ui/model"
)

// The explanation is as wide as whyWidth at most, and leaves whyRoom of the window free on each
// side.
const (
	whyWidth = 760
	whyRoom  = 40
)

// showWhy shows what the rules do with the current record: why it is here.
func (w *Window) showWhy() {
	c := fyne.CurrentApp().Driver().CanvasForObject(w.list)
	if c == nil || w.options.Why == nil {
		return
	}
	r := w.current()
	title := widget.NewLabel("Why did I get this?  If it came again now:")
	title.TextStyle.Bold = true
	title.Truncation = fyne.TextTruncateEllipsis
	steps := widget.NewLabel(model.Printable(w.options.Why(r)))
	steps.Wrapping = fyne.TextWrapWord
	var p *widget.PopUp
	shut := &closeButton{}
	shut.ExtendBaseWidget(shut)
	shut.Text, shut.Icon = "Close", theme.CancelIcon()
	shut.OnTapped = func() {
		p.Hide()
		c.Focus(w.list)
	}
	p = widget.NewModalPopUp(container.NewBorder(title, container.NewHBox(layout.NewSpacer(), shut), nil, nil, container.NewVScroll(steps)), c)
	least, most := p.Content.MinSize(), c.Size().SubtractWidthHeight(2*whyRoom, 2*whyRoom)
	width := max(least.Width, min(whyWidth, most.Width))
	steps.Resize(fyne.NewSize(width, 0)) // a text that is wrapped knows its height only once it knows its width
	height := steps.MinSize().Height + least.Height
	p.Resize(fyne.NewSize(width, max(least.Height, min(height, most.Height))))
	p.Show()
	c.Focus(shut)
}

// closeButton is a button that Escape and Enter press, too.
type closeButton struct{ widget.Button }

// TypedKey implements [fyne.Focusable].
func (b *closeButton) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyEscape, fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		b.OnTapped()
	}
}
