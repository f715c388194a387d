package logview

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

var start = time.Date(2026, 3, 14, 9, 26, 53, 589_000_000, time.Local)

func record(level core.Level, message string) *core.Record {
	r := &core.Record{Channel: "shop", Level: level, Msg: message, Time: start}
	r.SetMessage(message)
	return core.NewReceived(r, core.Source{Name: "dev"}, start)
}

func records(n int) model.List {
	rows := make(model.List, n)
	for i := range rows {
		rows[i] = record(core.LevelInfo, fmt.Sprintf("record %d", i))
	}
	return rows
}

// visible is how many rows the views of these tests show.
const visible = 10

// bench is a view in a window with the mouse and the keyboard in hand.
type bench struct {
	*View
	t      testing.TB
	window fyne.Window
	copied string
}

func newBench(t testing.TB, variant style.Variant, rows model.Rows) *bench {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(style.NewTheme(variant))
	b := &bench{t: t}
	b.View = New(Options{
		Fonts: glyph.NewFonts(false), Now: func() time.Time { return start },
		Copy: func(text string) { b.copied = text },
		Text: (*core.Record).Message, JSON: func(r *core.Record) string { return "{" + r.Message() + "}" },
	})
	b.window = test.NewTempWindow(t, b.View)
	b.window.SetPadded(false)
	g := b.measure(800, 400)
	b.window.Resize(fyne.NewSize(800, float32(g.header+visible*g.row+g.height-g.bottom)))
	b.SetRows(rows)
	if full := b.geometry().full; full != visible {
		t.Fatalf("%d rows are visible, want %d", full, visible)
	}
	return b
}

// first is the message of the first row in sight.
func (b *bench) first() string {
	b.t.Helper()
	if b.rows.Len() == 0 {
		return ""
	}
	_, r := b.rows.At(b.top)
	return r.Message()
}

func (b *bench) rowText(row int) string {
	_, r := b.rows.At(row)
	return r.Message()
}

// at is the middle of the line i of those in sight.
func (b *bench) at(i int) fyne.Position {
	g := b.geometry()
	return fyne.NewPos(400, float32(g.header+i*g.row+g.row/2)/g.scale)
}

func (b *bench) press(at fyne.Position, button desktop.MouseButton, modifier fyne.KeyModifier) {
	e := &desktop.MouseEvent{Button: button, Modifier: modifier}
	e.Position = at
	b.MouseDown(e)
}

func (b *bench) click(line int, modifier fyne.KeyModifier) {
	b.press(b.at(line), desktop.MouseButtonPrimary, modifier)
	b.MouseUp(&desktop.MouseEvent{})
}

func (b *bench) drag(to fyne.Position) {
	b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}})
}

func (b *bench) wheelBy(rows float32) {
	b.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -rows*float32(b.geometry().row)/wheelRows)})
}

func (b *bench) key(names ...fyne.KeyName) {
	for _, name := range names {
		b.TypedKey(&fyne.KeyEvent{Name: name})
	}
}

func (b *bench) shiftKey(names ...fyne.KeyName) {
	b.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	b.key(names...)
	b.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
}

func (b *bench) selected() string {
	var out []string
	for _, r := range b.Selected() {
		out = append(out, strings.TrimPrefix(r.Message(), "record "))
	}
	return strings.Join(out, " ")
}

// picture is the view as it is drawn.
func (b *bench) picture() *image.RGBA {
	size := b.Size()
	return b.paint(int(size.Width), int(size.Height)).(*image.RGBA)
}

// line is the area of the line i of those in sight.
func (b *bench) line(i int) image.Rectangle {
	g := b.geometry()
	return image.Rect(0, g.header+i*g.row, g.track.Min.X, g.header+(i+1)*g.row)
}

func count(img *image.RGBA, area image.Rectangle, c color.RGBA) int {
	n := 0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if img.RGBAAt(x, y) == c {
				n++
			}
		}
	}
	return n
}

