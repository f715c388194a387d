package rejectedwindow

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/ui/style"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.Local)

// bench is a window with a program behind it, and with a goroutine that stands for the
// toolkit's: what is dispatched waits until settle carries it out.
type bench struct {
	*Window
	todo   chan func()
	canvas fyne.Canvas
	copied string
	closed bool

	mu   sync.Mutex
	list []Message
	more string          // of each body
	good map[uint64]bool // what is a record when it is read again
	err  error           // of removing
}

func message(id uint64, start string) Message {
	return Message{
		ID: id, Time: noon.Add(-time.Duration(10-id) * time.Minute), Reason: "malformed", Detail: "no value at byte 3",
		Peer: "127.0.0.1:4711", Size: "8 bytes", Start: start,
	}
}

func newBench(t *testing.T, list ...Message) *bench {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(style.NewTheme(style.VariantLight))
	b := &bench{todo: make(chan func(), 100), list: list, good: map[uint64]bool{}}
	b.Window = New(Options{
		Source: "front", List: b.messages, Body: b.body, Retry: b.retry, Remove: b.removeOne,
		Dispatch: func(f func()) { b.todo <- f }, Copy: func(s string) { b.copied = s }, Close: func() { b.closed = true },
		Now: func() time.Time { return noon },
	})
	window := test.NewTempWindow(t, b.Object())
	b.canvas = window.Canvas()
	b.AddShortcuts(b.canvas)
	window.Resize(fyne.NewSize(820, 560))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	b.settle(t, func() bool { return len(b.Window.messages) == len(list) })
	return b
}

func (b *bench) messages() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

func (b *bench) body(id uint64) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.list {
		if m.ID == id {
			return "all of " + m.Start + b.more, nil
		}
	}
	return "", errors.New("there is no such message")
}

func (b *bench) retry(_ context.Context, id uint64) (r Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = slices.DeleteFunc(b.list, func(m Message) bool {
		if id != 0 && id != m.ID {
			return false
		}
		if b.good[m.ID] {
			r.Records++
			return true
		}
		r.Failed, r.Error = r.Failed+1, "malformed: "+m.Start
		return false
	})
	return r
}

func (b *bench) removeOne(id uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.list = slices.DeleteFunc(b.list, func(m Message) bool { return id == 0 || id == m.ID })
	return nil
}

// settle carries out what was dispatched until condition holds.
func (b *bench) settle(t *testing.T, condition func() bool) {
	t.Helper()
	end := time.After(20 * time.Second)
	for !condition() {
		select {
		case f := <-b.todo:
			f()
		case <-end:
			why, about, body := b.Shown()
			t.Fatalf("it does not come about; shown: %q, %q, %q, %q", b.Lines(), why, about, body)
		}
	}
}

// shows waits until this body is shown.
func (b *bench) shows(t *testing.T, body string) {
	t.Helper()
	b.settle(t, func() bool { _, _, got := b.Shown(); return got == body && !b.busy })
}

func TestMessagesAreListedAndShown(t *testing.T) {
	old := message(1, "first")
	old.Time = noon.AddDate(0, 0, -2)
	b := newBench(t, message(3, "third"), message(2, "second"), old)
	want := []string{
		"3 rejected messages of front",
		"11:53:00     malformed      third",
		"11:52:00     malformed      second",
		"03-12 12:00  malformed      first",
	}
	if diff := cmp.Diff(want, b.Lines()); diff != "" {
		t.Error(diff)
	}
	if why, about, body := b.Shown(); why != "" || about != "Select a message to see all of it." || body != "" || !b.Window.retry.Disabled() || !b.copyButton.Disabled() {
		t.Errorf("before one is selected: %q, %q", about, body)
	}
	b.Window.list.Select(1)
	b.shows(t, "all of second")
	if why, about, _ := b.Shown(); why != "malformed: no value at byte 3" || about != "2026-03-14 11:52:00  ·  8 bytes  ·  from 127.0.0.1:4711" {
		t.Errorf("shown about it: %q, %q", why, about)
	}
	test.Tap(b.copyButton)
	if b.copied != "all of second" {
		t.Errorf("copied %q", b.copied)
	}
}

func TestTheListFollowsAndTheSelectionStays(t *testing.T) {
	b := newBench(t, message(2, "second"), message(1, "first"))
	b.Select(1)
	b.shows(t, "all of first")
	b.mu.Lock()
	b.list = append([]Message{message(3, "third")}, b.list...)
	b.mu.Unlock()
	b.settle(t, func() bool { return len(b.Lines()) == 4 })
	if _, _, body := b.Shown(); body != "all of first" || b.selected != 1 {
		t.Errorf("selected %d, shown %q", b.selected, body)
	}
	b.mu.Lock()
	b.list = nil // somebody has cleared it
	b.mu.Unlock()
	b.settle(t, func() bool { return b.Lines()[0] == "0 rejected messages of front" })
	if why, about, body := b.Shown(); why+about != "" || body != "" || b.selected != 0 || !b.empty.Visible() || !b.clear.Disabled() {
		t.Errorf("shown when nothing is there: %q, %q, %q", why, about, body)
	}
}

