// Package welcomewindow has the content of the window that a first start shows: what to
// add to a program so that its records come here, ready to be copied, and whether one has
// come yet.
package welcomewindow

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/ui/model"
)

// Snippet is what one sort of program needs.
type Snippet struct {
	Name string // "Go"
	Hint string // a sentence or two above the code
	Code string
}

// Options are the parts that a [Window] works with. A button whose callback is nil is not
// there.
type Options struct {
	// Snippets are shown on a tab each.
	Snippets []Snippet
	// Problem says why no record can come, such as a port in use; "" if all is well.
	Problem string
	// Copy puts a text into the clipboard; that of the app if nil.
	Copy func(text string)
	// Try makes an error of logbook-tray's own go the way of all records.
	Try func()
	// OpenLog opens the log window, Close closes this one.
	OpenLog, Close func()
}

// Window is the content of the window. It is used on the toolkit's goroutine only.
type Window struct {
	o       Options
	arrived bool

	tabs   *container.AppTabs
	copies []*widget.Button
	state  *widget.Label
	mark   *widget.Icon
	log    *widget.Button
	root   fyne.CanvasObject
}

// New returns the content, waiting for a first record.
func New(o Options) *Window {
	if o.Copy == nil {
		o.Copy = func(text string) { fyne.CurrentApp().Clipboard().SetContent(text) }
	}
	w := &Window{o: o}
	w.build()
	return w
}

// Object returns what is to be put into a window.
func (w *Window) Object() fyne.CanvasObject { return w.root }

// State returns what the window says about the first record.
func (w *Window) State() string { return w.state.Text }

func (w *Window) build() {
	title := widget.NewLabel("Send your first record")
	title.TextStyle.Bold = true
	title.SizeName = theme.SizeNameHeadingText
	hint := widget.NewLabel("Add this to a server, worker or script. When it logs an error, you are told at once; " +
		"a click on the notification shows what led up to it. Your program goes on undisturbed when logbook-tray is not running.")
	hint.Wrapping = fyne.TextWrapWord
	w.tabs = container.NewAppTabs()
	for _, s := range w.o.Snippets {
		w.tabs.Append(container.NewTabItem(s.Name, w.snippet(s)))
	}
	foot := w.foot()
	w.root = container.NewPadded(container.New(layout.NewBorderLayout(nil, foot, nil, nil), container.NewBorder(
		container.NewVBox(title, hint), nil, nil, nil, w.tabs), foot))
}

func (w *Window) snippet(s Snippet) fyne.CanvasObject {
	hint := widget.NewLabel(s.Hint)
	hint.Wrapping = fyne.TextWrapWord
	code := widget.NewLabel(s.Code)
	code.TextStyle.Monospace = true
	code.Selectable = true
	ground := canvas.NewRectangle(theme.Color(theme.ColorNameInputBackground))
	ground.CornerRadius = theme.InputRadiusSize()
	var button *widget.Button
	button = widget.NewButtonWithIcon("Copy", theme.ContentCopyIcon(), func() {
		w.o.Copy(s.Code)
		for _, b := range w.copies {
			b.SetText("Copy")
		}
		button.SetText("Copied")
	})
	button.Importance = widget.HighImportance
	w.copies = append(w.copies, button)
	return container.NewBorder(hint, container.NewHBox(layout.NewSpacer(), button), nil, nil,
		container.NewStack(ground, container.NewScroll(code)))
}

func (w *Window) foot() fyne.CanvasObject {
	w.state = widget.NewLabel("")
	w.state.Wrapping = fyne.TextWrapWord
	w.state.SetText("Waiting for the first record…")
	if w.o.Problem != "" {
		w.state.Importance = widget.DangerImportance
		w.state.SetText(model.Printable(w.o.Problem))
	}
	// No animation: it would cost more than receiving a thousand records a second.
	w.mark = widget.NewIcon(theme.HistoryIcon())
	w.log = widget.NewButtonWithIcon("Open the log window", theme.ListIcon(), w.o.OpenLog)
	w.log.Importance = widget.SuccessImportance
	w.log.Hide()
	buttons := container.NewHBox()
	if w.o.Try != nil {
		buttons.Add(widget.NewButtonWithIcon("Try it without a program", theme.MediaPlayIcon(), w.o.Try))
	}
	buttons.Add(w.log)
	return container.NewBorder(widget.NewSeparator(), nil, w.mark, container.NewCenter(buttons), w.state)
}

// Arrived says that a first record has come: of which channel, and what it says. Later
// ones change nothing.
func (w *Window) Arrived(channel, message string) {
	if w.arrived {
		return
	}
	w.arrived = true
	w.mark.SetResource(theme.NewSuccessThemedResource(theme.ConfirmIcon()))
	w.state.Importance = widget.SuccessImportance
	w.state.TextStyle.Bold = true
	if channel != "" {
		channel = " of " + channel
	}
	w.state.SetText("It works: a record" + short(channel) + " has come: " + short(message))
	if w.o.OpenLog != nil {
		w.log.Show()
	}
}

// AddShortcuts makes Escape close the window.
func (w *Window) AddShortcuts(c fyne.Canvas) {
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyEscape && w.o.Close != nil {
			w.o.Close()
		}
	})
}

// maxText bounds what is shown of a record, in runes.
const maxText = 120

func short(s string) string {
	runes := []rune(model.Printable(s))
	if len(runes) > maxText {
		runes = append(runes[:maxText], '…')
	}
	return string(runes)
}
