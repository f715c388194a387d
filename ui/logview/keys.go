package logview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// FocusGained is called by Fyne.
func (v *View) FocusGained() {
	v.focused = true
	v.repaint()
}

// FocusLost is called by Fyne.
func (v *View) FocusLost() {
	v.focused, v.shift = false, false
	v.repaint()
}

// KeyDown is called by Fyne; it tells of the shift key, which TypedKey does not.
func (v *View) KeyDown(e *fyne.KeyEvent) {
	if e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight {
		v.shift = true
	}
}

// KeyUp is called by Fyne.
func (v *View) KeyUp(e *fyne.KeyEvent) {
	if e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight {
		v.shift = false
	}
}

// TypedRune is called by Fyne; the view takes no text.
func (v *View) TypedRune(rune) {}

// sideStep is by how many cells the arrow keys scroll messages.
const sideStep = 8

// TypedKey moves the cursor, with the shift key extending the selection, opens a
// row (Enter), looks for what is marked (F3) and follows (End).
func (v *View) TypedKey(e *fyne.KeyEvent) {
	page := max(v.geometry().full-1, 1)
	switch e.Name {
	case fyne.KeyUp:
		v.step(-1)
	case fyne.KeyDown:
		v.step(1)
	case fyne.KeyPageUp:
		v.step(-page)
	case fyne.KeyPageDown:
		v.step(page)
	case fyne.KeyHome:
		v.step(-v.rows.Len())
	case fyne.KeyEnd:
		v.end()
	case fyne.KeyLeft:
		v.scrollSide(-sideStep)
	case fyne.KeyRight:
		v.scrollSide(sideStep)
	case fyne.KeyReturn, fyne.KeyEnter:
		if r := v.Current(); r != nil && v.OnOpen != nil {
			v.OnOpen(r)
		}
	case fyne.KeyF3:
		if v.shift {
			v.FindPrevious()
		} else {
			v.FindNext()
		}
	default:
		if v.OnKey != nil {
			v.OnKey(e.Name)
		}
	}
}

// step moves the cursor by a number of rows; without a cursor it comes to the
// edge of what is in sight.
func (v *View) step(rows int) {
	n := v.rows.Len()
	if n == 0 {
		return
	}
	row, ok := v.cursorRow()
	switch {
	case ok:
		row += rows
	case rows > 0:
		row = v.top
	default:
		row = min(v.top+max(v.geometry().full, 1), n) - 1
		if rows <= -n {
			row = 0
		}
	}
	v.follow(false)
	v.moveTo(max(min(row, n-1), 0), v.shift)
}

// end goes to the last row and follows from there, or extends the selection to
// it.
func (v *View) end() {
	if n := v.rows.Len(); n > 0 && v.shift {
		v.follow(false)
		v.moveTo(n-1, true)
		return
	}
	v.SetFollowing(true)
}

// TypedShortcut copies and selects.
func (v *View) TypedShortcut(s fyne.Shortcut) {
	switch s := s.(type) {
	case *fyne.ShortcutCopy:
		v.CopyText()
		return
	case *fyne.ShortcutSelectAll:
		v.selection.All(v.rows)
		v.repaint()
		return
	case *desktop.CustomShortcut:
		if s.KeyName == fyne.KeyC && s.Modifier == fyne.KeyModifierShortcutDefault|fyne.KeyModifierShift {
			v.CopyJSON()
			return
		}
	}
	if v.OnShortcut != nil {
		v.OnShortcut(s)
	}
}
