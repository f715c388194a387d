package detail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func record() *core.Record {
	r := &core.Record{
		Channel: "shop", Level: core.LevelCritical, Msg: "m", Time: start,
		Site:    core.Site{File: "/srv/shop.py", Line: 7, Function: "pay"},
		Process: core.Process{ID: 42}, Thread: core.Thread{Name: "Main"},
		Extra:  core.Fields{{Key: "order", Value: map[string]any{"id": int64(4711)}}},
		Args:   []any{"first"},
		Kwargs: core.Fields{{Key: "named", Value: "second"}},
		Exception: &core.Exception{
			Name: "shop.Declined", Message: "no funds",
			Traceback: "Traceback:\n  File \"/srv/a.py\", line 1, in f\n    f()\n  File \"/srv/b.py\", line 2, in g\n    g()\nshop.Declined: no funds",
		},
	}
	r.SetMessage("payment \x1b[31mdeclined\u202e")
	return core.NewReceived(r, core.Source{Name: "dev", Peer: "127.0.0.1"}, start)
}

type bench struct {
	*Pane
	window fyne.Window
	copied []string
	opened []core.Site
	closed int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(style.NewTheme(style.VariantLight))
	b := &bench{}
	b.Pane = New(Options{
		JSON:       func(r *core.Record) string { return "{" + r.Channel + "}" },
		Copy:       func(text string) { b.copied = append(b.copied, text) },
		OpenEditor: func(s core.Site) { b.opened = append(b.opened, s) },
		Close:      func() { b.closed++ },
		Now:        func() time.Time { return start.Add(time.Minute) },
	})
	b.window = test.NewTempWindow(t, b.Object())
	b.window.Resize(fyne.NewSize(1000, 500))
	return b
}

// texts lists what the pane shows.
func (b *bench) texts() []string {
	var out []string
	walk(b.Object(), func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Label:
			out = append(out, o.Text)
		case *siteLink:
			out = append(out, o.text.Text)
		case *canvas.Text:
			out = append(out, o.Text)
		}
	})
	return out
}

func walk(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	if !o.Visible() {
		return
	}
	visit(o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			walk(child, visit)
		}
	case *widget.Label, *siteLink:
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			walk(child, visit)
		}
	}
}

func find[T fyne.CanvasObject](b *bench, wanted func(T) bool) (found T) {
	walk(b.Object(), func(o fyne.CanvasObject) {
		if o, ok := o.(T); ok && wanted(o) {
			found = o
		}
	})
	return found
}

func (b *bench) button(text string) *widget.Button {
	return find(b, func(o *widget.Button) bool { return o.Text == text })
}

func TestThePaneShowsEverythingOfARecord(t *testing.T) {
	b := newBench(t)
	b.Show(record())
	all := "\n" + strings.Join(b.texts(), "\n") + "\n"
	for _, want := range []string{
		"\nCRITICAL\n", "\nshop\n", "\npayment declined�\n", "\nshop.Declined: no funds\n", "\nTraceback:\n", "\n    g()\nshop.Declined: no funds\n",
		"\norder\n", "\n  id\n4711\n", "\n0\nfirst\n", "\nnamed\nsecond\n", "\nlevel\nCRITICAL\n", "\nUTC\n2026-03-14 09:26:53.000000\n",
		"(60 s ago)", "\n/srv/shop.py:7\n", "\nfunction\npay\n", "\nprocess\n42\n", "\nthread\nMain\n", "\nsource\ndev (127.0.0.1)\n", "\nreceived\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in %s", want, all)
		}
	}
	if strings.ContainsAny(all, "\x1b\u202e") {
		t.Errorf("control characters in %q", all)
	}
}

func TestTextCanBeSelected(t *testing.T) {
	b := newBench(t)
	b.Show(record())
	message := find(b, func(l *widget.Label) bool { return strings.HasPrefix(l.Text, "payment") })
	if message == nil || !message.Selectable {
		t.Error("the message cannot be selected")
	}
}

func TestEveryFrameOpensTheEditor(t *testing.T) {
	b := newBench(t)
	b.Show(record())
	var links []*siteLink
	walk(b.Object(), func(o fyne.CanvasObject) {
		if l, ok := o.(*siteLink); ok {
			links = append(links, l)
		}
	})
	for _, l := range links {
		l.MouseIn(&desktop.MouseEvent{})
		if l.Cursor() != desktop.PointerCursor || !l.text.TextStyle.Underline {
			t.Error("a link does not look like one")
		}
		l.MouseOut()
		test.Tap(l)
	}
	want := []core.Site{{File: "/srv/a.py", Line: 1, Function: "f"}, {File: "/srv/b.py", Line: 2, Function: "g"}, {File: "/srv/shop.py", Line: 7, Function: "pay"}}
	if diff := cmp.Diff(want, b.opened); diff != "" {
		t.Error(diff)
	}
}

