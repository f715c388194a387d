package contextwindow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/logview"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.Local)

func record(second, pid int, level core.Level, message string) *core.Record {
	r := &core.Record{
		Channel: "shop", Level: level, Msg: message, Time: start.Add(time.Duration(second) * time.Second),
		Process: core.Process{ID: pid, Name: "worker"},
	}
	r.SetMessage(message)
	return core.NewReceived(r, core.Source{Name: "dev"}, r.Time)
}

type bench struct {
	*Window
	window fyne.Window
	mutes  *mute.Stack
	calls  []string
	copied string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(style.NewTheme(style.VariantLight))
	mine := []*core.Record{
		record(1, 1, core.LevelDebug, "first"), record(3, 1, core.LevelInfo, "second"), record(5, 1, core.LevelError, "failed"),
	}
	mine[2].Exception = &core.Exception{Name: "shop.Declined", Message: "no funds", Traceback: "Traceback:\nshop.Declined: no funds"}
	store := model.NewStore(model.StoreOptions{})
	for _, r := range []*core.Record{record(-60, 2, core.LevelInfo, "long ago"), record(2, 2, core.LevelInfo, "other"), mine[0], mine[1], mine[2]} {
		_ = store.Handle(t.Context(), r)
	}
	b := &bench{mutes: mute.NewStack(nil)}
	call := func(what string, a alert.Alert) { b.calls = append(b.calls, fmt.Sprint(what, " ", a.ID)) }
	b.Window = New(
		alert.Alert{ID: 9, Fingerprint: "print", Title: "shop: Error", Trigger: mine[2], Context: mine[:2], Count: 1, First: mine[2].Time, Last: mine[2].Time},
		Options{
			Store: store, Fonts: glyph.NewFonts(false), Text: (*core.Record).Message,
			Copy: func(text string) { b.copied = text },
			Mute: func(m mute.Match, label string, until time.Time) {
				b.mutes.Push(mute.Mute{Match: m, Label: label, Until: until})
			},
			Mutes: b.mutes.List, Unmute: func(id uint64) { b.mutes.Pop(id) },
			Dismiss: func(a alert.Alert) { call("dismiss", a) },
			Why:     func(r *core.Record) string { return "  desktop  took  " + r.Message() + "\n  file  unreached" },
			OpenLog: func(r *core.Record) { b.calls = append(b.calls, "log "+r.Message()) },
			Close:   func() { b.calls = append(b.calls, "close") },
			Now:     func() time.Time { return start.Add(5 * time.Minute) },
		})
	b.window = test.NewTempWindow(t, b.Object())
	b.window.Resize(fyne.NewSize(900, 600))
	return b
}

func (b *bench) shown() string {
	var out []string
	for _, r := range b.Records() {
		out = append(out, r.Message())
	}
	return strings.Join(out, ", ")
}

func TestTheAlertsRecordIsSelectedAmongWhatLedUpToIt(t *testing.T) {
	b := newBench(t)
	if b.shown() != "first, second, failed" {
		t.Errorf("shown %s", b.shown())
	}
	if r := b.Selected(); r == nil || r.Message() != "failed" || b.detail.Record() != r {
		t.Errorf("selected %v", r)
	}
	if b.title.Text != "shop: Error – failed" || b.facts.Text != "once, at 09:26:58.000 on 14 March (4 min ago)" {
		t.Errorf("title %q, facts %q", b.title.Text, b.facts.Text)
	}
	if b.Alert().ID != 9 {
		t.Errorf("alert %d", b.Alert().ID)
	}
}

func TestOtherProcessesAreMergedIn(t *testing.T) {
	b := newBench(t)
	b.list.Select(1)
	b.ShowOthers(true)
	if b.shown() != "first, other, second, failed" {
		t.Errorf("shown %s", b.shown())
	}
	if b.Selected().Message() != "second" {
		t.Errorf("selected %s, want the one selected before", b.Selected().Message())
	}
	process := false
	for _, c := range b.list.Columns() {
		process = process || c.ID == logview.ColumnProcess && !c.Hidden
	}
	if !process {
		t.Error("it does not show which process a record is of")
	}
	b.list.Select(1) // of the other process
	b.ShowOthers(false)
	if b.shown() != "first, second, failed" || b.Selected().Message() != "failed" {
		t.Errorf("shown %s, selected %s", b.shown(), b.Selected().Message())
	}
}

