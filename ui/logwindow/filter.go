package logwindow

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

const (
	allOrigins = "All processes"
	maxOrigins = 50
)

// levelNames are the entries of the level selector: all, then each level and
// what is above.
func levelNames() []string {
	names := []string{"All levels"}
	for _, l := range core.Levels() {
		name := l.Title()
		if l != core.LevelCritical {
			name += " +"
		}
		names = append(names, name)
	}
	return names
}

func (w *Window) setLevel(index int) {
	w.filter.Min = core.LevelNotSet
	if index > 0 {
		w.filter.Min = core.Levels()[index-1]
	}
	w.apply()
}

func (w *Window) setOrigin(index int) {
	w.filter.Origin = model.Origin{}
	if index > 0 && index <= len(w.origins) {
		w.filter.Origin = w.origins[index-1]
	}
	w.apply()
}

func (w *Window) setText(text string) {
	w.filter.Text = text
	w.apply()
}

// Filter returns what is shown.
func (w *Window) Filter() model.Filter { return w.filter }

// SetFilter shows what passes a filter, as if it were entered by hand.
func (w *Window) SetFilter(f model.Filter) {
	w.filter = f
	w.level.SetSelectedIndex(levelIndex(f.Min))
	w.filter.Origin = f.Origin
	w.listOrigins(true)
	w.entry.SetText(f.Text) // applies it, if it is another text
	w.apply()
}

func levelIndex(l core.Level) int {
	if l <= core.LevelNotSet {
		return 0
	}
	for i, named := range core.Levels() {
		if l <= named {
			return i + 1
		}
	}
	return len(core.Levels())
}

// apply hands the filter to the view. While the text is not valid, what was shown
// stays.
func (w *Window) apply() {
	if w.view == nil { // still building
		return
	}
	w.failure = ""
	shown := w.filter
	if !w.only.Checked {
		shown.Text = ""
	}
	matcher, err := model.Filter{Text: w.filter.Text}.Compile()
	if err == nil {
		err = w.view.SetFilter(shown)
	}
	if err != nil {
		w.failure = err.Error()
	} else {
		w.matcher = matcher
		w.list.CollapseSelection()
		w.list.SetMatcher(matcher)
	}
	w.updateMessage()
}

func (w *Window) findNext()     { w.found(w.list.FindNext()) }
func (w *Window) findPrevious() { w.found(w.list.FindPrevious()) }

func (w *Window) found(ok bool) {
	if !ok && w.entry.Text != "" {
		w.tell("no match")
	}
}

// addTerm adds a word to the filter, in front: a regular expression goes to the
// end.
func (w *Window) addTerm(term string) {
	w.only.SetChecked(true)
	w.entry.SetText(strings.TrimSpace(term + " " + w.entry.Text))
}

// listOrigins brings the selector of processes up to date, at most once a
// second unless it has to be.
func (w *Window) listOrigins(now bool) {
	at := w.options.Now()
	if !now && at.Sub(w.listed).Abs() < originInterval {
		return
	}
	w.listed = at
	names, origins, selected := []string{allOrigins}, []model.Origin(nil), 0
	seen := map[string]bool{}
	for _, o := range w.options.Store.Origins() {
		name := o.Origin.String()
		if seen[name] || len(origins) == maxOrigins {
			continue
		}
		seen[name] = true
		names, origins = append(names, name), append(origins, o.Origin)
		if o.Origin == w.filter.Origin {
			selected = len(origins)
		}
	}
	if !w.filter.Origin.IsZero() && selected == 0 { // gone, but still asked for
		names, origins = append(names, w.filter.Origin.String()), append(origins, w.filter.Origin)
		selected = len(origins)
	}
	w.origins = origins
	if several := len(origins) > 1 || selected > 0; several != w.origin.Visible() {
		w.origin.Hidden = !several
		w.root.Refresh()
	}
	if fmt.Sprint(names) != fmt.Sprint(w.origin.Options) || w.origin.SelectedIndex() != selected {
		changed := w.origin.OnChanged
		w.origin.OnChanged = nil // the filter stays as it is
		w.origin.Options = names
		w.origin.SetSelectedIndex(selected)
		w.origin.OnChanged = changed
		w.origin.Refresh()
	}
}

// filterEntry is the entry for the text of the filter.
type filterEntry struct {
	widget.Entry
	onNext, onPrevious, onLeave func()
	shift                       bool
}

var _ desktop.Keyable = (*filterEntry)(nil)

func newFilterEntry() *filterEntry {
	e := &filterEntry{}
	e.ExtendBaseWidget(e)
	e.PlaceHolder = `Filter:  word  "a phrase"  -exclude  re:pattern  channel:name`
	erase := &widget.Button{Icon: theme.CancelIcon(), Importance: widget.LowImportance, OnTapped: func() { e.SetText("") }}
	e.ActionItem = erase
	return e
}

// KeyDown is called by Fyne.
func (e *filterEntry) KeyDown(key *fyne.KeyEvent) {
	if key.Name == desktop.KeyShiftLeft || key.Name == desktop.KeyShiftRight {
		e.shift = true
	}
	e.Entry.KeyDown(key)
}

// KeyUp is called by Fyne.
func (e *filterEntry) KeyUp(key *fyne.KeyEvent) {
	if key.Name == desktop.KeyShiftLeft || key.Name == desktop.KeyShiftRight {
		e.shift = false
	}
	e.Entry.KeyUp(key)
}

// TypedKey goes to matches (Enter, F3, with the shift key backwards), clears the
// text (Escape) and leads into the list (arrow down).
func (e *filterEntry) TypedKey(key *fyne.KeyEvent) {
	switch key.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeyF3:
		if e.shift {
			e.onPrevious()
		} else {
			e.onNext()
		}
	case fyne.KeyEscape:
		if e.Text == "" {
			e.onLeave()
		}
		e.SetText("")
	case fyne.KeyDown:
		e.onLeave()
	default:
		e.Entry.TypedKey(key)
	}
}
