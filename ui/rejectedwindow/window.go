// Package rejectedwindow has the content of the window that shows messages that came in and
// are no records: when, why, and what was in them. They can be read again, and removed.
package rejectedwindow

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

// Message is a message that is no record. Its texts are harmless to show.
type Message struct {
	ID             uint64
	Time           time.Time
	Reason, Detail string
	Peer           string // "" where it is not known
	Size           string // such as "20 bytes"
	Start          string // how it begins, on one line
}

// Result says what became of messages that were read again.
type Result struct {
	Records int    // how many are records now
	Failed  int    // how many are still none
	Error   string // of one of these
}

// Options connect a [Window] to the program. All but Copy, Close and Now are required. List,
// Body, Retry and Remove are called from goroutines of [Window.Run], and may block.
type Options struct {
	// Source is the name of the source that the messages are of.
	Source string
	// List returns the messages, newest first.
	List func() []Message
	// Body returns what a message looks like, in lines, and whole or its beginning.
	Body func(id uint64) (string, error)
	// Retry reads a message again, or with id 0 all of them.
	Retry func(ctx context.Context, id uint64) Result
	// Remove removes a message, or with id 0 all of them.
	Remove func(id uint64) error
	// Dispatch runs a function on the toolkit's goroutine, later.
	Dispatch func(func())
	// Copy puts a text into the clipboard; that of the app if nil.
	Copy func(text string)
	// Close closes the window.
	Close func()
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// interval is how often the window is brought up to date.
const interval = time.Second

// maxText bounds what is laid out of a message, in bytes; copying has the rest.
const maxText = 20_000

// Window is the content of the window. But for [Window.Run], it is used on the toolkit's
// goroutine only.
type Window struct {
	o    Options
	work chan func(context.Context) // carried out by Run

	messages []Message
	selected uint64 // the ID of the message that is shown; 0: none
	body     string // all of it
	busy     bool

	summary, remark           *widget.Label // remark: a hint, or what came of the last button
	said                      string        // what came of the last button; "" is nothing
	list                      *list
	empty                     *widget.Label
	head                      *fyne.Container
	all, confirm              *fyne.Container // of which one is there
	retryAll, clear           *widget.Button
	really, keep              *button
	why, about                *widget.Label // of the message that is shown
	retry, copyButton, remove *widget.Button
	text                      *widget.Label
	scroll                    *container.Scroll
	root                      fyne.CanvasObject
}

// New returns the content. It is filled by [Window.Run].
func New(o Options) *Window {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Copy == nil {
		o.Copy = func(text string) { fyne.CurrentApp().Clipboard().SetContent(text) }
	}
	w := &Window{o: o, work: make(chan func(context.Context), 8)}
	w.build()
	w.say("", false)
	w.Update(nil)
	return w
}

// Object returns what is to be put into a window.
func (w *Window) Object() fyne.CanvasObject { return w.root }

// List returns what should have the focus first.
func (w *Window) List() fyne.Focusable { return w.list }

// Run keeps the window up to date and carries out what its buttons ask for, until ctx ends.
// It belongs on a goroutine of its own.
func (w *Window) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var work sync.WaitGroup
	defer work.Wait()
	w.refresh()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-w.work:
			work.Go(func() { f(ctx) })
		case <-tick.C:
			w.refresh()
		}
	}
}

func (w *Window) refresh() {
	messages := w.o.List()
	w.o.Dispatch(func() { w.Update(messages) })
}

// do has f carried out by Run, one at a time. What f returns is done on the toolkit's
// goroutine when the list is up to date.
func (w *Window) do(f func(context.Context) func()) {
	if w.busy {
		return
	}
	select {
	case w.work <- func(ctx context.Context) {
		then := f(ctx)
		messages := w.o.List()
		w.o.Dispatch(func() {
			w.busy = false
			w.Update(messages)
			then()
		})
	}:
		w.busy = true
		w.enable()
	default: // Run is not there
	}
}

func (w *Window) build() {
	w.summary, w.remark = newLine(), newLine()
	w.summary.TextStyle.Bold = true
	w.retryAll = widget.NewButtonWithIcon("Retry all", theme.ViewRefreshIcon(), func() { w.Retry(0) })
	w.clear = widget.NewButtonWithIcon("Clear", theme.DeleteIcon(), w.Clear)
	w.all = container.NewHBox(w.retryAll, w.clear)
	w.really = newButton("", w.removeAll, w.key)
	w.really.Importance = widget.DangerImportance
	w.keep = newButton("Keep them", w.answered, w.key)
	w.confirm = container.NewHBox(w.really, w.keep)
	w.confirm.Hide()
	w.head = container.NewVBox(
		container.NewBorder(nil, nil, nil, container.NewStack(w.all, w.confirm), w.summary), w.remark, widget.NewSeparator())

	w.list = newList(func() int { return len(w.messages) }, w.fillRow, w.key)
	w.list.OnSelected = func(i widget.ListItemID) {
		if i < len(w.messages) {
			w.Select(w.messages[i].ID)
		}
	}
	w.empty = widget.NewLabel("No rejected messages are kept.")
	w.empty.Importance = widget.LowImportance

	split := container.NewVSplit(container.NewStack(w.list, container.NewCenter(w.empty)), w.buildDetail())
	split.Offset = 0.45
	// The order of the objects is that of the Tab key.
	w.root = container.NewPadded(container.New(layout.NewBorderLayout(w.head, nil, nil, nil), w.head, split))
}

