package logwindow

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/logview"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// bench is a log window whose user interface goroutine is the test.
type bench struct {
	*Window
	t      *testing.T
	store  *model.Store
	window fyne.Window
	queue  chan func()
	copied string
	opened []core.Site
	lost   uint64
}

func newBench(t *testing.T) *bench {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(style.NewTheme(style.VariantLight))
	b := &bench{t: t, store: model.NewStore(model.StoreOptions{Records: 1000}), queue: make(chan func(), 1)}
	b.Window = New(Options{
		Store: b.store, Dispatch: func(f func()) { b.queue <- f }, Fonts: glyph.NewFonts(false),
		JSON: func(r *core.Record) string { return "{" + r.Message() + "}" }, Text: (*core.Record).Message,
		Copy: func(text string) { b.copied = text }, OpenEditor: func(s core.Site) { b.opened = append(b.opened, s) },
		Dropped: func() uint64 { return b.lost },
	})
	t.Cleanup(func() { _ = b.Close() })
	b.window = test.NewTempWindow(t, b.Object())
	b.window.Resize(fyne.NewSize(1000, 600))
	b.AddShortcuts(b.window.Canvas())
	return b
}

func (b *bench) add(level core.Level, channel, message string) *core.Record {
	b.t.Helper()
	r := &core.Record{Channel: channel, Level: level, Msg: message, Time: start, Process: core.Process{ID: 7, Name: "worker"}}
	r.SetMessage(message)
	core.NewReceived(r, core.Source{Name: "dev"}, start)
	if err := b.store.Handle(b.t.Context(), r); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// until runs what is dispatched until something is true.
func (b *bench) until(what string, is func() bool) {
	b.t.Helper()
	deadline := time.After(10 * time.Second)
	for !is() {
		select {
		case f := <-b.queue:
			f()
		case <-deadline:
			b.t.Fatalf("never: %s; shown %q, status %+v, counts %q", what, b.shown(), b.Status(), b.counts.Text)
		}
	}
}

func (b *bench) shown() string {
	var out []string
	rows := b.list.Rows()
	for i := range rows.Len() {
		_, r := rows.At(i)
		out = append(out, r.Message())
	}
	return strings.Join(out, " ")
}

func (b *bench) untilShown(want string) {
	b.t.Helper()
	b.until("shown "+want, func() bool { return b.shown() == want })
}

func TestRecordsAppearAsTheyCome(t *testing.T) {
	b := newBench(t)
	b.add(core.LevelInfo, "shop", "one")
	b.untilShown("one")
	b.lost = 5
	b.add(core.LevelError, "shop", "two")
	b.add(core.LevelWarning, "shop", "three")
	b.untilShown("one two three")
	b.until("the numbers", func() bool { return b.counts.Text == "3 of 3 records  ·  1 error  ·  1 warning  ·  5 dropped" })
	s := b.Status()
	if s.Shown != 3 || s.Held != 3 || s.Total != 3 || s.Dropped != 5 || !s.Following || s.Selected != 0 || s.Level != "NOTSET" {
		t.Errorf("status %+v", s)
	}
}

func TestTheFilterShowsWhatItSays(t *testing.T) {
	b := newBench(t)
	b.add(core.LevelDebug, "shop", "apple")
	b.add(core.LevelInfo, "bank", "banana")
	b.add(core.LevelError, "shop", "cherry")
	b.untilShown("apple banana cherry")
	b.level.SetSelected("Info +")
	b.untilShown("banana cherry")
	test.Type(b.entry, "an")
	b.untilShown("banana")
	b.only.SetChecked(false) // marks only
	b.untilShown("banana cherry")
	b.only.SetChecked(true)
	b.entry.SetText("re:(")
	if b.message.Importance != widget.DangerImportance || !strings.Contains(b.message.Text, "regular expression") {
		t.Errorf("a wrong expression is not told: %q", b.message.Text)
	}
	b.add(core.LevelInfo, "bank", "another an")
	b.untilShown("banana another an") // the last valid filter stays
	b.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	b.untilShown("banana cherry another an")
	if b.message.Text != "" {
		t.Errorf("the mistake is still told: %q", b.message.Text)
	}
	b.SetFilter(model.Filter{Text: "channel:shop", Min: core.LevelCritical})
	b.untilShown("")
	if b.level.Selected != "Critical" || b.entry.Text != "channel:shop" {
		t.Errorf("the toolbar shows %q, %q", b.level.Selected, b.entry.Text)
	}
	b.SetFilter(model.Filter{})
	b.untilShown("apple banana cherry another an")
}

func TestTheProcessSelectorAppearsWithTheSecondProcess(t *testing.T) {
	b := newBench(t)
	b.add(core.LevelInfo, "", "a")
	b.untilShown("a")
	if b.origin.Visible() {
		t.Error("one process to select from")
	}
	other := &core.Record{Msg: "b", Process: core.Process{ID: 8, Name: "worker"}, Time: start}
	core.NewReceived(other, core.Source{Name: "dev"}, start.Add(time.Second))
	_ = b.store.Handle(t.Context(), other)
	b.untilShown("a b")
	b.listOrigins(true)
	if fmt.Sprint(b.origin.Options) != "[All processes worker 8 · dev worker 7 · dev]" || !b.origin.Visible() {
		t.Fatalf("options %q", b.origin.Options)
	}
	b.origin.SetSelectedIndex(1)
	b.untilShown("b")
	b.store.Clear()
	b.untilShown("")
	b.listOrigins(true)
	if b.origin.Selected != "worker 8 · dev" || b.Filter().Origin.Process.ID != 8 {
		t.Errorf("selected %q after everything was cleared", b.origin.Selected)
	}
}

func TestSelectingARecordOpensItsDetail(t *testing.T) {
	b := newBench(t)
	b.add(core.LevelInfo, "shop", "one")
	r := b.add(core.LevelInfo, "shop", "two")
	b.untilShown("one two")
	if b.detail.Object().Visible() {
		t.Error("the detail pane is open at the beginning")
	}
	b.FocusList()
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	if !b.detail.Object().Visible() || b.detail.Record() != r || b.Status().Selected != r.Seq {
		t.Error("the detail of the selected record is not shown")
	}
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if b.detail.Object().Visible() {
		t.Error("the detail is still shown")
	}
}

func TestARecordIsRevealedDespiteOfTheFilter(t *testing.T) {
	b := newBench(t)
	one := b.add(core.LevelDebug, "shop", "one")
	two := b.add(core.LevelError, "shop", "two")
	b.SetFilter(model.Filter{Min: core.LevelError})
	b.untilShown("two")
	selected := func(r *core.Record) func() bool { return func() bool { return b.list.Current() == r } }
	if !b.Reveal(two.Clone()) || !selected(two)() || b.Filter().IsZero() {
		t.Error("a record in sight is not just selected")
	}
	if !b.Reveal(one) {
		t.Error("a record that is held is not found")
	}
	b.until("the record is selected", selected(one))
	b.store.Clear()
	b.untilShown("")
	if b.Reveal(one) || b.message.Text != "the record is not held any more" {
		t.Errorf("a forgotten record is revealed: %q", b.message.Text)
	}
}

func TestFollowSwitchAndListAgree(t *testing.T) {
	b := newBench(t)
	for i := range 100 {
		b.add(core.LevelInfo, "shop", fmt.Sprint(i))
	}
	b.until("100 rows", func() bool { return b.list.Rows().Len() == 100 })
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyHome})
	if b.follow.Checked || b.Status().Following {
		t.Error("still following at the first row")
	}
	b.follow.SetChecked(true)
	if !b.list.Following() {
		t.Error("the switch does not follow")
	}
}