func TestEveryLevelIsDrawnInItsColours(t *testing.T) {
	for _, variant := range []style.Variant{style.VariantLight, style.VariantDark} {
		var rows model.List
		for _, l := range core.Levels() {
			rows = append(rows, record(l, "message"))
		}
		b := newBench(t, variant, rows)
		if b.palette.Dark != (variant == style.VariantDark) {
			t.Fatalf("%s: dark %v", variant, b.palette.Dark)
		}
		picture := b.picture()
		for i, l := range core.Levels() {
			colors := b.palette.Level(l)
			for what, c := range map[string]color.RGBA{"name": colors.Name, "text": colors.Text, "ground": colors.Ground} {
				if count(picture, b.line(i), c) == 0 {
					t.Errorf("%s: %v has no pixel in the colour of its %s", variant, l, what)
				}
			}
			if colors.Badged && count(picture, b.line(i), colors.Badge) == 0 {
				t.Errorf("%s: %v has no badge", variant, l)
			}
			stripe := picture.RGBAAt(1, b.line(i).Min.Y+5) == colors.Fill
			if stripe != (l >= core.LevelWarning) {
				t.Errorf("%s: %v has a stripe: %v", variant, l, stripe)
			}
		}
		if count(picture, b.line(8), b.palette.Ground) != b.line(8).Dx()*b.line(8).Dy() {
			t.Errorf("%s: a line without a record is not empty", variant)
		}
	}
}

func TestAThemeChangeIsTakenOver(t *testing.T) {
	b := newBench(t, style.VariantLight, records(3))
	fyne.CurrentApp().Settings().SetTheme(style.NewTheme(style.VariantDark))
	b.Refresh()
	if got := b.picture().RGBAAt(700, b.line(5).Min.Y); got != style.Dark().Ground {
		t.Errorf("ground %v after the change to dark", got)
	}
}

func TestThePictureIsSharpOnEveryScreen(t *testing.T) {
	b := newBench(t, style.VariantLight, records(100))
	cell := b.geometry().cell
	size := b.Size()
	picture := b.paint(int(size.Width)*2, int(size.Height)*2)
	if picture.Bounds().Dx() != 1600 {
		t.Errorf("picture is %v", picture.Bounds())
	}
	if got := b.geometry().cell; got < 2*cell-1 || got > 2*cell+1 {
		t.Errorf("characters of %d pixels, twice as fine %d", cell, got)
	}
	b.click(3, 0) // positions are in units, not pixels
	if want := strings.TrimPrefix(b.rowText(b.top+3), "record "); b.selected() != want {
		t.Errorf("selected %s, want %s", b.selected(), want)
	}
	if b.paint(0, 0).Bounds().Dx() != 0 {
		t.Error("a picture of nothing")
	}
}

func TestFollowing(t *testing.T) {
	rows := records(300)
	b := newBench(t, style.VariantLight, rows[:100])
	var changes []bool
	b.OnFollow = func(on bool) { changes = append(changes, on) }
	check := func(what, first string, following bool, unseen int) {
		t.Helper()
		if b.first() != "record "+first || b.Following() != following || b.Unseen() != unseen {
			t.Errorf("%s: first row %q, following %v, %d unseen; want %s, %v, %d", what, b.first(), b.Following(), b.Unseen(), first, following, unseen)
		}
	}
	check("at the beginning", "90", true, 0)
	b.SetRows(rows[:110])
	check("after ten more", "100", true, 0)
	b.wheelBy(-5)
	check("after scrolling up", "95", false, 0)
	b.SetRows(rows[:150])
	check("after forty more", "95", false, 40)
	b.wheelBy(20)
	check("after scrolling down a bit", "115", false, 25)
	b.wheelBy(1000)
	check("after scrolling down to the end", "140", true, 0)
	b.click(3, 0)
	b.SetRows(rows[:160])
	check("after a click on a row", "140", false, 10)
	b.key(fyne.KeyEnd)
	check("after the End key", "150", true, 0)
	b.key(fyne.KeyUp)
	check("after moving the cursor", "142", false, 0)
	b.SetFollowing(true)
	check("after the switch", "150", true, 0)
	if diff := cmp.Diff([]bool{false, true, false, true, false, true}, changes); diff != "" {
		t.Error(diff)
	}
}

