package statuswindow

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/ui/style"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.Local)

// bench is a window with a goroutine that stands for the toolkit's: what is dispatched
// waits until settle carries it out.
type bench struct {
	*Window
	todo  chan func()
	calls []string
}

func example() State {
	return State{
		Summary: "12 345 records received", Config: "/home/me/config.yaml",
		Sources: []Part{
			{
				Name: "zeromq", Type: "zeromq", State: "listening", Detail: "tcp://127.0.0.1:5556", Peers: []string{"127.0.0.1:4711 connected"},
				Counters: []Counter{{"received", 12345}, {"dropped", 0}},
			},
			{Name: "http", Type: "http", State: "failed", Condition: Bad, Error: "listen: address already in use"},
		},
		Handlers: []Part{
			{Name: "desktop", Type: "fingers_crossed", State: "ok", Testable: true, Counters: []Counter{{"seen", 12000}}},
			{Name: "desktop/notification", Type: "notification", Depth: 1, State: "ok", Testable: true},
			{Name: "rest", Type: "null", State: "ok"},
		},
	}
}

func newBench(t *testing.T, s *State, try func(context.Context, string) error) *bench {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(style.NewTheme(style.VariantLight))
	b := &bench{todo: make(chan func(), 100)}
	b.Window = New(Options{
		State: func() State { return *s }, Dispatch: func(f func()) { b.todo <- f }, Test: try,
		Reload:     func(context.Context) error { b.calls = append(b.calls, "reload"); return nil },
		OpenConfig: func() { b.calls = append(b.calls, "open") },
		Close:      func() { b.calls = append(b.calls, "close") },
		Now:        func() time.Time { return noon },

		ShowRejected: func(source string) { b.calls = append(b.calls, "rejected "+source) },
	})
	window := test.NewTempWindow(t, b.Object())
	b.AddShortcuts(window.Canvas())
	window.Resize(fyne.NewSize(900, 500))
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
	return b
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
			t.Fatalf("it does not come about; shown: %q", b.Lines())
		}
	}
}

func TestEachPartIsShownWithItsConditionAndWhatItCounted(t *testing.T) {
	s := example()
	b := newBench(t, &s, nil)
	want := []string{
		"zeromq | zeromq | listening | received 12\u2009345 | tcp://127.0.0.1:5556  ·  127.0.0.1:4711 connected",
		"http | http | failed | nothing yet | listen: address already in use",
		"desktop | fingers_crossed | ok | seen 12\u2009000",
		"desktop/notification | notification | ok | nothing yet",
		"rest | null | ok | nothing yet",
	}
	if diff := cmp.Diff(want, b.Lines()); diff != "" {
		t.Error(diff)
	}
	if b.sources[1].state.Importance != widget.DangerImportance || b.sources[0].state.Importance != widget.SuccessImportance {
		t.Error("what does not work does not stand out")
	}
}

func TestTheWindowFollowsTheProgram(t *testing.T) {
	s := example()
	b := newBench(t, &s, nil)
	next := example()
	next.Sources[1] = Part{Name: "http", Type: "http", State: "listening", Detail: "127.0.0.1:9022"}
	next.Handlers = next.Handlers[:1]
	next.Problem = "the configuration was not loaded: line 3"
	b.Update(next)
	if got := b.Lines(); len(got) != 3 || got[1] != "http | http | listening | nothing yet | 127.0.0.1:9022" {
		t.Errorf("shown: %q", got)
	}
	if !b.problem.Visible() || b.problem.Text != next.Problem {
		t.Errorf("the problem shown is %q", b.problem.Text)
	}
	b.Update(s)
	if b.problem.Visible() || len(b.Lines()) != 5 {
		t.Error("the problem stays, or the handlers do not come back")
	}
}