// buildDetail makes the part for one message.
func (w *Window) buildDetail() fyne.CanvasObject {
	w.why, w.about = newLine(), newLine()
	w.why.TextStyle.Bold = true
	w.about.Importance = widget.LowImportance
	w.retry = widget.NewButtonWithIcon("Retry", theme.ViewRefreshIcon(), func() { w.Retry(w.selected) })
	w.copyButton = widget.NewButtonWithIcon("Copy", theme.ContentCopyIcon(), func() { w.o.Copy(w.body) })
	w.remove = widget.NewButtonWithIcon("Remove", theme.DeleteIcon(), w.Remove)
	w.text = widget.NewLabel("")
	w.text.TextStyle.Monospace = true
	w.text.Wrapping = fyne.TextWrapBreak
	w.text.Selectable = true
	w.scroll = container.NewVScroll(w.text)
	head := container.NewVBox(w.why, container.NewBorder(nil, nil, nil, container.NewHBox(w.retry, w.copyButton, w.remove), w.about))
	return container.New(layout.NewBorderLayout(head, nil, nil, nil), head, w.scroll)
}

// newLine returns a label of one line, as wide as there is room.
func newLine() *widget.Label {
	l := widget.NewLabel("")
	l.Truncation = fyne.TextTruncateEllipsis
	return l
}

func newRow() fyne.CanvasObject {
	l := newLine()
	l.TextStyle.Monospace = true
	return l
}

func (w *Window) fillRow(i widget.ListItemID, o fyne.CanvasObject) {
	l, ok := o.(*widget.Label)
	if !ok || i >= len(w.messages) {
		return
	}
	if text := w.line(w.messages[i]); l.Text != text {
		l.SetText(text)
	}
}

// line returns a message as it is listed: of today, its time alone.
func (w *Window) line(m Message) string {
	at, now := m.Time.Local(), w.o.Now().Local()
	format := "01-02 15:04"
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		format = time.TimeOnly
	}
	return fmt.Sprintf("%-11s  %-13s  %s", at.Format(format), m.Reason, m.Start)
}

// Update shows a list.
func (w *Window) Update(messages []Message) {
	same := len(messages) == len(w.messages) && (len(messages) == 0 || messages[0].ID == w.messages[0].ID)
	w.messages = messages
	noun := "rejected messages"
	if len(messages) == 1 {
		noun = "rejected message"
	}
	style.SetText(w.summary, fmt.Sprintf("%s %s of %s", model.Number(len(messages)), noun, model.Printable(w.o.Source)))
	style.SetVisible(w.empty, len(messages) == 0)
	if !same {
		w.list.Refresh()
		w.mark()
	}
	if w.index() < 0 {
		w.show(Message{}, "")
	}
	if len(messages) == 0 {
		w.answered()
	}
	w.enable()
}

// index returns where the message that is shown is in the list; -1 if it is not there.
func (w *Window) index() int {
	for i, m := range w.messages {
		if m.ID == w.selected {
			return i
		}
	}
	return -1
}

// mark marks the message that is shown, which may have got another place in the list.
func (w *Window) mark() {
	chosen := w.list.OnSelected
	w.list.OnSelected = nil
	if i := w.index(); i >= 0 {
		w.list.Select(i)
	} else {
		w.list.UnselectAll()
	}
	w.list.OnSelected = chosen
}

// enable lets those buttons be pressed that make sense.
func (w *Window) enable() {
	for _, b := range []*widget.Button{w.retryAll, w.clear, &w.really.Button} {
		style.SetEnabled(b, !w.busy && len(w.messages) > 0)
	}
	for _, b := range []*widget.Button{w.retry, w.remove} {
		style.SetEnabled(b, !w.busy && w.selected != 0)
	}
	style.SetEnabled(w.copyButton, w.selected != 0)
}

// Select shows a message.
func (w *Window) Select(id uint64) {
	if id == w.selected {
		return
	}
	w.selected = id
	w.mark()
	i := w.index()
	if i < 0 {
		return
	}
	m := w.messages[i]
	w.show(m, "")
	select {
	case w.work <- func(context.Context) {
		body, err := w.o.Body(id)
		w.o.Dispatch(func() {
			if w.selected != id {
				return // another one meanwhile
			}
			if err != nil {
				w.say(err.Error(), true)
				return
			}
			w.show(m, body)
		})
	}:
	default: // Run is not there
	}
}