func TestTheHintLeadsToTheNewRows(t *testing.T) {
	rows := records(200)
	b := newBench(t, style.VariantLight, rows[:100])
	b.wheelBy(-5)
	if b.hintText() != "" {
		t.Errorf("hint %q without new rows", b.hintText())
	}
	b.SetRows(rows[:112])
	if b.hintText() != "↓ 12 new" {
		t.Errorf("hint %q", b.hintText())
	}
	area := b.hintRect(b.geometry())
	if count(b.picture(), area, b.palette.Accent) == 0 {
		t.Error("the hint is not drawn")
	}
	middle := area.Min.Add(area.Size().Div(2))
	b.press(fyne.NewPos(float32(middle.X), float32(middle.Y)), desktop.MouseButtonPrimary, 0)
	if !b.Following() || b.first() != "record 102" {
		t.Errorf("after a click on the hint: following %v, first %s", b.Following(), b.first())
	}
}

func TestRowsInSightStayWhereTheyAreWhenOldOnesAreForgotten(t *testing.T) {
	store := model.NewStore(model.StoreOptions{Records: 100})
	for _, r := range records(100) {
		_ = store.Handle(t.Context(), r)
	}
	b := newBench(t, style.VariantLight, store.Snapshot())
	b.wheelBy(-40)
	b.click(2, 0)
	before := b.first()
	for _, r := range records(30) {
		_ = store.Handle(t.Context(), r)
	}
	b.SetRows(store.Snapshot())
	if b.first() != before || b.selected() != "52" {
		t.Errorf("first row %s, selected %s; want %s, 52", b.first(), b.selected(), before)
	}
	for _, r := range records(60) {
		_ = store.Handle(t.Context(), r)
	}
	b.SetRows(store.Snapshot())
	if b.top != 0 || b.selected() != "" || b.Current() != nil {
		t.Errorf("forgotten rows are shown: top %d, selected %q", b.top, b.selected())
	}
	store.Clear()
	b.SetRows(store.Snapshot())
	b.picture()
	b.key(fyne.KeyUp, fyne.KeyDown, fyne.KeyPageDown, fyne.KeyEnd, fyne.KeyReturn, fyne.KeyF3)
	b.shiftKey(fyne.KeyEnd)
	b.click(0, 0)
}

func TestSelectingWithTheMouse(t *testing.T) {
	tests := []struct {
		name string
		act  func(b *bench)
		want string
	}{
		{"click", func(b *bench) { b.click(0, 0); b.click(2, 0) }, "92"},
		{"shift", func(b *bench) { b.click(4, 0); b.click(2, fyne.KeyModifierShift) }, "92 93 94"},
		{"ctrl", func(b *bench) {
			b.click(4, 0)
			b.click(2, fyne.KeyModifierShortcutDefault)
			b.click(6, fyne.KeyModifierShortcutDefault)
			b.click(4, fyne.KeyModifierShortcutDefault)
		}, "92 96"},
		{"drag", func(b *bench) {
			b.press(b.at(1), desktop.MouseButtonPrimary, 0)
			b.drag(b.at(3))
			b.DragEnd()
		}, "91 92 93"},
		{"drag beyond the top", func(b *bench) {
			b.press(b.at(1), desktop.MouseButtonPrimary, 0)
			b.drag(fyne.NewPos(10, -50))
			b.drag(fyne.NewPos(10, -60))
			b.DragEnd()
		}, "88 89 90 91"},
		{"secondary selects", func(b *bench) { b.press(b.at(1), desktop.MouseButtonSecondary, 0) }, "91"},
		{"secondary keeps", func(b *bench) {
			b.click(1, 0)
			b.click(3, fyne.KeyModifierShift)
			b.press(b.at(2), desktop.MouseButtonSecondary, 0)
		}, "91 92 93"},
		{"all", func(b *bench) { b.SetRows(records(3)); b.TypedShortcut(&fyne.ShortcutSelectAll{}) }, "0 1 2"},
		{"other filter", func(b *bench) { b.click(1, 0); b.click(3, fyne.KeyModifierShift); b.CollapseSelection() }, "93"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, style.VariantLight, records(100))
			test.act(b)
			if got := b.selected(); got != test.want {
				t.Errorf("selected %s, want %s", got, test.want)
			}
		})
	}
}

