package libnotify_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
)

func newNotifier(t testing.TB, address string, o libnotify.Options) *libnotify.Notifier {
	t.Helper()
	o.Address = address
	n := libnotify.New(o)
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return n
}

func notification(id uint64, level core.Level, body string) notifiers.Notification {
	return notifiers.Notification{
		ID: id, Title: "shop: " + level.Title(), Body: body, Level: level, Count: 1, Actions: notifiers.DefaultActions(),
	}
}

func show(t testing.TB, n notifiers.Notifier, of notifiers.Notification) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := n.Notify(ctx, of); err != nil {
		t.Fatal(err)
	}
}

// hint returns the value of a hint; nil if it was not given.
func hint(c shownCall, name string) any {
	v, ok := c.Hints[name]
	if !ok {
		return nil
	}
	return v.Value()
}

func TestUrgencyAndExpiryAreThoseOfLogbook(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	n := newNotifier(t, address, libnotify.Options{})
	for i, test := range []struct {
		level   core.Level
		urgency byte
		expires int32
	}{
		{core.LevelTrace, 0, -1},
		{core.LevelDebug, 0, -1},
		{core.LevelInfo, 0, -1},
		{core.LevelNotice, 0, -1},
		{core.LevelWarning, 1, -1},
		{core.LevelError, 2, 0},
		{core.LevelCritical, 2, 0},
	} {
		show(t, n, notification(uint64(i+1), test.level, "x"))
		c := s.lastCall()
		if hint(c, "urgency") != test.urgency || c.Expires != test.expires {
			t.Errorf("%s: urgency %v, expires %d; want %d, %d", test.level, hint(c, "urgency"), c.Expires, test.urgency, test.expires)
		}
	}
}

func TestANotificationSaysWhereItComesFrom(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	img := image.NewNRGBA(image.Rect(0, 0, 2, 3))
	img.Set(1, 2, color.NRGBA{1, 2, 3, 4})
	n := newNotifier(t, address, libnotify.Options{Image: img})
	show(t, n, notification(1, core.LevelError, "a <b> & 'c'\nd\x1b\u202e"))
	c := s.lastCall()
	want := shownCall{
		App: "logbook-tray", Icon: "logbook-tray", Summary: "shop: Error", Body: "a &lt;b&gt; &amp; 'c'\nd",
		Actions: []string{"default", "Show context", "context", "Show context", "mute", "Mute 1 h"}, Number: 1,
	}
	hints := c.Hints
	c.Hints = nil
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
	c.Hints = hints
	if hint(c, "desktop-entry") != "logbook-tray" || hint(c, "category") != "x-logbook-tray.record" || hint(c, "sound-name") != "dialog-error" {
		t.Errorf("hints: %v", hints)
	}
	pixels := []any{int32(2), int32(3), int32(8), true, int32(8), int32(4), append(make([]byte, 20), 1, 2, 3, 4)}
	if diff := cmp.Diff(any(pixels), hint(c, "image-data")); diff != "" {
		t.Errorf("image-data (-want +got):\n%s", diff)
	}
	if st := n.Status(); st.Server != "fake 1.0" || st.Shown != 1 || st.Err != nil || !slices.Contains(st.Capabilities, "actions") {
		t.Errorf("status: %+v", st)
	}
}

func TestOnlyWhatIsWorthItIsKeptInTheListOfTheDesktop(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	n := newNotifier(t, address, libnotify.Options{})
	for i, test := range []struct {
		level core.Level
		want  any
	}{
		{core.LevelInfo, true}, {core.LevelNotice, true}, {core.LevelWarning, nil}, {core.LevelError, nil},
	} {
		show(t, n, notification(uint64(i+1), test.level, "x"))
		c := s.lastCall()
		if got := hint(c, "transient"); got != test.want {
			t.Errorf("%s: transient %v, want %v", test.level, got, test.want)
		}
		for name := range c.Hints {
			if name == "resident" || strings.Contains(name, "synchronous") || strings.Contains(name, "stack-tag") {
				t.Errorf("%s: the hint %s was given", test.level, name)
			}
		}
	}
}

func TestAServiceThatCanDoLessIsAskedForLess(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address)
	n := newNotifier(t, address, libnotify.Options{Image: image.NewNRGBA(image.Rect(0, 0, 1, 1))})
	show(t, n, notification(1, core.LevelError, "a < b\nsecond line"))
	c := s.lastCall()
	if c.Summary != "shop: Error: a < b…" || c.Body != "" || len(c.Actions) != 0 {
		t.Errorf("call: %+v", c)
	}
	for _, name := range []string{"image-data", "sound-name", "suppress-sound", "transient"} {
		if hint(c, name) != nil {
			t.Errorf("hint %s was given", name)
		}
	}
}