func TestAHandlerIsTestedWithItsButton(t *testing.T) {
	s := example()
	tested := make(chan string, 1)
	answer := make(chan error)
	b := newBench(t, &s, func(ctx context.Context, name string) error {
		tested <- name
		select {
		case err := <-answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	row := b.stack[1]
	test.Tap(row.button)
	if name := <-tested; name != "desktop/notification" {
		t.Fatalf("%q was tested", name)
	}
	if !row.button.Disabled() || row.note.Text != "testing…" {
		t.Errorf("while it is tested the row says %q", row.note.Text)
	}
	b.Test("desktop/notification") // has no effect: the first one is not over
	answer <- nil
	b.settle(t, func() bool { return row.note.Text == "test delivered at 12:00:00" })
	if row.button.Disabled() {
		t.Error("it cannot be tested again")
	}

	test.Tap(row.button)
	<-tested
	answer <- errors.New("ntfy: 403 Forbidden")
	b.settle(t, func() bool { return row.failure.Text == "test at 12:00:00: ntfy: 403 Forbidden" })
	if row.note.Visible() || !row.failure.Visible() {
		t.Error("the failure is not what is shown")
	}
	if b.stack[2].button != nil {
		t.Error("a blackhole can be tested")
	}
}

func TestWhatASourceHasRejectedIsSaidAndCanBeShown(t *testing.T) {
	s := example()
	b := newBench(t, &s, nil)
	if b.sources[0].button != nil {
		t.Error("there is nothing to be shown, and a button for it")
	}
	s.Sources[0].Rejected, s.Sources[0].Kept = "rejected: malformed 2, too large 1", true
	b.Update(s)
	if got := b.Lines()[0]; !strings.Contains(got, "tcp://127.0.0.1:5556  ·  rejected: malformed 2, too large 1  ·  127.0.0.1:4711 connected") {
		t.Errorf("shown: %q", got)
	}
	test.Tap(b.sources[0].button)
	if got := strings.Join(b.calls, " "); got != "rejected zeromq" || b.sources[1].button != nil {
		t.Errorf("it did %q", got)
	}
}

func TestTheKeyboardReloadsAndCloses(t *testing.T) {
	s := example()
	b := newBench(t, &s, nil)
	c := fyne.CurrentApp().Driver().CanvasForObject(b.Object())
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyF5})
	if !b.reload.Disabled() {
		t.Error("nothing is reloaded")
	}
	b.settle(t, func() bool { return !b.reload.Disabled() })
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if got := strings.Join(b.calls, " "); got != "reload close" {
		t.Errorf("it did %s", got)
	}
}

func TestHostileTextIsShownHarmlessly(t *testing.T) {
	s := example()
	s.Sources[1].Error = "peer said \x1b[31mred\u202e"
	b := newBench(t, &s, nil)
	if got := b.sources[1].failure.Text; got != "peer said red\uFFFD" {
		t.Errorf("shown: %q", got)
	}
}

func TestAnEmptyConfigurationIsSaidToBeSo(t *testing.T) {
	var s State
	b := newBench(t, &s, nil)
	if len(b.Lines()) != 0 || len(b.body.Objects) != 4 {
		t.Errorf("%d objects, lines %q", len(b.body.Objects), b.Lines())
	}
}

func TestCountersStandBelowTheirLineWhereThereIsNoRoomBesideIt(t *testing.T) {
	s := example()
	b := newBench(t, &s, nil)
	window := test.NewTempWindow(t, b.Object())
	place := func(width float32) (name, counters fyne.Position, counted float32) {
		window.Resize(fyne.NewSize(width, 500))
		r := b.sources[0]
		return r.name.Position(), r.counters.Position(), r.counters.Size().Width
	}
	name, counters, _ := place(900)
	if counters.Y != name.Y || counters.X <= name.X {
		t.Errorf("wide: the name at %v, the counters at %v", name, counters)
	}
	name, counters, width := place(420)
	if counters.Y <= name.Y || counters.X != name.X || width < 300 {
		t.Errorf("narrow: the name at %v, the counters at %v, %v wide", name, counters, width)
	}
	if next := b.sources[1].name.Position(); next.Y <= counters.Y {
		t.Errorf("the next line is at %v, the counters are at %v", next, counters)
	}
}