func TestTheArrowsGoThroughTheList(t *testing.T) {
	b := newBench(t, message(3, "third"), message(2, "second"), message(1, "first"))
	for _, step := range []struct {
		key  fyne.KeyName
		want string
	}{
		{fyne.KeyDown, "third"}, {fyne.KeyDown, "second"}, {fyne.KeyDown, "first"}, {fyne.KeyDown, "first"}, {fyne.KeyUp, "second"},
	} {
		b.List().TypedKey(&fyne.KeyEvent{Name: step.key})
		b.shows(t, "all of "+step.want)
	}
}

func TestARetrySaysWhatBecameOfIt(t *testing.T) {
	b := newBench(t, message(3, "third"), message(2, "second"), message(1, "first"))
	b.Select(2)
	test.Tap(b.Window.retry)
	b.settle(t, func() bool { return !b.busy })
	if got := b.Lines()[1]; got != "still no record: malformed: second" {
		t.Errorf("one that is still none: %q", got)
	}
	b.good[2], b.good[3] = true, true
	test.Tap(b.Window.retry)
	b.settle(t, func() bool { return !b.busy })
	if got := b.Lines(); len(got) != 4 || got[1] != "1 message is a record now" || b.selected != 0 {
		t.Errorf("one that is one now: %q, selected %d", got, b.selected)
	}
	test.Tap(b.retryAll)
	b.settle(t, func() bool { return !b.busy })
	if got := b.Lines(); len(got) != 3 || got[1] != "1 message is a record now; still no record: malformed: first" {
		t.Errorf("all of them: %q", got)
	}
}

func TestOneMessageIsRemovedAndTheNextIsShown(t *testing.T) {
	b := newBench(t, message(3, "third"), message(2, "second"), message(1, "first"))
	b.Select(2)
	b.shows(t, "all of second")
	b.List().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	b.shows(t, "all of first")
	if len(b.Lines()) != 3 || b.selected != 1 {
		t.Errorf("left: %q, selected %d", b.Lines(), b.selected)
	}
	b.mu.Lock()
	b.err = errors.New("permission denied")
	b.mu.Unlock()
	test.Tap(b.remove)
	b.settle(t, func() bool { return !b.busy })
	if got := b.Lines(); len(got) != 4 || got[1] != "permission denied" {
		t.Errorf("shown when it cannot be removed: %q", got)
	}
}

func TestAllAreRemovedOnceThatIsConfirmed(t *testing.T) {
	b := newBench(t, message(2, "second"), message(1, "first"))
	key := func(name fyne.KeyName) { b.canvas.OnTypedKey()(&fyne.KeyEvent{Name: name}) }
	test.Tap(b.clear)
	if !b.confirm.Visible() || b.really.Text != "Remove all 2" || b.all.Visible() || b.canvas.Focused() != b.keep {
		t.Errorf("asked %q, focus on %v", b.really.Text, b.canvas.Focused())
	}
	b.keep.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if b.confirm.Visible() || b.closed {
		t.Error("Escape does not mean no")
	}
	test.Tap(b.clear)
	test.Tap(b.keep)
	if b.confirm.Visible() || len(b.messages()) != 2 {
		t.Error("they are not kept")
	}
	test.Tap(b.clear)
	test.Tap(b.really)
	b.settle(t, func() bool { return !b.busy })
	if diff := cmp.Diff([]string{"0 rejected messages of front", "removed: 2"}, b.Lines()); diff != "" || len(b.messages()) != 0 {
		t.Error(diff)
	}
	key(fyne.KeyEscape)
	if !b.closed {
		t.Error("Escape does not close the window")
	}
}

func TestALargeMessageIsShownInPartAndCopiedWhole(t *testing.T) {
	b := newBench(t, message(1, ""))
	b.more = strings.Repeat("ä", 100_000)
	b.Select(1)
	b.settle(t, func() bool { _, _, body := b.Shown(); return body != "" })
	_, _, body := b.Shown()
	if want := "\n… 180\u2009007 more bytes: copy the message, or see logbook-tray rejected show 1"; len(body) > 21_000 || !strings.HasSuffix(body, want) {
		t.Errorf("shown are %d bytes, ending in %q", len(body), body[max(0, len(body)-100):])
	}
	test.Tap(b.copyButton)
	if len(b.copied) != len("all of ")+200_000 {
		t.Errorf("copied are %d bytes", len(b.copied))
	}
}