func TestTheAlertsRecordIsListedOnce(t *testing.T) {
	test.NewTempApp(t)
	before, trigger := record(1, 1, core.LevelDebug, "before"), record(2, 1, core.LevelError, "failed")
	for _, context := range [][]*core.Record{{before}, {before, trigger}, {before, trigger.Clone()}} {
		w := New(alert.Alert{Trigger: trigger, Context: context, Count: 1, Omitted: 7}, Options{Fonts: glyph.NewFonts(false)})
		if n := len(w.Records()); n != 2 || w.Records()[1] != trigger {
			t.Errorf("%d records", n)
		}
		if !strings.HasSuffix(w.facts.Text, "not held: 7") {
			t.Errorf("facts %q", w.facts.Text)
		}
	}
}

func TestRepeatsAreCounted(t *testing.T) {
	b := newBench(t)
	again := b.Alert()
	again.Count, again.Last = 1234, start.Add(3*time.Minute)
	b.Update(again)
	if want := "1\u2009234 times, first at 09:26:58.000, last at 09:29:53.000 (2 min ago)"; b.facts.Text != want {
		t.Errorf("facts %q, want %q", b.facts.Text, want)
	}
}

func TestItIsSaidWhoCouldNotBeTold(t *testing.T) {
	b := newBench(t)
	a := b.Alert()
	a.Failures = []alert.Failure{{By: "phone", Reason: "the server\u202e answers 503"}, {By: "mail", Reason: "no route"}}
	b.Update(a)
	if want := "  ·  not delivered by phone: the server\ufffd answers 503  ·  not delivered by mail: no route"; !strings.HasSuffix(b.facts.Text, want) {
		t.Errorf("facts %q", b.facts.Text)
	}
}

// item returns an item of the menu of the mute button, by the labels on the way to it.
func (b *bench) item(t *testing.T, path ...string) *fyne.MenuItem {
	t.Helper()
	menu := b.muteMenu()
	var found *fyne.MenuItem
	for _, label := range path {
		i := slices.IndexFunc(menu.Items, func(m *fyne.MenuItem) bool { return m.Label == label })
		if i < 0 {
			t.Fatalf("there is no %q of %q", label, path)
		}
		found, menu = menu.Items[i], menu.Items[i].ChildMenu
	}
	return found
}

func TestMutesAreBegunAndUndone(t *testing.T) {
	b := newBench(t)
	b.alert.Trigger.Channel = "shop.cart"
	b.item(t, "This error", "1 h").Action()
	if b.mute.Text != "Muted until 10:31" {
		t.Errorf("the button says %q", b.mute.Text)
	}
	b.item(t, "Channel shop", "forever").Action()
	b.item(t, "Channel shop.cart", "10 min")
	if b.mute.Text != "Muted" {
		t.Errorf("the button says %q", b.mute.Text)
	}
	b.item(t, "Unmute channel shop").Action()
	b.item(t, "Source dev", "until tomorrow").Action()
	b.item(t, "Unmute source dev, until 15 March 08:00").Action()
	b.item(t, "Unmute shop: Error, until 10:31").Action()
	if b.mute.Text != "Mute" || len(b.mutes.List()) != 0 {
		t.Errorf("the button says %q of %+v", b.mute.Text, b.mutes.List())
	}
	b.mutes.Push(mute.Mute{Label: "quiet hours"}) // by somebody else
	b.UpdateMutes()
	if b.mute.Text != "Muted" {
		t.Errorf("the button says %q", b.mute.Text)
	}
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyM})
	if b.window.Canvas().Overlays().Top() == nil {
		t.Error("no menu")
	}
}

func TestTheButtons(t *testing.T) {
	b := newBench(t)
	b.CopyAll()
	b.list.TypedShortcut(&fyne.ShortcutCopy{})
	if b.copied != "failed" {
		t.Errorf("copied %q by the shortcut", b.copied)
	}
	b.CopyAll()
	if b.copied != "first\nsecond\nfailed" || b.notice.Text != "copied 3 records" {
		t.Errorf("copied %q, told %q", b.copied, b.notice.Text)
	}
	b.options.Dismiss(b.alert)
	b.options.OpenLog(b.current())
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if want := "[dismiss 9 log failed close]"; fmt.Sprint(b.calls) != want {
		t.Errorf("calls %v, want %s", b.calls, want)
	}
	b.recordMenu(b.Selected(), fyne.NewPos(1, 1))
	if b.window.Canvas().Overlays().Top() == nil {
		t.Error("no menu")
	}
}

