//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// ledUpTo are the messages of testdata/server.py, in its order.
var ledUpTo = []string{
	"step 0 of order 4711", "step 1 of order 4711", "step 2 of order 4711", "step 3 of order 4711", "step 4 of order 4711",
	"SELECT * FROM café", "reserving stock", "payment declined for order 4711",
}

const listenConfig = `
listen:
  - {name: zeromq, type: zeromq, uri: "ADDRESS", mode: pull}
handlers:
  - name: desktop
    type: fingers_crossed
    bubble: true
    handler: {type: notification, record_limit: 1, record_delta: 2s}
`

func listening(address string) string { return strings.ReplaceAll(listenConfig, "ADDRESS", address) }

// contextWindow returns the first context window that is open.
func contextWindow(s control.Status) (control.Window, bool) {
	i := slices.IndexFunc(s.Windows, func(w control.Window) bool { return w.Kind == "context" })
	if i < 0 {
		return control.Window{}, false
	}
	return s.Windows[i], true
}

// The main job from end to end, without a configuration: Debian's python3-logbook logs an
// exception, one notification appears, and a click on it opens what led up to it.
func TestAnErrorOfAPythonServerBecomesOneNotificationThatLeadsToItsContext(t *testing.T) {
	d := e2e.StartDesktop(t)
	p := newProgram(t, d.Env())
	proc := p.start("--show")
	d.Display.WaitForWindow(t, "logbook-tray")

	python(t, "server.py", defaultPushURI)

	shown := d.Notifications.Wait(t, "the notification", func(n e2e.Notify) bool { return true })
	if shown.Title != "shop.checkout: Error" || shown.Body != "payment declined for order 4711" {
		t.Errorf("the notification says %q, %q", shown.Title, shown.Body)
	}
	if shown.Urgency() != 2 || shown.Timeout != 0 {
		t.Errorf("urgency %d, timeout %d, want critical and never expiring", shown.Urgency(), shown.Timeout)
	}
	d.Display.Screenshot(t, "log-window-and-notification")

	d.Dunst.Default(t)
	var w control.Window
	e2e.Eventually(t, "the context window", func() (ok bool) {
		s, _ := p.status()
		w, ok = contextWindow(s)
		return ok && w.OpenedIn != "0s"
	})
	t.Logf("from the click to the window: %s (software rendering)", w.OpenedIn)
	if diff := cmp.Diff(ledUpTo, w.Records); diff != "" {
		t.Errorf("the window lists other records (-want +got):\n%s", diff)
	}
	if w.Selected != "payment declined for order 4711" || w.Alert != 1 {
		t.Errorf("selected %q of alert %d", w.Selected, w.Alert)
	}
	d.Display.WaitForWindow(t, "shop.checkout: Error – context")
	d.Display.Screenshot(t, "context-window")

	checkAlert(t, p.alerts())
	if calls := d.Notifications.Calls(); len(calls) != 1 {
		t.Errorf("%d calls of Notify, want 1", len(calls))
	}
	p.stopped(proc)

	proc = p.start() // the alert has outlived the program
	checkAlert(t, p.alerts())
	p.run("alerts", "open", "1")
	d.Display.WaitForWindow(t, "shop.checkout: Error – context")
	p.stopped(proc)
}

// Each of these daemons has its own idea of what a click is; all of them lead to the
// context, which comes to the front.
func TestAClickWithTheMouseOpensTheContextOnEveryDesktop(t *testing.T) {
	for _, test := range []struct {
		daemon string
		start  func(*testing.T, *e2e.Desktop) (click func(testing.TB))
	}{
		{"dunst", withDunst}, {"xfce4-notifyd", withXfceNotifyd}, {"notification-daemon", withNotificationDaemon},
	} {
		t.Run(test.daemon, func(t *testing.T) {
			d := e2e.StartSession(t)
			click := test.start(t, d)
			address := freeAddress(t)
			configure(t, d.Home, listening(address))
			p := newProgram(t, d.Env())
			proc := p.start("--show")
			e2e.Eventually(t, "the log window in front", func() bool { return d.Display.ActiveWindow(t) == "logbook-tray" })

			python(t, "server.py", address)
			d.Notifications.Wait(t, "the error", func(n e2e.Notify) bool { return n.Title == "shop.checkout: Error" })
			d.Display.Screenshot(t, "popup")
			click(t)
			e2e.Eventually(t, "the context in front", func() bool {
				return d.Display.ActiveWindow(t) == "shop.checkout: Error – context"
			})
			var s control.Status
			e2e.Eventually(t, "the context to be drawn", func() bool {
				s, _ = p.status()
				w, ok := contextWindow(s)
				return ok && w.OpenedIn != "0s"
			})
			d.Display.Screenshot(t, "context")
			if s.Alerts.Unseen != 0 {
				t.Errorf("%d alerts are not seen, want none after the click", s.Alerts.Unseen)
			}
			d.Display.Do(t, "wmctrl", "-a", "logbook-tray") // and from behind another window, too
			e2e.Eventually(t, "the log window in front", func() bool { return d.Display.ActiveWindow(t) == "logbook-tray" })
			p.run("alerts", "open", "1")
			e2e.Eventually(t, "the context in front again", func() bool {
				return d.Display.ActiveWindow(t) == "shop.checkout: Error – context"
			})
			p.stopped(proc)
		})
	}
}

