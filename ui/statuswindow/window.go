// Package statuswindow has the content of the window that tells how the program is:
// where records come from, what each handler of the stack did with them, what does not
// work and why. Each handler can be tried there with a button.
package statuswindow

import (
	"context"
	"fmt"
	"slices"
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

// State is what the window shows.
type State struct {
	// Summary is a sentence about the whole program, Problem one about what does not
	// work; "" if all is well.
	Summary, Problem string
	// Config is the path of the configuration file.
	Config string
	// Sources are where records come from, Handlers the stack, top first, inner ones
	// behind the outer.
	Sources, Handlers []Part
}

// Part is a source or a handler.
type Part struct {
	Name, Type string
	Depth      int // 1 for a handler inside of another
	Condition  Condition
	State      string // the condition in a word or two
	Detail     string // a remark, such as the address that is bound
	Error      string // what went wrong last
	Counters   []Counter
	Peers      []string
	// Rejected says how many messages of a source were no records, and why; Kept that some
	// of them are kept, and can be shown with the button.
	Rejected string
	Kept     bool
	// Testable says that there is something to be tried with the button.
	Testable bool
}

// Counter is a number with its name.
type Counter struct {
	Name  string
	Value uint64
}

// Condition says how much attention a part needs.
type Condition uint8

// The conditions.
const (
	Good    Condition = iota
	Waiting           // nobody there yet, trying again
	Bad
)

// Options connect a [Window] to the program. A button whose callback is nil is not there.
type Options struct {
	// State returns what to show. It is called from goroutines of [Window.Run].
	State func() State
	// Dispatch runs a function on the toolkit's goroutine, later.
	Dispatch func(func())
	// Test sends a record to one handler alone, waits until it is delivered, and
	// returns what went wrong. It is called from a goroutine of the window.
	Test func(ctx context.Context, handler string) error
	// ShowRejected shows the messages of a source that were no records.
	ShowRejected func(source string)
	// Reload reads the configuration again; the error lists the mistakes. It is called
	// from a goroutine of the window.
	Reload func(context.Context) error
	// OpenConfig opens the configuration file in an editor, Close closes the window.
	OpenConfig, Close func()
	// Now is the clock; time.Now if nil.
	Now func() time.Time
}

// How often the window is brought up to date, and how long a test may take.
const (
	interval = time.Second
	testTime = 30 * time.Second
)

// The columns.
const (
	nameColumn     = 1
	countersColumn = 4
)

// Window is the content of the status window. But for [Window.Run], it is used on the
// toolkit's goroutine only.
type Window struct {
	o    Options
	work chan func(context.Context) // carried out by Run

	state   State
	shape   string // of the lines that are there
	sources []*row
	stack   []*row
	tests   map[string]*trial

	summary, problem, config *widget.Label
	reload                   *widget.Button
	body                     *fyne.Container
	scroll                   *container.Scroll
	root                     fyne.CanvasObject
}

// trial is the last test of a handler.
type trial struct {
	running bool
	text    string
	failed  bool
}

// row are the widgets of a part.
type row struct {
	mark, name, kind, state, counters *widget.Label
	button                            *widget.Button // nil: nothing to test, nothing to be shown
	note, failure                     *widget.Label
}

// New returns the content. It shows a first state at once.
func New(o Options) *Window {
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Window{o: o, work: make(chan func(context.Context), 8), tests: map[string]*trial{}}
	w.build()
	w.Update(o.State())
	return w
}

// Object returns what is to be put into a window.
func (w *Window) Object() fyne.CanvasObject { return w.root }

// Run keeps the window up to date and carries out what its buttons ask for, until ctx
// ends. It belongs on a goroutine of its own.
func (w *Window) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var work sync.WaitGroup
	defer work.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-w.work:
			work.Go(func() {
				f(ctx)
				w.refresh()
			})
		case <-tick.C:
			w.refresh()
		}
	}
}

func (w *Window) refresh() {
	state := w.o.State()
	w.o.Dispatch(func() { w.Update(state) })
}

// do has f carried out by Run. It reports false if Run is not there to take it.
func (w *Window) do(f func(context.Context)) bool {
	select {
	case w.work <- f:
		return true
	default:
		return false
	}
}