func TestTheButtonsCopy(t *testing.T) {
	b := newBench(t)
	if b.button("JSON") != nil {
		t.Error("there is something to copy without a record")
	}
	b.Show(record())
	for _, name := range []string{"Copy text", "JSON", "Markdown"} {
		test.Tap(b.button(name))
	}
	if len(b.copied) != 3 || !strings.Contains(b.copied[0], "] CRITICAL: shop: payment") || b.copied[1] != "{shop}" || !strings.HasPrefix(b.copied[2], "### Critical: payment") {
		t.Errorf("copied %q", b.copied)
	}
	find(b, func(o *widget.Button) bool { return o.Text == "" }).OnTapped()
	if b.closed != 1 {
		t.Error("not closed")
	}
}

func TestWithoutARecordThereIsAHint(t *testing.T) {
	b := newBench(t)
	if got := b.texts(); fmt.Sprint(got) != "[Select a record to see all of it.]" {
		t.Errorf("shows %q", got)
	}
	r := record()
	b.Show(r)
	if b.Record() != r {
		t.Error("another record")
	}
	b.Show(nil)
	if got := b.texts(); len(got) != 1 || b.Record() != nil {
		t.Errorf("shows %q", got)
	}
}

func TestTheBadgeFollowsTheTheme(t *testing.T) {
	b := newBench(t)
	b.Show(record())
	name := find(b, func(o *badge) bool { return true })
	if name.ground.FillColor != style.Light().Level(core.LevelCritical).Badge || name.ground.Hidden {
		t.Error("not the light colours")
	}
	fyne.CurrentApp().Settings().SetTheme(style.NewTheme(style.VariantDark))
	name.Refresh()
	if name.ground.FillColor != style.Dark().Level(core.LevelCritical).Badge || name.text.Color != style.Dark().Level(core.LevelCritical).Name {
		t.Error("not the dark colours after the change")
	}
}

func TestLongTextsAreBounded(t *testing.T) {
	b := newBench(t)
	r := record()
	r.SetMessage(strings.Repeat("日", 100_000))
	r.Exception.Traceback = strings.Repeat("  File \"/srv/a.py\", line 1, in f\n", 10_000)
	b.Show(r)
	links := 0
	for _, text := range b.texts() {
		if len(text) > maxText+200 {
			t.Errorf("a text of %d bytes is laid out", len(text))
		}
		if strings.Contains(text, "File") {
			links++
		}
	}
	if links != maxFrames || !strings.Contains(strings.Join(b.texts(), "\n"), "280 000 more bytes") && !strings.Contains(strings.Join(b.texts(), "\n"), "more bytes") {
		t.Errorf("%d frames are laid out", links)
	}
}

func TestNarrowPanesPutOnePartBelowTheOther(t *testing.T) {
	b := newBench(t)
	b.Show(record())
	if b.side.Position().X == 0 || b.side.Position().Y != 0 {
		t.Errorf("wide: the second part is at %v", b.side.Position())
	}
	b.window.Resize(fyne.NewSize(500, 500))
	if b.side.Position().X != 0 || b.side.Position().Y < b.main.MinSize().Height {
		t.Errorf("narrow: the second part is at %v, the first is %v high", b.side.Position(), b.main.MinSize().Height)
	}
	if bottom := b.side.Position().Y + b.side.MinSize().Height; b.body.MinSize().Height < bottom {
		t.Errorf("%v of %v can be scrolled to", b.body.MinSize().Height, bottom)
	}
}

func TestWithoutAnEditorPlacesAreText(t *testing.T) {
	test.NewTempApp(t)
	p := New(Options{})
	p.Show(record())
	b := &bench{Pane: p}
	if link := find(b, func(*siteLink) bool { return true }); link != nil {
		t.Error("there is a link")
	}
	p.SetWrap(false)
	if message := find(b, func(l *widget.Label) bool { return strings.HasPrefix(l.Text, "payment") }); message.Wrapping != fyne.TextWrapOff {
		t.Error("lines are still wrapped")
	}
}

func TestAPlaceIsShortenedWhereItTellsLeast(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{`File "/srv/shop/app.py", line 26, in pay`, 100, `File "/srv/shop/app.py", line 26, in pay`},
		{`File "/srv/shop/app.py", line 26, in pay`, 34, `File "…op/app.py", line 26, in pay`},
		{`File "/srv/shop/app.py", line 26, in pay`, 10, `File "/sr…`},
		{"main.go:12", 6, "main.…"},
		{"é\u0301tat", 0, "é\u0301tat"},
	} {
		if got := fit(c.text, c.n); got != c.want {
			t.Errorf("%d letters: %s, want %s", c.n, got, c.want)
		}
	}
}