func TestMovingWithTheKeyboard(t *testing.T) {
	const up, down, pageUp, pageDown, home = fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome
	tests := []struct {
		name            string
		act             func(b *bench)
		selected, first string
	}{
		{"down from nowhere", func(b *bench) { b.key(down) }, "90", "90"},
		{"up from nowhere", func(b *bench) { b.key(up) }, "99", "90"},
		{"up and down", func(b *bench) { b.key(up, up, up, down) }, "98", "90"},
		{"page up", func(b *bench) { b.key(up, pageUp, pageUp) }, "81", "81"},
		{"page down", func(b *bench) { b.key(home, pageDown, pageDown) }, "18", "9"},
		{"home", func(b *bench) { b.key(up, home) }, "0", "0"},
		{"home from nowhere", func(b *bench) { b.key(home) }, "0", "0"},
		{"above the first", func(b *bench) { b.key(home, up, pageUp) }, "0", "0"},
		{"below the last", func(b *bench) { b.key(up, down, pageDown) }, "99", "90"},
		{"shift", func(b *bench) { b.key(up, up); b.shiftKey(up, up) }, "96 97 98", "90"},
		{"shift and end", func(b *bench) { b.key(up, up, up); b.shiftKey(fyne.KeyEnd) }, "97 98 99", "90"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, style.VariantLight, records(100))
			test.act(b)
			if b.selected() != test.selected || b.first() != "record "+test.first {
				t.Errorf("selected %s, first row %q; want %s, %s", b.selected(), b.first(), test.selected, test.first)
			}
		})
	}
}

func TestCallbacks(t *testing.T) {
	b := newBench(t, style.VariantLight, records(100))
	var calls []string
	b.OnCursor = func(r *core.Record) { calls = append(calls, "cursor "+r.Message()) }
	b.OnOpen = func(r *core.Record) { calls = append(calls, "open "+r.Message()) }
	b.OnMenu = func(r *core.Record, at fyne.Position) {
		calls = append(calls, fmt.Sprint("menu ", r.Message(), " ", at))
	}
	b.OnHeaderMenu = func(at fyne.Position) { calls = append(calls, fmt.Sprint("header ", at)) }
	b.OnKey = func(name fyne.KeyName) { calls = append(calls, "key "+string(name)) }
	b.OnShortcut = func(s fyne.Shortcut) { calls = append(calls, s.ShortcutName()) }
	b.click(1, 0)
	b.DoubleTapped(&fyne.PointEvent{Position: b.at(1)})
	b.key(fyne.KeyReturn, fyne.KeyEscape)
	b.TappedSecondary(&fyne.PointEvent{Position: b.at(2), AbsolutePosition: fyne.NewPos(7, 8)})
	b.TappedSecondary(&fyne.PointEvent{Position: fyne.NewPos(5, 5), AbsolutePosition: fyne.NewPos(1, 2)})
	b.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierControl})
	b.TypedRune('x')
	want := []string{
		"cursor record 91", "open record 91", "open record 91", "key Escape", "menu record 92 {7 8}", "header {1 2}",
		"CustomDesktop:Control+F",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
}