func (w *Window) build() {
	w.summary = widget.NewLabel("")
	w.summary.TextStyle.Bold = true
	w.summary.Truncation = fyne.TextTruncateEllipsis
	w.config = widget.NewLabel("")
	w.config.Importance = widget.LowImportance
	w.config.Truncation = fyne.TextTruncateEllipsis
	w.problem = widget.NewLabel("")
	w.problem.Importance = widget.DangerImportance
	w.problem.Wrapping = fyne.TextWrapWord
	w.problem.Hide()
	buttons := container.NewHBox()
	if w.o.OpenConfig != nil {
		buttons.Add(widget.NewButtonWithIcon("Open configuration", theme.DocumentIcon(), w.o.OpenConfig))
	}
	if w.o.Reload != nil {
		w.reload = widget.NewButtonWithIcon("Reload", theme.ViewRefreshIcon(), w.Reload)
		buttons.Add(w.reload)
	}
	head := container.NewVBox(
		container.NewBorder(nil, nil, nil, container.NewCenter(buttons), container.NewVBox(w.summary, w.config)),
		w.problem, widget.NewSeparator(),
	)
	w.body = container.NewWithoutLayout()
	w.scroll = container.NewVScroll(w.body)
	// The order of the objects is that of the Tab key.
	w.root = container.NewPadded(container.New(layout.NewBorderLayout(head, nil, nil, nil), head, w.scroll))
}

// AddShortcuts makes Escape close the window and F5 read the configuration again.
func (w *Window) AddShortcuts(c fyne.Canvas) {
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		switch {
		case e.Name == fyne.KeyEscape && w.o.Close != nil:
			w.o.Close()
		case e.Name == fyne.KeyF5:
			w.Reload()
		}
	})
}

// Update shows a state.
func (w *Window) Update(s State) {
	w.state = s
	style.SetText(w.summary, s.Summary)
	style.SetText(w.config, "Configuration: "+model.Printable(s.Config))
	style.SetText(w.problem, model.Printable(s.Problem))
	style.SetVisible(w.problem, s.Problem != "")
	if shape := shapeOf(s); shape != w.shape {
		w.shape = shape
		w.rebuild()
	}
	for i, p := range s.Sources {
		w.fill(w.sources[i], p)
	}
	for i, p := range s.Handlers {
		w.fill(w.stack[i], p)
	}
	w.body.Refresh()
	w.scroll.Refresh()
}

// shapeOf is the same for states that are shown with the same widgets.
func shapeOf(s State) string {
	var b strings.Builder
	for _, p := range slices.Concat(s.Sources, []Part{{}}, s.Handlers) {
		fmt.Fprintf(&b, "%q %q %d %v %v\n", p.Name, p.Type, p.Depth, p.Testable, p.Kept)
	}
	return b.String()
}

// rebuild makes the lines anew.
func (w *Window) rebuild() {
	t := &table{stretch: countersColumn}
	w.sources, w.stack = nil, nil
	t.lines = append(t.lines, heading("Where records come from"))
	for _, p := range w.state.Sources {
		w.sources = append(w.sources, w.add(t, p))
	}
	if len(w.state.Sources) == 0 {
		t.lines = append(t.lines, remark("Nothing: the configuration has neither listen nor subscribe."))
	}
	t.lines = append(t.lines, heading("The stack of handlers, top first"))
	for _, p := range w.state.Handlers {
		w.stack = append(w.stack, w.add(t, p))
	}
	if len(w.state.Handlers) == 0 {
		t.lines = append(t.lines, remark("Nothing but the log window: the configuration has no handlers."))
	}
	w.body.Layout = t
	w.body.Objects = t.objects()
}

func heading(text string) line {
	l := widget.NewLabel(text)
	l.TextStyle.Bold = true
	l.SizeName = theme.SizeNameSubHeadingText
	return line{across: l}
}

func remark(text string) line {
	l := widget.NewLabel(text)
	l.Importance = widget.LowImportance
	return line{across: l, indent: 1}
}