func withDunst(t *testing.T, d *e2e.Desktop) (click func(testing.TB)) {
	t.Helper()
	return e2e.StartDunst(t, d.Bus, d.Display).Click
}

func withXfceNotifyd(t *testing.T, d *e2e.Desktop) (click func(testing.TB)) {
	t.Helper()
	daemon := e2e.StartXfceNotifyd(t, d.Bus, d.Display)
	return func(t testing.TB) { t.Helper(); daemon.Click(t, -176, -30) } // the first button; beside them it only dismisses
}

func withNotificationDaemon(t *testing.T, d *e2e.Desktop) (click func(testing.TB)) {
	t.Helper()
	daemon := e2e.StartNotificationDaemon(t, d.Bus, d.Display)
	return func(t testing.TB) { t.Helper(); daemon.Click(t, 100, 45) }
}

func checkAlert(t *testing.T, alerts []control.Alert) {
	t.Helper()
	if len(alerts) != 1 {
		t.Fatalf("%d alerts, want 1", len(alerts))
	}
	a := alerts[0]
	if a.State != "seen" || a.Level != "ERROR" || a.Count != 1 {
		t.Errorf("alert %+v, want a seen ERROR that came once", a)
	}
	if len(a.Context) != len(ledUpTo) {
		t.Fatalf("%d records in the context, want %d", len(a.Context), len(ledUpTo))
	}
	for i, r := range a.Context {
		if r.Message() != ledUpTo[i] {
			t.Errorf("record %d of the context is %q, want %q", i, r.Message(), ledUpTo[i])
		}
	}
	r := a.Context[len(a.Context)-1]
	if r.Exception == nil || r.Exception.Name != "__main__.PaymentDeclined" || r.Exception.Message != "card declined – Zoë 💳" ||
		!strings.Contains(r.Exception.Traceback, "in pay\n    raise PaymentDeclined") {
		t.Errorf("exception %+v", r.Exception)
	}
	if got := r.Extra.Get("user"); got != "zoë" {
		t.Errorf("extra user %v", got)
	}
	if r.Level != core.LevelError || r.Channel != "shop.checkout" {
		t.Errorf("level %v, channel %q", r.Level, r.Channel)
	}
}

func TestRepeatsUpdateTheSameNotificationWithAnExactCount(t *testing.T) {
	d := e2e.StartDesktop(t)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start("headless")
	const storm = 10_000
	p.run("demo", address, "--storm", "10000", "--speed", "1000", "--seed", "1")
	mailer := func(n e2e.Notify) bool { return n.Title == "shop.mailer: Error" }
	first := d.Notifications.Wait(t, "the first notification", mailer)
	update := d.Notifications.Wait(t, "the update with the count", func(n e2e.Notify) bool {
		return mailer(n) && n.Replaces == first.ID
	})
	if !strings.Contains(update.Body, "10 000 times") && !strings.Contains(update.Body, "10000 times") {
		t.Errorf("the update says %q, want the count of 10000", update.Body)
	}
	calls := slices.DeleteFunc(d.Notifications.Calls(), func(n e2e.Notify) bool { return !mailer(n) })
	if len(calls) != 2 {
		t.Errorf("%d calls of Notify for %d equal errors, want 2", len(calls), storm)
	}
	for _, a := range p.alerts() {
		if a.Channel == "shop.mailer" && a.Count != storm {
			t.Errorf("the alert counts %d, want %d", a.Count, storm)
		}
	}
	_, pl := p.status()
	if c := pl.Subscribers[0].Counters; c["received"] != c["dispatched"] || c["rejected"] != 0 {
		t.Errorf("counters %v", c)
	}
	p.stopped(proc)
}