func TestCopying(t *testing.T) {
	b := newBench(t, style.VariantLight, records(100))
	var said string
	b.OnCopied = func(n, of int) { said = fmt.Sprint(n, " of ", of) }
	b.TypedShortcut(&fyne.ShortcutCopy{})
	if b.copied != "" || said != "" {
		t.Errorf("copied %q with nothing selected", b.copied)
	}
	b.click(1, 0)
	b.click(2, fyne.KeyModifierShift)
	b.TypedShortcut(&fyne.ShortcutCopy{})
	if b.copied != "record 91\nrecord 92" || said != "2 of 2" {
		t.Errorf("copied %q, %s", b.copied, said)
	}
	b.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyC, Modifier: fyne.KeyModifierShortcutDefault | fyne.KeyModifierShift})
	if b.copied != "{record 91}\n{record 92}" {
		t.Errorf("copied %q", b.copied)
	}
}

func TestSearching(t *testing.T) {
	b := newBench(t, style.VariantLight, records(100))
	if b.FindNext() {
		t.Error("found without anything to search for")
	}
	m, err := model.Filter{Text: "7 record"}.Compile() // 7, 17, 27, ...; 70 to 79
	if err != nil {
		t.Fatal(err)
	}
	b.SetMatcher(m)
	b.key(fyne.KeyHome, fyne.KeyF3)
	if b.selected() != "7" {
		t.Errorf("found %s first, want 7", b.selected())
	}
	b.key(fyne.KeyF3)
	if b.selected() != "17" || b.first() != "record 8" {
		t.Errorf("found %s then, first row %s; want 17, 8", b.selected(), b.first())
	}
	b.shiftKey(fyne.KeyF3, fyne.KeyF3)
	if b.selected() != "97" {
		t.Errorf("found %s backwards, want 97", b.selected())
	}
	g := b.geometry()
	hits := count(b.picture(), b.line(97-b.top), b.palette.Match)
	if hits == 0 {
		t.Error("what was searched for is not marked")
	}
	if hits > 8*g.cell*g.row {
		t.Errorf("%d pixels are marked", hits)
	}
}

func TestTheScrollBar(t *testing.T) {
	b := newBench(t, style.VariantLight, records(1000))
	g := b.geometry()
	x := float32(g.track.Min.X + 5)
	top, bottom := float32(g.track.Min.Y), float32(g.track.Max.Y)
	b.press(fyne.NewPos(x, bottom-3), desktop.MouseButtonPrimary, 0) // the thumb is at the end
	b.drag(fyne.NewPos(x, top-100))
	b.DragEnd()
	if b.first() != "record 0" || b.Following() {
		t.Errorf("dragged to the top: first row %s", b.first())
	}
	b.press(fyne.NewPos(x, (top+bottom)/2), desktop.MouseButtonPrimary, 0) // the thumb comes to the mouse
	if b.top < 480 || b.top > 510 {
		t.Errorf("pressed in the middle: first row %s", b.first())
	}
	b.drag(fyne.NewPos(x, bottom+100))
	b.MouseUp(&desktop.MouseEvent{})
	if b.first() != "record 990" || !b.Following() {
		t.Errorf("dragged to the end: first row %s, following %v", b.first(), b.Following())
	}
	b.drag(fyne.NewPos(x, top)) // nothing is held
	if b.first() != "record 990" {
		t.Error("scrolled by a drag that began elsewhere")
	}
	b.SetRows(records(5))
	if !b.thumb(b.geometry()).Empty() {
		t.Error("a scroll bar where everything is in sight")
	}
}