// maxLine is how long a line is laid out: the time that takes grows with its square.
const maxLine = 200

// broken breaks lines that are longer than maxLine.
func broken(text string) string {
	var out strings.Builder
	n := 0
	for _, r := range text {
		if n++; r == '\n' {
			n = 0
		} else if n > maxLine {
			out.WriteByte('\n')
			n = 1
		}
		out.WriteRune(r)
	}
	return out.String()
}

// show shows what is known about a message, with ID 0 that there is none, and its body.
func (w *Window) show(m Message, body string) {
	w.selected, w.body = m.ID, body
	var why, about string
	switch {
	case m.ID != 0:
		why = m.Reason
		if m.Detail != "" {
			why += ": " + m.Detail
		}
		parts := []string{m.Time.Local().Format(time.DateTime), m.Size}
		if m.Peer != "" {
			parts = append(parts, "from "+m.Peer)
		}
		about = strings.Join(parts, "  ·  ")
	case len(w.messages) > 0:
		about = "Select a message to see all of it."
	}
	style.SetText(w.why, why)
	style.SetText(w.about, about)
	if rest := len(body) - maxText; rest > 0 {
		body = strings.ToValidUTF8(body[:maxText], "") + fmt.Sprintf("\n… %s more bytes: copy the message, or see logbook-tray rejected show %d",
			model.Number(rest), m.ID)
	}
	body = broken(body)
	if w.text.Text != body {
		w.text.SetText(body)
		w.scroll.ScrollToTop()
	}
	w.enable()
}

// Retry reads a message again, or with id 0 all of them, as the buttons do.
func (w *Window) Retry(id uint64) {
	w.do(func(ctx context.Context) func() {
		r := w.o.Retry(ctx, id)
		return func() { w.say(r.text(), r.Failed > 0) }
	})
}

func (r Result) text() string {
	var parts []string
	switch {
	case r.Records == 1:
		parts = append(parts, "1 message is a record now")
	case r.Records > 1:
		parts = append(parts, model.Number(r.Records)+" messages are records now")
	}
	switch {
	case r.Failed == 1:
		parts = append(parts, "still no record: "+model.Printable(r.Error))
	case r.Failed > 1:
		parts = append(parts, model.Number(r.Failed)+" are still none, one of them because: "+model.Printable(r.Error))
	}
	return strings.Join(parts, "; ")
}

// hint is shown while there is nothing else to be said.
const hint = "A retry makes records of those that their source can read now, with another dialect or map."

// say shows what came of a button; "" is nothing.
func (w *Window) say(text string, failed bool) {
	w.said = text
	importance := widget.SuccessImportance
	switch {
	case text == "":
		text, importance = hint, widget.LowImportance
	case failed:
		importance = widget.WarningImportance
	}
	if w.remark.Importance != importance {
		w.remark.Importance = importance
		w.remark.Refresh()
	}
	style.SetText(w.remark, text)
}

// Remove removes the message that is shown. The next one is shown then.
func (w *Window) Remove() {
	id, i := w.selected, w.index()
	if id == 0 || i < 0 {
		return
	}
	w.do(func(context.Context) func() {
		err := w.o.Remove(id)
		return func() {
			if err != nil {
				w.say(err.Error(), true)
				return
			}
			w.say("", false)
			if n := len(w.messages); n > 0 {
				w.Select(w.messages[min(i, n-1)].ID)
			}
		}
	})
}

// Clear asks whether all messages are to be removed, as its button does.
func (w *Window) Clear() {
	if len(w.messages) == 0 {
		return
	}
	text := "Remove all " + model.Number(len(w.messages))
	if len(w.messages) == 1 {
		text = "Remove it"
	}
	w.really.SetText(text)
	w.all.Hide()
	w.confirm.Show()
	w.head.Refresh() // the buttons have another width
	if c := fyne.CurrentApp().Driver().CanvasForObject(w.keep); c != nil {
		c.Focus(w.keep)
	}
}

// answered takes the question away.
func (w *Window) answered() {
	style.SetVisible(w.confirm, false)
	style.SetVisible(w.all, true)
}

// removeAll removes all messages.
func (w *Window) removeAll() {
	w.answered()
	n := len(w.messages)
	w.do(func(context.Context) func() {
		err := w.o.Remove(0)
		return func() {
			if err != nil {
				w.say(err.Error(), true)
				return
			}
			w.say("removed: "+model.Number(n), false)
		}
	})
}

// Lines returns what is shown, for tests and for those who ask the program what it shows:
// the summary, what came of the last button if it is there, and one text for each message.
func (w *Window) Lines() []string {
	out := []string{w.summary.Text}
	if w.said != "" {
		out = append(out, w.said)
	}
	for _, m := range w.messages {
		out = append(out, w.line(m))
	}
	return out
}

// Shown returns what is shown of the message that is selected: why it is no record, what else
// is known about it, and its body.
func (w *Window) Shown() (why, about, body string) { return w.why.Text, w.about.Text, w.text.Text }