func TestTheTrayMenuOpensTheContextWithoutNotifications(t *testing.T) {
	d := e2e.StartDesktop(t)
	tray := e2e.StartTray(t, d.Bus)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start()
	item := tray.Item(t)
	want := []string{"Open log window", "Status", "Add a program", "Recent alerts", "  No alerts yet", "-", "Mute everything", "  10 min", "  1 h", "  until tomorrow", "  forever", "-", "Quit"}
	e2e.Eventually(t, "the menu", func() bool { return cmp.Equal(want, e2e.Labels(item.Menu(t))) })
	item.SaveIcon(t, "tray-normal")

	python(t, "server.py", address)
	item.Click(t, "Recent alerts (1 new)", "● shop.checkout: Error – payment declined for order 4711")
	e2e.Eventually(t, "the context window", func() bool {
		s, _ := p.status()
		w, ok := contextWindow(s)
		return ok && cmp.Equal(ledUpTo, w.Records)
	})
	item.Click(t, "Mute everything", "1 h")
	e2e.Eventually(t, "the menu to say until when it is muted", func() bool {
		_, ok := e2e.Find(item.Menu(t), "Everything is muted until ")
		return ok
	})
	if s, _ := p.status(); !s.Muted || s.MutedUntil == nil {
		t.Error("status does not say that it is muted")
	}
	p.run("send", address, "--level", "error", "held back")
	e2e.Eventually(t, "the menu to say what was held back", func() bool {
		e, ok := e2e.Find(item.Menu(t), "Everything is muted until ", "Unmute everything, until ")
		return ok && strings.HasSuffix(e.Label, " (1 held back)")
	})
	item.SaveIcon(t, "tray-muted")
	item.Click(t, "Everything is muted until ", "Unmute everything, until ")
	e2e.Eventually(t, "the mute to be undone", func() bool { return len(p.mutes()) == 0 })
	item.Click(t, "Mute everything", "forever")
	e2e.Eventually(t, "the menu to say that it is muted for ever", func() bool {
		_, ok := e2e.Find(item.Menu(t), "Everything is muted", "Unmute everything")
		return ok
	})
	if s, _ := p.status(); !s.Muted || s.MutedUntil != nil {
		t.Errorf("status says muted %v until %v, want for ever", s.Muted, s.MutedUntil)
	}
	item.Click(t, "Open log window")
	d.Display.WaitForWindow(t, "logbook-tray")
	item.Click(t, "Quit")
	if code := proc.Wait(t); code != 0 {
		t.Errorf("exit code %d after Quit\n%s", code, proc.Output())
	}
}

const statusTitle = "logbook-tray – status"

// openStatus opens the status window from the tray.
func openStatus(t *testing.T, d *e2e.Desktop, item *e2e.TrayItem) {
	t.Helper()
	e2e.Eventually(t, "the menu", func() bool {
		_, ok := e2e.Find(item.Menu(t), "Status")
		return ok
	})
	item.Click(t, "Status")
	d.Display.WaitForWindow(t, statusTitle)
}

// press presses keys in a window.
func press(t *testing.T, d *e2e.Desktop, title string, keys ...string) {
	t.Helper()
	for _, key := range keys {
		d.Display.Do(t, "xdotool", "search", "--name", title, "windowactivate", "--sync", "key", key)
	}
}

// window returns the first window of a kind that is open; without a kind if there is none.
func (p *program) window(kind string) (w control.Window) {
	p.t.Helper()
	s, _ := p.status()
	if i := slices.IndexFunc(s.Windows, func(w control.Window) bool { return w.Kind == kind }); i >= 0 {
		w = s.Windows[i]
	}
	return w
}

func TestTheStatusWindowTellsOfEachPartAndTriesAHandler(t *testing.T) {
	d := e2e.StartDesktop(t)
	tray := e2e.StartTray(t, d.Bus)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start()
	item := tray.Item(t)
	python(t, "server.py", address)
	openStatus(t, d, item)
	lines := func() []string { return p.window("status").Lines }
	e2e.Eventually(t, "the window to count what came", func() bool {
		return slices.ContainsFunc(lines(), func(l string) bool { return strings.Contains(l, address) && strings.Contains(l, "received ") })
	})
	// Behind the two buttons at the top comes that of the first handler.
	press(t, d, statusTitle, "Tab", "Tab", "Tab", "space")
	d.Notifications.Wait(t, "the test's notification", func(n e2e.Notify) bool { return strings.HasPrefix(n.Body, "This is a test of ") })
	e2e.Eventually(t, "the window to say that it was delivered", func() bool {
		return slices.ContainsFunc(lines(), func(l string) bool { return strings.Contains(l, "test delivered at ") })
	})
	d.Display.Screenshot(t, "status")
	p.stopped(proc)
}

