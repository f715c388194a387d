package welcomewindow

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"github.com/logbook-tray/logbook-tray/ui/style"
)

type bench struct {
	*Window
	window fyne.Window
	copied string
	calls  []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(style.NewTheme(style.VariantDark))
	b := &bench{}
	call := func(what string) func() { return func() { b.calls = append(b.calls, what) } }
	b.Window = New(Options{
		Snippets: []Snippet{{"Python", "Add one line:", "import logging"}, {"Shell", "", "logbook-tray send hello"}},
		Copy:     func(text string) { b.copied = text },
		Try:      call("try"), OpenLog: call("log"), Close: call("close"),
	})
	b.window = test.NewTempWindow(t, b.Object())
	b.AddShortcuts(b.window.Canvas())
	b.window.Resize(fyne.NewSize(760, 480))
	return b
}

func TestASnippetIsCopiedAsItIsShown(t *testing.T) {
	b := newBench(t)
	test.Tap(b.copies[0])
	if b.copied != "import logging" || b.copies[0].Text != "Copied" {
		t.Errorf("copied %q, the button says %q", b.copied, b.copies[0].Text)
	}
	test.Tap(b.copies[1])
	if b.copied != "logbook-tray send hello" || b.copies[0].Text != "Copy" {
		t.Errorf("copied %q, the first button says %q", b.copied, b.copies[0].Text)
	}
}

func TestTheWindowTurnsGreenWithTheFirstRecord(t *testing.T) {
	b := newBench(t)
	if got := b.State(); got != "Waiting for the first record…" || b.log.Visible() {
		t.Errorf("at first it says %q", got)
	}
	b.Arrived("shop", "pay\x1b[31mment\u202e declined")
	if got := b.State(); got != "It works: a record of shop has come: payment\uFFFD declined" {
		t.Errorf("then it says %q", got)
	}
	if b.state.Importance != widget.SuccessImportance || !b.log.Visible() {
		t.Error("it does not look like a success")
	}
	b.Arrived("shop", strings.Repeat("later", 100))
	if got := b.State(); strings.Contains(got, "later") {
		t.Errorf("a second record changes it to %q", got)
	}
	test.Tap(b.log)
	if len(b.calls) != 1 || b.calls[0] != "log" {
		t.Errorf("it did %v", b.calls)
	}
}

func TestEscapeClosesTheWindow(t *testing.T) {
	b := newBench(t)
	b.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if len(b.calls) != 1 || b.calls[0] != "close" {
		t.Errorf("it did %v", b.calls)
	}
}

func TestWhatKeepsRecordsFromComingIsSaid(t *testing.T) {
	test.NewTempApp(t)
	w := New(Options{Problem: "http: 127.0.0.1:9022 is in use"})
	if w.State() != "http: 127.0.0.1:9022 is in use" || w.state.Importance != widget.DangerImportance {
		t.Errorf("it says %q", w.State())
	}
}