// add adds the lines of a part.
func (w *Window) add(t *table, p Part) *row {
	r := &row{
		mark: widget.NewLabel(""), name: widget.NewLabel(""), kind: widget.NewLabel(""), state: widget.NewLabel(""),
		counters: widget.NewLabel(""), note: widget.NewLabel(""), failure: widget.NewLabel(""),
	}
	r.name.TextStyle.Bold = true
	r.kind.Importance, r.note.Importance = widget.LowImportance, widget.LowImportance
	r.failure.Importance = widget.DangerImportance
	r.counters.Truncation = fyne.TextTruncateEllipsis
	r.note.Truncation = fyne.TextTruncateEllipsis
	r.failure.Wrapping = fyne.TextWrapWord
	cells := []fyne.CanvasObject{r.mark, r.name, r.kind, r.state, r.counters}
	switch {
	case p.Testable && w.o.Test != nil:
		r.button = widget.NewButton("Test", func() { w.Test(p.Name) })
		cells = append(cells, r.button)
	case p.Kept && w.o.ShowRejected != nil:
		r.button = widget.NewButton("Show rejected", func() { w.o.ShowRejected(p.Name) })
		cells = append(cells, r.button)
	default:
		cells = append(cells, container.NewWithoutLayout())
	}
	t.lines = append(t.lines,
		line{cells: cells, indent: p.Depth},
		line{across: r.note, indent: p.Depth + 2},
		line{across: r.failure, indent: p.Depth + 2})
	return r
}

// fill shows a part.
func (w *Window) fill(r *row, p Part) {
	importance := map[Condition]widget.Importance{Good: widget.SuccessImportance, Waiting: widget.WarningImportance, Bad: widget.DangerImportance}[p.Condition]
	for _, l := range []*widget.Label{r.mark, r.state} {
		if l.Importance != importance {
			l.Importance = importance
			l.Refresh()
		}
	}
	style.SetText(r.mark, "●")
	style.SetText(r.name, model.Printable(p.Name))
	style.SetText(r.kind, p.Type)
	style.SetText(r.state, p.State)
	style.SetText(r.counters, counterText(p.Counters))
	notes := slices.DeleteFunc(slices.Concat([]string{p.Detail, p.Rejected}, p.Peers), func(s string) bool { return s == "" })
	failure := p.Error
	if t := w.tests[p.Name]; t != nil && p.Testable {
		if t.failed {
			failure = strings.TrimPrefix(failure+"\n"+t.text, "\n")
		} else {
			notes = append(notes, t.text)
		}
		style.SetEnabled(r.button, !t.running)
	}
	style.SetText(r.note, model.Printable(strings.Join(notes, "  ·  ")))
	style.SetVisible(r.note, len(notes) > 0)
	style.SetText(r.failure, model.Printable(failure))
	style.SetVisible(r.failure, failure != "")
}

// counterText lists counters that are not zero.
func counterText(counters []Counter) string {
	var parts []string
	for _, c := range counters {
		if c.Value > 0 {
			parts = append(parts, c.Name+" "+model.Number(c.Value))
		}
	}
	if len(parts) == 0 {
		return "nothing yet"
	}
	return strings.Join(parts, "  ·  ")
}

// Test tries a handler, as its button does.
func (w *Window) Test(name string) {
	if t := w.tests[name]; w.o.Test == nil || t != nil && t.running {
		return
	}
	t := &trial{running: true, text: "testing…"}
	w.tests[name] = t
	if !w.do(func(ctx context.Context) { w.try(ctx, name, t) }) {
		*t = trial{text: "the window is not ready: try again", failed: true}
	}
	w.Update(w.state)
}

// try tests a handler on the goroutine of Run.
func (w *Window) try(ctx context.Context, name string, t *trial) {
	limited, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	err := w.o.Test(limited, name)
	at := w.o.Now().Local().Format(time.TimeOnly)
	result := trial{text: "test delivered at " + at}
	if err != nil {
		result = trial{text: "test at " + at + ": " + err.Error(), failed: true}
	}
	w.o.Dispatch(func() { *t = result })
}

// Reload reads the configuration again, as its button does. What is wrong with it is part
// of the state.
func (w *Window) Reload() {
	if w.o.Reload == nil || w.reload.Disabled() {
		return
	}
	w.reload.Disable()
	if !w.do(func(ctx context.Context) {
		_ = w.o.Reload(ctx)
		w.o.Dispatch(w.reload.Enable)
	}) {
		w.reload.Enable()
	}
}

// Lines returns what is shown, for tests and for those who ask the program what it
// shows: one text for each part.
func (w *Window) Lines() []string {
	var out []string
	for _, r := range slices.Concat(w.sources, w.stack) {
		texts := []string{r.name.Text, r.kind.Text, r.state.Text, r.counters.Text}
		for _, l := range []*widget.Label{r.note, r.failure} {
			if l.Visible() {
				texts = append(texts, l.Text)
			}
		}
		out = append(out, strings.Join(texts, " | "))
	}
	return out
}