func TestLongMessagesScrollSideways(t *testing.T) {
	long := strings.Repeat("x", 300) + " END"
	b := newBench(t, style.VariantLight, model.List{record(core.LevelInfo, long), record(core.LevelError, strings.Repeat("日", 100_000))})
	b.picture()
	b.SetRows(model.List{record(core.LevelInfo, long)})
	b.picture()
	g := b.geometry()
	if b.sideThumb(g).Empty() {
		t.Fatal("no horizontal scroll bar")
	}
	for range 100 {
		b.key(fyne.KeyRight)
	}
	if want := 304 - g.messageCells + 2; b.indent != want {
		t.Errorf("scrolled by %d characters, want %d", b.indent, want)
	}
	b.picture()
	b.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(1000, 0)})
	if b.indent != 0 {
		t.Errorf("scrolled back to %d", b.indent)
	}
	thumb := b.sideThumb(g)
	b.press(fyne.NewPos(float32(thumb.Min.X+5), float32(thumb.Min.Y+4)), desktop.MouseButtonPrimary, 0)
	b.drag(fyne.NewPos(2000, float32(thumb.Min.Y)))
	if b.indent != b.maxIndent(g) {
		t.Errorf("dragged to %d of %d", b.indent, b.maxIndent(g))
	}
}

func TestColumns(t *testing.T) {
	b := newBench(t, style.VariantLight, records(5))
	g := b.geometry()
	border := fyne.NewPos(float32(g.columns[2].x1+5), 5)
	b.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: border}})
	if b.Cursor() != desktop.HResizeCursor {
		t.Error("the border does not look as if it could be dragged")
	}
	b.press(border, desktop.MouseButtonPrimary, 0)
	b.drag(border.AddXY(float32(10*g.cell), 0))
	b.MouseUp(&desktop.MouseEvent{})
	if got := b.geometry().columns[2].Cells; got != 26 {
		t.Errorf("channel is %d wide after dragging, want 26", got)
	}
	b.press(border.AddXY(float32(10*g.cell), 0), desktop.MouseButtonPrimary, 0)
	b.drag(fyne.NewPos(-1000, 0))
	if got := b.geometry().columns[2].Cells; got != minColumn {
		t.Errorf("channel is %d wide, want %d", got, minColumn)
	}
	b.ShowColumn(ColumnProcess, true)
	b.ShowColumn(ColumnTime, false)
	var ids []ColumnID
	for _, c := range b.geometry().columns {
		ids = append(ids, c.ID)
	}
	if diff := cmp.Diff([]ColumnID{ColumnLevel, ColumnProcess, ColumnChannel}, ids); diff != "" {
		t.Error(diff)
	}
	kept := b.Columns()
	b.SetColumns([]Column{{ID: ColumnTime, Cells: 1000}})
	if got := b.Columns()[0].Cells; got != maxColumn {
		t.Errorf("width %d", got)
	}
	b.SetColumns(kept)
	b.window.Resize(fyne.NewSize(60, 60)) // narrower than the columns
	b.picture()
	if b.geometry().messageCells < 0 {
		t.Error("a message of less than nothing")
	}
}

func TestWhatCellsShow(t *testing.T) {
	b := newBench(t, style.VariantLight, records(1))
	r := record(core.LevelError, "x")
	r.Process, r.Thread = core.Process{ID: 7, Name: "wor\x1b[1mker"}, core.Thread{Name: "T"}
	r.Channel = "a\tb"
	for id, want := range map[ColumnID]string{
		ColumnTime: "09:26:53.589", ColumnLevel: "ERROR", ColumnChannel: "a    b", ColumnProcess: "worker 7",
		ColumnThread: "T", ColumnSource: "dev", ColumnMessage: "",
	} {
		if got := b.cellText(id, r); got != want {
			t.Errorf("%s shows %q, want %q", id, got, want)
		}
	}
	r.Time = start.AddDate(0, 0, -9)
	if got := b.timeText(r); got != "Mar  5 09:26" {
		t.Errorf("a time of another day reads %q", got)
	}
	r.Time = time.Time{}
	if got := b.timeText(r); got != "" {
		t.Errorf("no time reads %q", got)
	}
	for want, s := range map[string]model.Summary{
		"": {Line: "x"}, "↵ +1 line": {More: 1}, "↵ +2 lines, traceback": {More: 2, Trace: true}, "↵ traceback": {Trace: true},
	} {
		if got := markerText(s); got != want {
			t.Errorf("marker %q, want %q", got, want)
		}
	}
}