func TestClear(t *testing.T) {
	b := newBench(t)
	b.add(core.LevelInfo, "shop", "one")
	b.untilShown("one")
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	b.list.TypedShortcut(clearShortcut())
	b.untilShown("")
	if b.detail.Object().Visible() || b.message.Text != "cleared" {
		t.Errorf("after clear: %q", b.message.Text)
	}
}

func TestShortcutsAndKeysOfTheFilter(t *testing.T) {
	b := newBench(t)
	for _, m := range []string{"a1", "b", "a2", "b", "a3"} {
		b.add(core.LevelInfo, "shop", m)
	}
	b.untilShown("a1 b a2 b a3")
	b.list.TypedShortcut(findShortcut())
	if b.window.Canvas().Focused() != fyne.Focusable(b.entry) {
		t.Fatal("Ctrl+F does not go to the filter")
	}
	b.only.SetChecked(false)
	b.entry.SetText("a")
	current := func() string {
		if r := b.list.Current(); r != nil {
			return r.Message()
		}
		return ""
	}
	b.until("no row is hidden", func() bool { return b.list.Rows().Len() == 5 })
	enter := &fyne.KeyEvent{Name: fyne.KeyReturn}
	b.entry.TypedKey(enter)
	b.entry.TypedKey(enter)
	if current() != "a2" {
		t.Errorf("the second match is %q", current())
	}
	shift := &fyne.KeyEvent{Name: desktop.KeyShiftLeft}
	b.entry.KeyDown(shift)
	b.entry.TypedKey(enter)
	b.entry.KeyUp(shift)
	if current() != "a1" {
		t.Errorf("the match before is %q", current())
	}
	b.entry.SetText("zzz")
	b.entry.TypedKey(enter)
	if b.message.Text != "no match" {
		t.Errorf("message %q", b.message.Text)
	}
	b.entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if b.window.Canvas().Focused() != fyne.Focusable(b.list) {
		t.Error("the arrow does not lead into the list")
	}
}