func TestRejectedMessagesAreShownFromTheStatusWindow(t *testing.T) {
	d := e2e.StartDesktop(t)
	tray := e2e.StartTray(t, d.Bus)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start()
	item := tray.Item(t)
	python(t, "garbage.py", address)
	p.awaitRejected(4)
	openStatus(t, d, item)
	const rejected = "logbook-tray – rejected messages"
	e2e.Eventually(t, "the reasons", func() bool {
		return slices.ContainsFunc(p.window("status").Lines, func(l string) bool { return strings.Contains(l, "rejected: empty 1, malformed 2, too deep 1") })
	})
	d.Display.Screenshot(t, "status-rejected")
	press(t, d, statusTitle, "Tab", "Tab", "Tab", "space") // behind the two buttons at the top
	d.Display.WaitForWindow(t, rejected)
	e2e.Eventually(t, "the messages", func() bool { return len(p.window("rejected").Lines) == 5 })
	press(t, d, rejected, "Down", "Down") // the second
	e2e.Eventually(t, "a message to be shown", func() bool { return p.window("rejected").Selected == "not json" })
	d.Display.Screenshot(t, "rejected")
	press(t, d, rejected, "Delete")
	e2e.Eventually(t, "it to be removed", func() bool { return len(p.window("rejected").Lines) == 4 && len(p.rejected()) == 3 })
	d.Display.CloseWindow(t, rejected)
	e2e.Eventually(t, "the window to close", func() bool { return p.window("rejected").Kind == "" })
	p.stopped(proc)
}

func TestAFirstStartShowsWhatProgramsHaveToAddUntilARecordHasCome(t *testing.T) {
	d := e2e.StartDesktop(t)
	p := newProgram(t, d.Env())
	proc := p.start()
	const title = "logbook-tray – add a program"
	d.Display.WaitForWindow(t, title)
	state := func() string {
		s, _ := p.status()
		for _, w := range s.Windows {
			if w.Kind == "welcome" {
				return w.Lines[0]
			}
		}
		return ""
	}
	e2e.Eventually(t, "the window to wait", func() bool { return state() == "Waiting for the first record…" })
	d.Display.Screenshot(t, "welcome-waiting")
	p.run("send", "--channel", "shop", "hello")
	e2e.Eventually(t, "the window to turn green", func() bool { return state() == "It works: a record of shop has come: hello" })
	d.Display.Screenshot(t, "welcome")
	d.Display.CloseWindow(t, title)
	e2e.Eventually(t, "the window to be closed", func() bool { return state() == "" })
	p.stopped(proc)

	proc = p.start()
	if got := state(); got != "" {
		t.Errorf("the second start shows it again: %q", got)
	}
	p.stopped(proc)
}

func TestASecondStartRaisesTheWindowOfTheFirst(t *testing.T) {
	d := e2e.StartDesktop(t)
	configure(t, d.Home, listening(freeAddress(t)))
	p := newProgram(t, d.Env())
	proc := p.start()
	if s, _ := p.status(); len(s.Windows) != 0 {
		t.Fatalf("windows are open at the start: %+v", s.Windows)
	}
	p.run()
	d.Display.WaitForWindow(t, "logbook-tray")
	p.stopped(proc)
}

func TestNotifyTestReachesTheDesktopOrSaysWhyNot(t *testing.T) {
	d := e2e.StartDesktop(t)
	p := newProgram(t, d.Env())
	if got := p.run("notify-test", "desktop"); got != "delivered to desktop\n" {
		t.Errorf("it says %q", got)
	}
	n := d.Notifications.Wait(t, "the notification", func(e2e.Notify) bool { return true })
	if n.Title != "logbook-tray.test: Error" || n.Body != "This is a test of logbook-tray." {
		t.Errorf("the notification says %q, %q", n.Title, n.Body)
	}
	p.env = e2e.HomeEnv(d.Home) // without a bus
	want := "no D-Bus session bus"
	if got := p.fails(1, "notify-test", "desktop"); !strings.Contains(got, want) {
		t.Errorf("without a bus it says %q, want %q in it", got, want)
	}
}