func TestHoverAndMark(t *testing.T) {
	b := newBench(t, style.VariantDark, records(5))
	b.MouseIn(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: b.at(1)}})
	if count(b.picture(), b.line(1), b.palette.Hover) == 0 {
		t.Error("the row under the mouse does not show it")
	}
	b.MouseOut()
	if count(b.picture(), b.line(1), b.palette.Hover) != 0 {
		t.Error("the row still shows the mouse")
	}
	b.SetMark(3)
	if count(b.picture(), b.line(3), b.palette.Marked) == 0 {
		t.Error("the marked row is not set off")
	}
	if !b.Select(3) || b.Select(99) {
		t.Error("Select")
	}
	if count(b.picture(), b.line(3), b.palette.Selected) == 0 || count(b.picture(), b.line(3), b.palette.Accent) == 0 {
		t.Error("the selected row is not seen, or its mark")
	}
}

func TestFocusIsShown(t *testing.T) {
	b := newBench(t, style.VariantLight, records(5))
	b.click(1, 0)
	if b.window.Canvas().Focused() != fyne.Focusable(b.View) {
		t.Fatal("a click does not give the focus")
	}
	corner := image.Rect(0, 0, 1, 1)
	if count(b.picture(), corner, b.palette.Accent) != 1 {
		t.Error("the focus is not seen")
	}
	b.window.Canvas().Unfocus()
	if count(b.picture(), corner, b.palette.Accent) != 0 {
		t.Error("the focus is still seen")
	}
}

func TestAnEmptyViewSaysWhy(t *testing.T) {
	b := newBench(t, style.VariantLight, model.List(nil))
	before := count(b.picture(), b.picture().Rect, b.palette.Muted)
	b.SetEmptyText("Waiting for records …\nor so")
	if count(b.picture(), b.picture().Rect, b.palette.Muted) <= before {
		t.Error("nothing is said")
	}
}

func TestTheCurrentRowStaysInSightWhenTheViewGetsLower(t *testing.T) {
	b := newBench(t, style.VariantLight, records(100))
	b.click(8, 0)
	size := b.window.Canvas().Size()
	b.window.Resize(fyne.NewSize(size.Width, size.Height/2))
	row, _ := b.cursorRow()
	if full := b.geometry().full; row < b.top || row >= b.top+full {
		t.Errorf("row %d is out of sight: %d rows from %d on", row, full, b.top)
	}
}

func TestAMillionRowsAreAsGoodAsAHundred(t *testing.T) {
	store := model.NewStore(model.StoreOptions{Records: 1_000_000, Bytes: 1 << 40})
	r := record(core.LevelInfo, "record")
	for range 1_000_000 {
		_ = store.Handle(t.Context(), r)
	}
	b := newBench(t, style.VariantLight, store.Snapshot())
	if b.top != 999_990 {
		t.Errorf("follows at row %d", b.top)
	}
	b.wheelBy(-1)
	if b.top != 999_989 { // a step of one row is possible at the far end
		t.Errorf("one row up is row %d", b.top)
	}
	b.picture()
	allocated := testing.AllocsPerRun(20, func() { b.SetRows(store.Snapshot()); b.picture() })
	if allocated > 200 {
		t.Errorf("%.0f allocations for a frame", allocated)
	}
	if b.glyphs.Len() > 10 {
		t.Errorf("%d glyphs beyond ASCII are held", b.glyphs.Len())
	}
}

func BenchmarkPaint(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			store := model.NewStore(model.StoreOptions{Records: n, Bytes: 1 << 40})
			r := record(core.LevelInfo, strings.Repeat("payment accepted ", 8))
			for range n {
				_ = store.Handle(b.Context(), r)
			}
			view := newBench(b, style.VariantLight, store.Snapshot())
			view.window.Resize(fyne.NewSize(1100, 700))
			b.ReportAllocs()
			for b.Loop() {
				view.SetRows(store.Snapshot())
				view.paint(1100, 700)
			}
		})
	}
}