func TestTheMenuOfARecordFilters(t *testing.T) {
	b := newBench(t)
	b.add(core.LevelInfo, "shop", "one")
	r := b.add(core.LevelError, "my bank", "two")
	b.untilShown("one two")
	items := b.recordItems(r)
	run := func(label string) {
		t.Helper()
		for _, item := range items {
			if strings.HasPrefix(item.Label, label) {
				item.Action()
				return
			}
		}
		t.Fatalf("no %q", label)
	}
	run("Only channel my bank")
	b.untilShown("two")
	if b.entry.Text != `channel:"my bank"` {
		t.Errorf("filter %q", b.entry.Text)
	}
	b.entry.SetText("")
	b.entry.SetText("re:o")
	run("Hide channel")
	b.untilShown("one")
	if b.entry.Text != `-channel:"my bank" re:o` {
		t.Errorf("filter %q", b.entry.Text)
	}
	b.entry.SetText("")
	run("Hide this message")
	b.untilShown("one")
	b.entry.SetText("")
	run("Only process 7")
	b.untilShown("one two")
	run("Only Error and above")
	b.untilShown("two")
	run("Copy as Markdown")
	if !strings.HasPrefix(b.copied, "### Error: two") {
		t.Errorf("copied %q", b.copied)
	}
	b.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyUp})
	run("Copy as JSON")
	if b.copied != "{two}" || b.message.Text != "copied 1 record" {
		t.Errorf("copied %q, told %q", b.copied, b.message.Text)
	}
	b.recordMenu(r, fyne.NewPos(10, 10))
	if b.window.Canvas().Overlays().Top() == nil {
		t.Error("no menu is shown")
	}
}

func TestTheMenuOfTheColumns(t *testing.T) {
	b := newBench(t)
	items := b.columnItems()
	for _, item := range items {
		if item.Label == "Process" {
			item.Action()
		}
	}
	for _, c := range b.list.Columns() {
		if c.ID == logview.ColumnProcess && c.Hidden {
			t.Error("the column is still hidden")
		}
	}
	b.columnMenu(fyne.NewPos(1, 1))
	if b.window.Canvas().Overlays().Top() == nil {
		t.Error("no menu is shown")
	}
}

func TestTheHistogramTellsAndPicks(t *testing.T) {
	b := newBench(t)
	for i := range 50 {
		r := &core.Record{Msg: fmt.Sprint(i), Level: core.LevelError, Time: start}
		_ = b.store.Handle(t.Context(), core.NewReceived(r, core.Source{}, start.Add(time.Duration(i)*time.Minute)))
	}
	b.until("a histogram", func() bool { return b.histogram.data.Max > 0 })
	width, height := b.histogram.Size().Width, b.histogram.Size().Height
	picture := b.histogram.paint(int(width), int(height))
	red := 0
	fill := style.Light().Level(core.LevelError).Fill
	for x := range int(width) {
		if picture.At(x, int(height)-1) == fill {
			red++
		}
	}
	if red < 50 {
		t.Errorf("%d columns of pixels show errors", red)
	}
	at := fyne.PointEvent{Position: fyne.NewPos(1, 5)}
	b.histogram.MouseIn(&desktop.MouseEvent{PointEvent: at})
	if !strings.HasSuffix(b.message.Text, ":  1 record, 1 error") {
		t.Errorf("told %q", b.message.Text)
	}
	b.histogram.MouseOut()
	if b.message.Text != "" {
		t.Errorf("told %q", b.message.Text)
	}
	b.histogram.Tapped(&at)
	if r := b.list.Current(); r == nil || r.Message() != "0" {
		t.Errorf("picked %v", r)
	}
	if _, ok := b.histogram.barAt(width + 100); ok {
		t.Error("a bar beside the histogram")
	}
}

func TestAStreamIsOneUpdateAtATime(t *testing.T) {
	b := newBench(t)
	for i := range 5000 { // the queue has one place: more would block and fail
		b.add(core.LevelInfo, "shop", fmt.Sprint(i))
	}
	b.until("the last record is shown", func() bool { return b.Status().Total == 5000 && strings.HasSuffix(b.shown(), " 4999") })
	if n := b.list.Rows().Len(); n != 1000 {
		t.Errorf("%d rows, want the newest 1000", n)
	}
	b.until("the numbers", func() bool { return strings.Contains(b.counts.Text, "4\u2009000 older forgotten") })
}

func TestNothingHappensAfterClose(t *testing.T) {
	b := newBench(t)
	b.add(core.LevelInfo, "shop", "one")
	b.untilShown("one")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.add(core.LevelInfo, "shop", "two")
	select { // what was underway is run and does nothing
	case f := <-b.queue:
		f()
	default:
	}
	if b.shown() != "one" {
		t.Errorf("shown %q", b.shown())
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRates(t *testing.T) {
	for rate, want := range map[float64]string{0: "idle", 0.5: "0.5/s", 9.96: "10.0/s", 12345: "12\u2009345/s"} {
		if got := rateText(rate); got != want {
			t.Errorf("rate %v reads %q, want %q", rate, got, want)
		}
	}
	if got := short(strings.Repeat("é", 100)); len([]rune(got)) != 40 {
		t.Errorf("%q", got)
	}
	for l, want := range map[core.Level]int{core.LevelNotSet: 0, core.LevelTrace: 1, core.LevelCritical: 7, 99: 7, 1: 1} {
		if got := levelIndex(l); got != want {
			t.Errorf("level %v has index %d, want %d", l, got, want)
		}
	}
}
