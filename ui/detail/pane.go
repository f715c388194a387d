// Package detail has the pane that shows everything about one record.
package detail

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// What is laid out is bounded; copying has everything.
const (
	maxText   = 20_000 // characters of one text
	maxFrames = 200    // lines of a traceback
)

// Options are the parts that a [Pane] works with.
type Options struct {
	// Text, JSON and Markdown return what the buttons copy; [model.Text],
	// [model.JSON] and [model.Markdown] if nil.
	Text, JSON, Markdown func(*core.Record) string
	// Copy puts a text into the clipboard; that of the app if nil.
	Copy func(text string)
	// OpenEditor opens a place in the source; if it is nil, places are shown as
	// text.
	OpenEditor func(core.Site)
	// Close hides the pane; without it there is no such button.
	Close func()
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// Pane shows one record. It is used on the goroutine of the user interface only.
type Pane struct {
	options Options
	root    *fyne.Container
	scroll  *container.Scroll
	body    *fyne.Container // main and side
	main    *fyne.Container // what happened
	side    *fyne.Container // what is known about it
	buttons *fyne.Container
	record  *core.Record
	wrap    bool
}

// New returns a pane without a record.
func New(o Options) *Pane {
	if o.Text == nil {
		o.Text = model.Text
	}
	if o.JSON == nil {
		o.JSON = model.JSON
	}
	if o.Markdown == nil {
		o.Markdown = model.Markdown
	}
	if o.Copy == nil {
		o.Copy = func(text string) { fyne.CurrentApp().Clipboard().SetContent(text) }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Pane{options: o, wrap: true, main: container.New(&tight{}), side: container.New(&tight{})}
	p.body = container.New(&sideBySide{}, p.main, p.side)
	p.scroll = container.NewScroll(p.body)
	p.scroll.Direction = container.ScrollVerticalOnly
	p.buttons = container.NewHBox(
		p.copyButton("Copy text", p.options.Text),
		p.copyButton("JSON", p.options.JSON),
		p.copyButton("Markdown", p.options.Markdown),
		layout.NewSpacer(),
		p.wrapSwitch(),
	)
	if o.Close != nil {
		p.buttons.Add(&widget.Button{Icon: theme.CancelIcon(), Importance: widget.LowImportance, OnTapped: o.Close})
	}
	p.root = container.NewBorder(container.NewVBox(p.buttons, widget.NewSeparator()), nil, nil, nil, p.scroll)
	p.Show(nil)
	return p
}

func (p *Pane) wrapSwitch() *widget.Check {
	c := widget.NewCheck("Wrap lines", p.SetWrap)
	c.Checked = true
	return c
}

func (p *Pane) copyButton(label string, format func(*core.Record) string) *widget.Button {
	b := widget.NewButton(label, func() {
		if p.record != nil {
			p.options.Copy(format(p.record))
		}
	})
	b.Importance = widget.LowImportance
	if label == "Copy text" {
		b.Icon = theme.ContentCopyIcon()
	}
	return b
}

// Object returns what is to be put into a window.
func (p *Pane) Object() fyne.CanvasObject { return p.root }

// Record returns the record that is shown, nil if there is none.
func (p *Pane) Record() *core.Record { return p.record }

// SetWrap says whether long lines are wrapped; if not, the pane scrolls
// sideways.
func (p *Pane) SetWrap(wrap bool) {
	if wrap == p.wrap {
		return
	}
	p.wrap = wrap
	p.scroll.Direction = container.ScrollVerticalOnly
	if !wrap {
		p.scroll.Direction = container.ScrollBoth
	}
	p.fill()
}

// Show shows a record; nil shows that there is none.
func (p *Pane) Show(r *core.Record) {
	if r != nil && r == p.record {
		return
	}
	p.record = r
	p.fill()
	p.scroll.ScrollToTop()
}

func (p *Pane) fill() {
	p.main.RemoveAll()
	p.side.RemoveAll()
	p.buttons.Hidden = p.record == nil
	if r := p.record; r == nil {
		hint := widget.NewLabel("Select a record to see all of it.")
		hint.Importance, hint.Wrapping = widget.LowImportance, fyne.TextWrapWord
		p.main.Add(hint)
	} else {
		p.addHead(r)
		p.addException(r.Exception)
		p.addValues("Extra", model.FlattenFields(r.Extra))
		p.addValues("Arguments", append(model.FlattenArgs(r.Args), model.FlattenFields(r.Kwargs)...))
		p.addRecord(r)
	}
	p.scroll.Refresh()
}

// addHead shows level and channel, and the whole message.
func (p *Pane) addHead(r *core.Record) {
	p.main.Add(container.NewHBox(newBadge(r.Level), p.label(r.Channel, fyne.TextStyle{Bold: true}, fyne.TextWrapOff)))
	message := r.Message()
	if message == "" && r.Exception != nil {
		message = model.Summarize(r).Line
	}
	p.main.Add(p.text(message))
}

// addException shows the exception; its traceback is there to be clicked.
func (p *Pane) addException(e *core.Exception) {
	if e == nil {
		return
	}
	name := model.Printable(e.Name)
	if e.Message != "" {
		name += ": " + model.Printable(e.Message)
	}
	p.main.Add(heading("Exception"))
	title := p.text(name)
	title.Importance = widget.DangerImportance
	p.main.Add(title)
	if e.Traceback == "" {
		return
	}
	p.main.Add(p.traceback(e.Traceback))
}

// traceback is one block of text for every run of lines without a place, and one
// link for every line with a place.
func (p *Pane) traceback(text string) fyne.CanvasObject {
	box := container.New(&tight{})
	lines := model.ParseTraceback(text)
	if cut := len(lines) - maxFrames; cut > 0 { // the innermost calls are at the end
		lines = append([]model.TraceLine{{Text: "… " + strconv.Itoa(cut) + " lines left out"}}, lines[cut:]...)
	}
	plain := ""
	flush := func() {
		if plain != "" {
			label := p.label(plain, fyne.TextStyle{Monospace: true}, p.wrapping())
			box.Add(label)
			plain = ""
		}
	}
	for _, l := range lines {
		if l.Site.File == "" || p.options.OpenEditor == nil {
			if plain != "" {
				plain += "\n"
			}
			plain += l.Text
			continue
		}
		flush()
		box.Add(newSiteLink(l.Text, l.Site, p.options.OpenEditor))
	}
	flush()
	return box
}

func heading(text string) fyne.CanvasObject {
	label := widget.NewLabel(text)
	label.TextStyle.Bold = true
	label.Importance = widget.LowImportance
	return container.New(layout.NewCustomPaddedLayout(theme.InnerPadding(), 0, 0, 0), label)
}

// addValues shows a table of names and values, nested ones indented.
func (p *Pane) addValues(title string, values []model.NamedValue) {
	if len(values) == 0 {
		return
	}
	p.side.Add(heading(title))
	p.side.Add(p.table(values))
}

// addRecord shows where the record comes from.
func (p *Pane) addRecord(r *core.Record) {
	p.side.Add(heading("Record"))
	values := model.Describe(r, p.options.Now())
	grid := p.table(values)
	if site := r.Caller(); site.File != "" && p.options.OpenEditor != nil {
		link := newSiteLink("Open in editor", site, p.options.OpenEditor)
		grid.Add(widget.NewLabel(""))
		grid.Add(link)
	}
	p.side.Add(grid)
}

func (p *Pane) table(values []model.NamedValue) *fyne.Container {
	grid := container.New(&twoColumns{})
	for _, v := range values {
		name := widget.NewLabel(indentation(v.Depth) + v.Name)
		name.Importance = widget.LowImportance
		grid.Add(name)
		grid.Add(p.label(v.Value, fyne.TextStyle{Monospace: true}, p.wrapping()))
	}
	return grid
}

func indentation(depth int) string {
	const blanks = "                    "
	return blanks[:min(depth*2, len(blanks))]
}

func (p *Pane) wrapping() fyne.TextWrap {
	if p.wrap {
		return fyne.TextWrapBreak
	}
	return fyne.TextWrapOff
}

func (p *Pane) text(s string) *widget.Label {
	return p.label(s, fyne.TextStyle{Monospace: true}, p.wrapping())
}

// label is a text that can be selected; it never shows control characters.
func (p *Pane) label(s string, textStyle fyne.TextStyle, wrap fyne.TextWrap) *widget.Label {
	if len(s) > maxText {
		s = cut(s, maxText) + "\n… " + model.Number(len(s)-maxText) + " more bytes: copy the record to have them"
	}
	l := widget.NewLabel(model.Printable(s))
	l.Selectable, l.TextStyle, l.Wrapping = true, textStyle, wrap
	return l
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	for i := range s {
		if i > n-4 {
			return s[:i]
		}
	}
	return s
}