func TestTheSoundIsThatOfTheLevelOrTheChosenOne(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, "sound")
	n := newNotifier(t, address, libnotify.Options{})
	if n.PlaysSounds() {
		t.Error("a service that nobody has asked plays sounds")
	}
	for i, test := range []struct {
		level core.Level
		sound notifiers.Sound
		want  map[string]any
	}{
		{core.LevelInfo, notifiers.Sound{}, map[string]any{"suppress-sound": true}},
		{core.LevelWarning, notifiers.Sound{}, map[string]any{"sound-name": "dialog-warning"}},
		{core.LevelError, notifiers.Sound{}, map[string]any{"sound-name": "dialog-error"}},
		{core.LevelCritical, notifiers.Sound{}, map[string]any{"sound-name": "dialog-error"}},
		{core.LevelError, notifiers.Sound{Name: "bell"}, map[string]any{"sound-name": "bell"}},
		{core.LevelError, notifiers.Sound{File: "/x.wav", Name: "bell"}, map[string]any{"sound-file": "/x.wav"}},
		{core.LevelError, notifiers.Sound{Silent: true}, map[string]any{"suppress-sound": true}},
	} {
		of := notification(uint64(i+1), test.level, "x")
		of.Sound = test.sound
		show(t, n, of)
		got := map[string]any{}
		for _, name := range []string{"sound-name", "sound-file", "suppress-sound"} {
			if v := hint(s.lastCall(), name); v != nil {
				got[name] = v
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s with %+v (-want +got):\n%s", test.level, test.sound, diff)
		}
	}
	if !n.PlaysSounds() {
		t.Error("a service that plays sounds is not known to")
	}
}

func TestXfceShowsNoButtonTwice(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	s.set(func(s *server) { s.name = "Xfce Notify Daemon" })
	n := newNotifier(t, address, libnotify.Options{})
	show(t, n, notification(1, core.LevelError, "x"))
	if diff := cmp.Diff([]string{"default", "Show context", "mute", "Mute 1 h"}, s.lastCall().Actions); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

func TestBodiesAreCutAndOnlyEscapedForMarkup(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, "body")
	n := newNotifier(t, address, libnotify.Options{MaxBody: 10})
	show(t, n, notification(1, core.LevelError, "a < "+strings.Repeat("ä", 20)))
	if got, want := s.lastCall().Body, "a < ääääää…"[:len("a < äääää")]+"…"; got != want {
		t.Errorf("body %q, want %q", got, want)
	}
}

