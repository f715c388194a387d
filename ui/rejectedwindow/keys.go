package rejectedwindow

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// list is a list that leaves some keys to the window, which does not get them from the toolkit
// while something has the focus.
type list struct {
	widget.List

	key func(*fyne.KeyEvent) bool // reports whether it was one of them
}

func newList(length func() int, fill func(widget.ListItemID, fyne.CanvasObject), key func(*fyne.KeyEvent) bool) *list {
	l := &list{key: key}
	l.Length, l.CreateItem, l.UpdateItem = length, newRow, fill
	l.ExtendBaseWidget(l)
	return l
}

// TypedKey implements [fyne.Focusable].
func (l *list) TypedKey(e *fyne.KeyEvent) {
	if !l.key(e) {
		l.List.TypedKey(e)
	}
}

// FocusGained implements [fyne.Focusable]. It marks no row: the keys go from the one that is
// selected.
func (l *list) FocusGained() {}

// FocusLost implements [fyne.Focusable].
func (l *list) FocusLost() {}

// button is such a button.
type button struct {
	widget.Button

	key func(*fyne.KeyEvent) bool
}

func newButton(text string, tapped func(), key func(*fyne.KeyEvent) bool) *button {
	b := &button{key: key}
	b.Text, b.OnTapped = text, tapped
	b.ExtendBaseWidget(b)
	return b
}

// TypedKey implements [fyne.Focusable].
func (b *button) TypedKey(e *fyne.KeyEvent) {
	if !b.key(e) {
		b.Button.TypedKey(e)
	}
}

// AddShortcuts makes the keys of the window work while nothing has the focus, too: Escape
// closes it, the arrows go through the list, and Delete removes the message that is shown.
func (w *Window) AddShortcuts(c fyne.Canvas) {
	c.SetOnTypedKey(func(e *fyne.KeyEvent) { w.key(e) })
}

func (w *Window) key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape:
		if w.confirm.Visible() {
			w.answered()
		} else if w.o.Close != nil {
			w.o.Close()
		}
	case fyne.KeyDelete:
		w.Remove()
	case fyne.KeyDown:
		w.step(1)
	case fyne.KeyUp:
		w.step(-1)
	default:
		return false
	}
	return true
}

// step shows the next message, or the one before.
func (w *Window) step(by int) {
	i, n := w.index(), len(w.messages)
	switch {
	case n == 0:
		return
	case i < 0:
		i = 0
	default:
		i = min(max(i+by, 0), n-1)
	}
	w.Select(w.messages[i].ID)
	w.list.ScrollTo(i)
}