func TestWithoutCallbacksThereAreNoButtons(t *testing.T) {
	test.NewTempApp(t)
	r := record(0, 1, core.LevelError, "failed\nwith \u202elines")
	r.Channel = strings.Repeat("c", 1000)
	w := New(alert.Alert{Trigger: r, Count: 1, First: r.Time, Last: r.Time}, Options{Fonts: glyph.NewFonts(false)})
	if w.mute.Visible() || w.others.Visible() {
		t.Error("a button that does nothing")
	}
	if len(w.title.Text) > maxTitleLength+3 {
		t.Errorf("a title of %d bytes", len(w.title.Text))
	}
	if len(w.Records()) != 1 || w.Selected() != r {
		t.Error("the alert's record is not shown")
	}
	w.CopyAll()
	if got := fyne.CurrentApp().Clipboard().Content(); !strings.Contains(got, "failed") {
		t.Errorf("clipboard %q", got)
	}
}

// busy is a store that other processes have filled, and a context of 200 records.
func busy(tb testing.TB) (*model.Store, alert.Alert) {
	tb.Helper()
	var context []*core.Record
	for i := range 200 {
		context = append(context, record(i, 1, core.LevelDebug, "debug "+strconv.Itoa(i)))
	}
	store := model.NewStore(model.StoreOptions{})
	for i := range 50_000 {
		_ = store.Handle(tb.Context(), record(i/200, 2, core.LevelDebug, "x"))
	}
	return store, alert.Alert{Trigger: record(200, 1, core.LevelError, "failed"), Context: context, Count: 1}
}

func TestOtherProcessesAreLimited(t *testing.T) {
	test.NewTempApp(t)
	store, a := busy(t)
	w := New(a, Options{Fonts: glyph.NewFonts(false), Store: store})
	w.ShowOthers(true)
	if n := len(w.Records()); n != maxNeighbours {
		t.Errorf("%d records, want %d", n, maxNeighbours)
	}
	if w.Selected() != a.Trigger {
		t.Error("the alert's record is not selected")
	}
}

// BenchmarkOpen is from the click to the first picture.
func BenchmarkOpen(b *testing.B) {
	test.NewTempApp(b)
	store, a := busy(b)
	fonts := glyph.NewFonts(false)
	for b.Loop() {
		w := New(a, Options{Fonts: fonts, Store: store})
		window := test.NewTempWindow(b, w.Object())
		window.Resize(fyne.NewSize(1000, 700))
		window.Canvas().Capture()
	}
}

func TestTheRulesAreExplainedForTheCurrentRecord(t *testing.T) {
	b := newBench(t)
	b.list.Select(1)
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyW})
	top := b.window.Canvas().Overlays().Top()
	if top == nil {
		t.Fatal("nothing is shown")
	}
	shown := ""
	for _, o := range test.LaidOutObjects(top) {
		switch o := o.(type) {
		case *widget.Label:
			shown += o.Text + "\n"
		case *container.Scroll:
			if size := o.Size(); size.Width > 900-2*whyRoom || size.Height > 600-2*whyRoom || size.Height < 30 {
				t.Errorf("the text has %v", size)
			}
		}
	}
	if !strings.Contains(shown, "desktop  took  second\n  file  unreached") {
		t.Errorf("shown %q", shown)
	}
	f := b.window.Canvas().Focused()
	if f == nil {
		t.Fatal("nothing has the keys")
	}
	f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if b.window.Canvas().Overlays().Top() != nil {
		t.Error("Escape has not closed it")
	}
	if b.window.Canvas().Focused() != fyne.Focusable(b.list) {
		t.Error("the list has not got the keys back")
	}
	if len(b.calls) > 0 {
		t.Errorf("calls: %v", b.calls)
	}
}

func TestWithoutRulesThereIsNothingToAskFor(t *testing.T) {
	r := record(1, 1, core.LevelError, "failed")
	test.NewTempApp(t)
	w := New(alert.Alert{Trigger: r, Count: 1, First: r.Time, Last: r.Time}, Options{Fonts: glyph.NewFonts(false)})
	window := test.NewTempWindow(t, w.Object())
	w.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyW})
	if window.Canvas().Overlays().Top() != nil {
		t.Error("something is shown")
	}
}
