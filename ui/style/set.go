package style

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// SetText changes a text if it is another one: the toolkit draws each anew.
func SetText(l *widget.Label, text string) {
	if l.Text != text {
		l.SetText(text)
	}
}

// SetVisible shows or hides o if that is not so already.
func SetVisible(o fyne.CanvasObject, visible bool) {
	switch {
	case visible && !o.Visible():
		o.Show()
	case !visible && o.Visible():
		o.Hide()
	}
}

// SetEnabled says whether b can be pressed, if that is not so already.
func SetEnabled(b *widget.Button, enabled bool) {
	switch {
	case enabled && b.Disabled():
		b.Enable()
	case !enabled && !b.Disabled():
		b.Disable()
	}
}