func TestARepeatReplacesTheNotificationWithoutASound(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	n := newNotifier(t, address, libnotify.Options{})
	show(t, n, notification(7, core.LevelError, "declined"))
	show(t, n, notification(8, core.LevelError, "other"))
	again := notification(7, core.LevelError, "declined")
	again.Note = "12 times in 60 s"
	show(t, n, again)
	c := s.lastCall()
	if c.Replaces != 1 || c.Body != "declined (12 times in 60 s)" || hint(c, "sound-name") != nil || hint(c, "suppress-sound") != true {
		t.Errorf("call: %+v", c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != 1 {
		t.Errorf("asked %d times what the service can do", s.asked)
	}
}

// actions returns options that send what the user did to a channel.
func actions() (libnotify.Options, chan notifiers.Activation, chan uint64) {
	acted, dismissed := make(chan notifiers.Activation, 8), make(chan uint64, 8)
	return libnotify.Options{
		OnAction:  func(a notifiers.Activation) { acted <- a },
		OnDismiss: func(id uint64) { dismissed <- id },
	}, acted, dismissed
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestAClickBringsTheActionAndItsTokenAndTheNotificationGoes(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	o, acted, dismissed := actions()
	n := newNotifier(t, address, o)
	show(t, n, notification(7, core.LevelError, "declined"))
	s.emit("ActionInvoked", uint32(99), "default") // of another program
	s.emit("ActivationToken", uint32(1), "token-1")
	s.emit("ActionInvoked", uint32(1), "context")
	if diff := cmp.Diff(notifiers.Activation{ID: 7, Action: "context", Token: "token-1"}, receive(t, acted)); diff != "" {
		t.Errorf("activation (-want +got):\n%s", diff)
	}
	wait(t, "the notification is closed", func() bool { return n.Status().Shown == 0 })
	s.emit("ActionInvoked", uint32(1), "mute") // the service still shows it
	if diff := cmp.Diff(notifiers.Activation{ID: 7, Action: "mute"}, receive(t, acted)); diff != "" {
		t.Errorf("activation of one that is gone (-want +got):\n%s", diff)
	}
	if len(dismissed) != 0 {
		t.Error("a notification that was clicked counts as dismissed")
	}
	// The next one is a new notification.
	show(t, n, notification(7, core.LevelError, "declined"))
	if c := s.lastCall(); c.Replaces != 0 {
		t.Errorf("replaces %d, which is gone", c.Replaces)
	}
}

func TestOnlyTheUserDismisses(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	o, _, dismissed := actions()
	n := newNotifier(t, address, o)
	for id := range uint64(3) {
		show(t, n, notification(10+id, core.LevelError, "x"))
	}
	s.emit("NotificationClosed", uint32(1), uint32(1)) // expired
	s.emit("NotificationClosed", uint32(2), uint32(2)) // by the user
	if id := receive(t, dismissed); id != 11 {
		t.Errorf("dismissed %d, want 11", id)
	}
	if err := n.Dismiss(context.Background(), 12); err != nil { // by the program
		t.Error(err)
	}
	wait(t, "all are gone", func() bool { return n.Status().Shown == 0 })
	if len(dismissed) != 0 || !slices.Equal(s.closedNumbers(), []uint32{3}) {
		t.Errorf("%d more dismissed, closed %v", len(dismissed), s.closedNumbers())
	}
	if err := n.Dismiss(context.Background(), 12); err != nil {
		t.Errorf("dismissing what is gone: %v", err)
	}
}

func TestAClickThatIsFasterThanTheAnswerIsNotLost(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	o, acted, _ := actions()
	n := newNotifier(t, address, o)
	s.set(func(s *server) {
		s.before = func() {
			s.emit("ActionInvoked", uint32(55), "default")
			s.emit("ActionInvoked", uint32(1), "default")
		}
	})
	show(t, n, notification(7, core.LevelError, "x"))
	if a := receive(t, acted); a.ID != 7 {
		t.Errorf("activation %+v", a)
	}
}

func TestARestartedServiceIsAskedAgainAndItsNumbersAreForgotten(t *testing.T) {
	address, _ := startBus(t)
	first := startServer(t, address, allCaps...)
	n := newNotifier(t, address, libnotify.Options{})
	show(t, n, notification(7, core.LevelError, "x"))
	first.stop()
	wait(t, "the service is gone", func() bool { return n.Status().Server == "" })
	second := startServer(t, address, "body")
	show(t, n, notification(7, core.LevelError, "a & b"))
	if c := second.lastCall(); c.Replaces != 0 || c.Body != "a & b" || len(c.Actions) != 0 {
		t.Errorf("call: %+v", c)
	}
}

func TestAServiceThatStartsLateShowsWhatWasMissed(t *testing.T) {
	address, _ := startBus(t)
	n := newNotifier(t, address, libnotify.Options{})
	for id := range uint64(7) {
		err := n.Notify(context.Background(), notification(id+1, core.LevelError, "x"))
		if !errors.Is(err, libnotify.ErrNoService) {
			t.Fatalf("error: %v", err)
		}
	}
	if got, want := n.Status().Err.Error(), "ask for capabilities: no notification service on the session bus: nothing owns org.freedesktop.Notifications"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	s := startServer(t, address, allCaps...)
	wait(t, "the last five are shown", func() bool { return n.Status().Shown == 5 })
	wait(t, "the error is gone", func() bool { return n.Status().Err == nil })
	if c := s.all(); len(c) != 5 {
		t.Errorf("%d calls", len(c))
	}
}

func TestALostBusIsFoundAgain(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	address, stop := startBusAt(t, socket)
	startServer(t, address, allCaps...)
	states := make(chan error, 10)
	n := newNotifier(t, "unix:path="+socket, libnotify.Options{OnState: func(err error) { states <- err }})
	show(t, n, notification(7, core.LevelError, "x"))
	stop()
	wait(t, "the loss is noticed", func() bool {
		return errors.Is(n.Notify(context.Background(), notification(7, core.LevelError, "x")), libnotify.ErrNoBus)
	})
	address, _ = startBusAt(t, socket)
	s := startServer(t, address, allCaps...)
	wait(t, "the bus is found", func() bool {
		return n.Notify(context.Background(), notification(7, core.LevelError, "x")) == nil
	})
	if c := s.lastCall(); c.Replaces != 0 {
		t.Errorf("replaces %d of the bus before", c.Replaces)
	}
	var told []error
	for len(states) > 0 {
		told = append(told, <-states)
	}
	if len(told) < 2 || told[len(told)-1] != nil || slices.Contains(told[:len(told)-1], nil) {
		t.Errorf("told of the states %v", told)
	}
}

func TestWithoutABusTheErrorSaysSoOnce(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	var told []error
	n := newNotifier(t, "", libnotify.Options{OnState: func(err error) { told = append(told, err) }})
	for range 3 {
		err := n.Notify(context.Background(), notification(1, core.LevelError, "x"))
		const want = "no D-Bus session bus: DBUS_SESSION_BUS_ADDRESS is not set, and the user's runtime directory has no bus"
		if !errors.Is(err, libnotify.ErrNoBus) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if len(told) != 1 {
		t.Errorf("told %d times", len(told))
	}
}

// memory remembers what is shown, as a database does.
type memory struct {
	mu      sync.Mutex
	service string
	numbers map[uint64]uint32
}

func (m *memory) LoadShown() (string, map[uint64]uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.service, m.numbers, nil
}

func (m *memory) SaveShown(service string, numbers map[uint64]uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.service, m.numbers = service, numbers
	return nil
}

func TestAClickOnANotificationOfAnEarlierRunIsUnderstood(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	m := new(memory)
	first := libnotify.New(libnotify.Options{Address: address, Memory: m})
	show(t, first, notification(41, core.LevelError, "x"))
	show(t, first, notification(42, core.LevelError, "x"))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	o, acted, dismissed := actions()
	o.Memory = m
	second := newNotifier(t, address, o)
	if err := second.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.emit("ActionInvoked", uint32(2), "context")
	if a := receive(t, acted); a.ID != 42 {
		t.Errorf("activation: %+v", a)
	}
	s.emit("NotificationClosed", uint32(1), uint32(2))
	if id := receive(t, dismissed); id != 41 {
		t.Errorf("dismissed: %d", id)
	}
	wait(t, "nothing is shown any more", func() bool {
		_, numbers, _ := m.LoadShown()
		return len(numbers) == 0
	})

	// The numbers of a service that was restarted mean something else.
	show(t, second, notification(43, core.LevelError, "x"))
	s.stop()
	wait(t, "the service is gone", func() bool { return second.Status().Server == "" })
	startServer(t, address, allCaps...)
	third := newNotifier(t, address, libnotify.Options{Memory: m})
	if err := third.Connect(t.Context()); err != nil || third.Status().Shown != 0 {
		t.Errorf("%v, %d shown", err, third.Status().Shown)
	}
}

func TestAServiceThatIsFullMakesRoomForTheNewest(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	s.set(func(s *server) { s.limit = 3 })
	n := newNotifier(t, address, libnotify.Options{})
	for id := range uint64(5) {
		show(t, n, notification(id+1, core.LevelError, "x"))
	}
	if !slices.Equal(s.closedNumbers(), []uint32{1, 2}) || len(s.all()) != 5 {
		t.Errorf("closed %v, shown %d", s.closedNumbers(), len(s.all()))
	}
	for _, id := range []uint64{3, 4, 5} {
		if err := n.Dismiss(context.Background(), id); err != nil {
			t.Fatal(err)
		}
	}
	s.set(func(s *server) { s.limit, s.open[77] = 1, true }) // other programs fill it
	wait(t, "none of ours is shown", func() bool { return n.Status().Shown == 0 })
	err := n.Notify(context.Background(), notification(9, core.LevelError, "x"))
	if err == nil || !strings.Contains(err.Error(), "Exceeded maximum number of notifications") {
		t.Errorf("error: %v", err)
	}
}

func TestAServiceThatHangsCostsNoMoreThanTheContextAllows(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	n := newNotifier(t, address, libnotify.Options{})
	show(t, n, notification(1, core.LevelError, "x"))
	hang := make(chan struct{})
	defer close(hang)
	s.set(func(s *server) { s.hang = hang })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := n.Notify(ctx, notification(2, core.LevelError, "x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestAfterCloseNothingIsShown(t *testing.T) {
	address, _ := startBus(t)
	s := startServer(t, address, allCaps...)
	n := libnotify.New(libnotify.Options{Address: address})
	show(t, n, notification(1, core.LevelError, "x"))
	for range 2 {
		if err := n.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := n.Notify(context.Background(), notification(1, core.LevelError, "x")); err == nil || len(s.all()) != 1 {
		t.Errorf("error %v, %d shown", err, len(s.all()))
	}
	if len(s.closedNumbers()) != 0 {
		t.Error("what was shown was taken away")
	}
}
