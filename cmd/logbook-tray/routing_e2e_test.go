//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// mutes returns what is muted, newest first.
func (p *program) mutes() (list []control.Mute) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.run("mute", "list", "--format", "json")), &list); err != nil {
		p.t.Fatal(err)
	}
	return list
}

func TestQuietHoursHoldBackAcrossARestartAndSumUpAtTheirEnd(t *testing.T) {
	d := e2e.StartDesktop(t)
	address := freeAddress(t)
	quiet := "quiet_hours: {hours: [{from: \"00:00\", to: \"24:00\"}]}\n"
	configure(t, d.Home, quiet+listening(address))
	p := newProgram(t, d.Env())
	proc := p.start("headless")
	e2e.Eventually(t, "the quiet hours", func() bool {
		list := p.mutes()
		return len(list) == 1 && list[0].Owner == "quiet hours"
	})
	if s, _ := p.status(); !s.Muted || s.MutedUntil == nil || len(s.Mutes) != 1 {
		t.Errorf("status says muted %v until %v, %+v", s.Muted, s.MutedUntil, s.Mutes)
	}
	p.run("send", address, "--level", "error", "held back")
	e2e.Eventually(t, "a record to be held back", func() bool { return p.mutes()[0].Held == 1 })
	if text := p.run("status"); !strings.Contains(text, "MUTED until ") || !strings.Contains(text, "held=1 errors=1") {
		t.Errorf("status says\n%s", text)
	}
	configure(t, d.Home, quiet+listening(address)+"  - {name: other, type: \"null\", level: critical}\n")
	p.run("reload")
	if list := p.mutes(); len(list) != 1 || list[0].Held != 1 {
		t.Errorf("a reload that does not touch them has touched them: %+v", list)
	}
	p.stopped(proc)
	proc = p.start("headless")
	e2e.Eventually(t, "the quiet hours to go on", func() bool {
		list := p.mutes()
		return len(list) == 1 && list[0].Held == 1
	})
	if calls := d.Notifications.Calls(); len(calls) != 0 {
		t.Errorf("shown before the end: %+v", calls)
	}
	configure(t, d.Home, listening(address))
	p.run("reload")
	sum := d.Notifications.Wait(t, "what was held back", func(e2e.Notify) bool { return true })
	if sum.Title != "No longer muted: quiet hours" || !strings.Contains(sum.Body, "held back") {
		t.Errorf("at the end it says %q, %q", sum.Title, sum.Body)
	}
	p.stopped(proc)
}

func TestMutesOfTheFileStandAsLongAsItSaysSo(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	first := "mutes:\n  - {label: noise, filter: 'message contains \"noise\"'}\n"
	both := first + "  - {channel: shop, until: 2099-12-31}\n"
	configure(t, home, both+listening(address))
	proc := p.start("headless")
	p.run("mute", "2h", "--filter", `message startsWith "mine"`)
	if got := p.fails(1, "mute", "--filter", "chanel == 1"); !strings.Contains(got, "filter: unknown name chanel") {
		t.Errorf("a wrong filter: %q", got)
	}
	for _, message := range []string{"much noise", "mine", "a signal"} {
		p.run("send", address, "--level", "error", "--channel", "db", message)
	}
	e2e.Eventually(t, "two records to be held back", func() bool {
		list := p.mutes()
		return len(list) == 3 && list[0].Held == 1 && list[1].Held == 0 && list[2].Held == 1
	})
	if list := p.mutes(); list[2].Label != "noise" || list[2].Owner != "configuration" || list[1].Label != "channel shop" || list[1].Until.Year() < 2098 {
		t.Errorf("mutes %+v", list)
	}
	p.run("unmute", "1")
	configure(t, home, first+listening(address))
	p.run("reload")
	if list := p.mutes(); len(list) != 1 || list[0].Label != `message startsWith "mine"` {
		t.Errorf("after unmute and a reload: %+v", list)
	}
	p.stopped(proc)
	proc = p.start("headless")
	if list := p.mutes(); len(list) != 2 || list[0].Label != "noise" {
		t.Errorf("after a restart: %+v", list)
	}
	p.run("send", address, "--level", "error", "--channel", "db", "mine again")
	e2e.Eventually(t, "the filter to be in force after a restart", func() bool { return p.mutes()[1].Held == 2 })
	p.stopped(proc)
	configure(t, home, listening(address))
	proc = p.start("headless")
	if list := p.mutes(); len(list) != 1 {
		t.Errorf("taken out of the file while the program was off: %+v", list)
	}
	p.stopped(proc)
}

func TestExplainAsksTheRunningInstanceOrReadsWhatItHasKept(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	config := "mutes:\n  - {label: noise, channel: noise}\n" + listening(address)
	path := configure(t, home, config)
	line := func(channel string) string {
		return `{"channel": "` + channel + `", "level": "error", "msg": "x", "time": "2026-11-21T12:00:00Z"}` + "\n"
	}
	explain := func(channel string, args ...string) string {
		t.Helper()
		return e2e.Run(t, p.env, strings.NewReader(line(channel)), p.path, append([]string{"explain"}, args...)...)
	}
	holds := func(out, what string) {
		t.Helper()
		if !strings.Contains(out, what) {
			t.Errorf("%q is missing in\n%s", what, out)
		}
	}
	holds(explain("noise"), `held back by the mute "noise" of the configuration, until it is ended`)
	proc := p.start("headless")
	p.run("mute", "2h", "--channel", "db")
	p.run("send", address, "--level", "error", "--channel", "shop", "x")
	e2e.Eventually(t, "the alert", func() bool { return len(p.alerts()) == 1 })
	asked := explain("shop")
	holds(asked, "window ")
	holds(explain("db"), `held back by the mute "channel db" until`)
	var told explained
	if err := json.Unmarshal([]byte(explain("db", "--format", "json", path)), &told); err != nil {
		t.Fatal(err)
	}
	last := told.Steps[len(told.Steps)-1]
	if last.Outcome != pipeline.OutcomeMuted || len(told.Steps) < 2 || told.Steps[0].Handler != "window" {
		t.Errorf("as JSON: %+v", told)
	}
	// Without asking, the mute by hand is that which is kept on disk.
	e2e.Eventually(t, "the mute to be kept", func() bool {
		return strings.Contains(explain("db", "--offline"), `held back by the mute "channel db" until`)
	})
	if out := explain("db", "--offline"); strings.Contains(out, "window ") {
		t.Errorf("--offline has asked:\n%s", out)
	}
	other := filepath.Join(home, "other.yaml")
	if err := os.WriteFile(other, []byte(listening(address)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := explain("noise", other); strings.Contains(out, "window ") || strings.Contains(out, "noise\" of the configuration") {
		t.Errorf("another file is explained as that which runs:\n%s", out)
	}
	p.stopped(proc)
	holds(explain("db"), `held back by the mute "channel db" until`)
}

func TestInhibitionsGoOnAfterARestartAndAReload(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	rule := func(more string) string {
		return "listen: [{name: zeromq, type: zeromq, uri: \"" + address + "\", mode: pull}]\nhandlers:\n" +
			"  - {name: desktop, type: inhibit, cause: 'message == \"down\"', effect: 'message == \"failed\"', for: 1h" + more +
			", handler: {type: notification}}\n"
	}
	configure(t, home, rule(""))
	held := func() int {
		s, _ := p.status()
		if len(s.Inhibitions) != 1 || s.Inhibitions[0].Cause != "down" || s.Inhibitions[0].Handler != "desktop" {
			return -1
		}
		return s.Inhibitions[0].Held
	}
	proc := p.start("headless")
	p.run("send", address, "--level", "error", "down")
	p.run("send", address, "--level", "error", "failed")
	e2e.Eventually(t, "an effect to be held back", func() bool { return held() == 1 })
	p.stopped(proc)
	effect := strings.NewReader(`{"channel": "shop", "level": "error", "msg": "failed", "time": "2026-11-21T12:00:00Z"}`)
	if out := e2e.Run(t, p.env, effect, p.path, "explain", "--source", "zeromq"); !strings.Contains(out, `inhibited`) || !strings.Contains(out, `as "down" explains it`) {
		t.Errorf("while nobody runs:\n%s", out)
	}
	proc = p.start("headless")
	p.run("send", address, "--level", "error", "failed")
	e2e.Eventually(t, "the inhibition to go on after a restart", func() bool { return held() == 2 })
	configure(t, home, rule(", max_causes: 7"))
	p.run("reload")
	p.run("send", address, "--level", "error", "failed")
	e2e.Eventually(t, "the inhibition to go on after a reload", func() bool { return held() == 3 })
	if text := p.run("status"); !strings.Contains(text, `by "down"`) || !strings.Contains(text, "held=3") {
		t.Errorf("status says\n%s", text)
	}
	p.stopped(proc)
	configure(t, home, strings.Replace(rule(""), "failed", "declined", 1))
	proc = p.start("headless")
	if n := held(); n != -1 {
		t.Errorf("another rule has taken over what was held back: %d", n)
	}
	p.stopped(proc)
}

func TestDoNotDisturbOfTheDesktopIsFollowed(t *testing.T) {
	d := e2e.StartDesktop(t)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start("headless")
	d.Dunst.Pause(t, true)
	e2e.Eventually(t, "do not disturb", func() bool {
		list := p.mutes()
		return len(list) == 1 && list[0].Label == "do not disturb" && list[0].Owner == "desktop" && list[0].Until.IsZero()
	})
	if s, _ := p.status(); !s.Muted || s.MutedUntil != nil {
		t.Errorf("status says muted %v until %v", s.Muted, s.MutedUntil)
	}
	p.run("send", address, "--level", "error", "held back")
	e2e.Eventually(t, "a record to be held back", func() bool { return p.mutes()[0].Held == 1 })
	d.Dunst.Pause(t, false)
	d.Notifications.Wait(t, "what was held back", func(n e2e.Notify) bool { return n.Title == "No longer muted: do not disturb" })
	d.Dunst.Pause(t, true)
	e2e.Eventually(t, "do not disturb again", func() bool { return len(p.mutes()) == 1 })
	configure(t, d.Home, "do_not_disturb: ignore\n"+listening(address))
	p.run("reload")
	e2e.Eventually(t, "do not disturb to be ignored", func() bool { return len(p.mutes()) == 0 })
	p.run("send", address, "--level", "error", "--channel", "db", "shown")
	d.Notifications.Wait(t, "a notification in spite of it", func(n e2e.Notify) bool { return n.Body == "shown" })
	p.stopped(proc)
}

func TestAnAlertThatCouldNotBeDeliveredIsKeptAsFailed(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	gone := strings.Replace(freeAddress(t), "tcp:", "http:", 1)
	log := filepath.Join(home, "other.log")
	configure(t, home, `listen: [{type: zeromq, uri: "`+address+`", mode: pull}]
handlers:
  - {name: phone, type: ntfy, url: "`+gone+`", topic: shop, token: do-not-tell, timeout: 100ms, bubble: true}
  - {name: other, type: file, path: `+log+`, format_string: "{record.message}"}
`)
	proc := p.start("headless")
	p.run("send", address, "--level", "error", "one")
	p.run("send", address, "--level", "error", "--channel", "db", "two")
	e2e.Eventually(t, "two failed alerts", func() bool {
		s, _ := p.status()
		return s.Alerts.Undelivered == 2
	})
	for _, a := range p.alerts() {
		if a.State != "new" || len(a.Failures) != 1 || a.Failures[0].By != "phone" || !strings.Contains(a.Failures[0].Reason, "connection refused") {
			t.Errorf("alert %+v", a)
		}
	}
	text := p.run("alerts", "list") + p.run("status")
	for _, want := range []string{"2   failed  ERROR", "alert 1 was not delivered by phone at ", "NOT DELIVERED: of 2 new alerts"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text+proc.Output(), "do-not-tell") {
		t.Errorf("the token is told:\n%s%s", text, proc.Output())
	}
	if got := read(t, log); got != "one\ntwo\n" {
		t.Errorf("the other handler got %q", got)
	}
	p.stopped(proc)
	proc = p.start("headless")
	if s, _ := p.status(); s.Alerts.Undelivered != 2 {
		t.Errorf("after a restart: %+v", s.Alerts)
	}
	p.run("alerts", "dismiss", "1", "2")
	if s, _ := p.status(); s.Alerts != (control.Alerts{Total: 2}) {
		t.Errorf("after dismissing them: %+v", s.Alerts)
	}
	p.stopped(proc)
}

func TestAlertsAreDismissedOneByOneOrAllAtOnce(t *testing.T) {
	d := e2e.StartDesktop(t)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start("headless")
	for _, channel := range []string{"a", "b", "c"} {
		p.run("send", address, "--level", "error", "--channel", channel, "boom")
	}
	e2e.Eventually(t, "three notifications", func() bool { return d.Dunst.Displayed(t) == 3 })
	p.run("alerts", "dismiss", "2")
	e2e.Eventually(t, "a notification to go", func() bool { return d.Dunst.Displayed(t) == 2 })
	if s, _ := p.status(); s.Alerts.Unseen != 2 {
		t.Errorf("alerts %+v", s.Alerts)
	}
	p.run("alerts", "dismiss", "--all")
	e2e.Eventually(t, "all notifications to go", func() bool { return d.Dunst.Displayed(t) == 0 })
	for _, a := range p.alerts() {
		if a.State != "seen" {
			t.Errorf("alert %+v", a)
		}
	}
	if got := p.fails(1, "alerts", "dismiss", "7", "1"); got != "logbook-tray: there is no alert 7; see: logbook-tray alerts list\n" {
		t.Errorf("an alert that is not there: %q", got)
	}
	for _, args := range [][]string{{}, {"--all", "1"}, {"x"}, {"0"}} {
		p.fails(2, append([]string{"alerts", "dismiss"}, args...)...)
	}
	p.run("send", address, "--level", "error", "--channel", "d", "boom")
	d.Notifications.Wait(t, "another notification", func(n e2e.Notify) bool { return n.Title == "d: Error" })
	e2e.Eventually(t, "the notification on the screen", func() bool { return d.Dunst.Displayed(t) == 1 })
	d.Dunst.CloseAll(t)
	e2e.Eventually(t, "what was closed to be seen", func() bool {
		s, _ := p.status()
		return s.Alerts.Unseen == 0
	})
	p.stopped(proc)
}

// startGrowl starts a service that takes every request of GNTP, and says that the user has
// clicked on each notification.
func startGrowl(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go sayClicked(conn)
		}
	}()
	return l.Addr().String()
}

func sayClicked(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" {
			break
		}
		if id, ok := strings.CutPrefix(line, "Notification-Callback-Context: "); ok {
			defer func() {
				_, _ = io.WriteString(conn, "GNTP/1.0 -CALLBACK NONE\r\nNotification-Callback-Result: CLICKED\r\nNotification-Callback-Context: "+id+"\r\n")
			}()
		}
	}
	_, _ = io.WriteString(conn, "GNTP/1.0 -OK NONE\r\nResponse-Action: X\r\n\r\n")
}

func TestAClickInGrowlDoesWhatOneOnTheDesktopDoes(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	configure(t, home, `listen: [{type: zeromq, uri: "`+address+`", mode: pull}]
handlers: [{type: growl, address: "`+startGrowl(t)+`"}]
`)
	proc := p.start("headless")
	p.run("send", address, "--level", "error", "boom")
	e2e.Eventually(t, "the click", func() bool {
		return strings.Contains(proc.Output(), "alert 1 was clicked; see: logbook-tray alerts show 1")
	})
	if s, _ := p.status(); s.Alerts.Unseen != 0 {
		t.Errorf("alerts %+v", s.Alerts)
	}
	p.stopped(proc)
}

func TestAnErrorIsMutedByTheButtonOfItsNotification(t *testing.T) {
	d := e2e.StartDesktop(t)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start("headless")
	p.run("send", address, "--level", "error", "--channel", "shop", "boom")
	e2e.Eventually(t, "the notification", func() bool { return d.Dunst.Displayed(t) == 1 })
	d.Dunst.Choose(t, "Mute 1 h")
	e2e.Eventually(t, "the mute", func() bool {
		list := p.mutes()
		return len(list) == 1 && list[0].Label == "shop: Error" && list[0].Fingerprint == p.alerts()[0].Fingerprint && !list[0].Until.IsZero()
	})
	if s, _ := p.status(); s.Alerts.Unseen != 0 || s.Muted {
		t.Errorf("alerts %+v, muted %v", s.Alerts, s.Muted)
	}
	p.stopped(proc)
}

func TestTheContextWindowMutesAndUndoes(t *testing.T) {
	d := e2e.StartDesktop(t)
	address := freeAddress(t)
	configure(t, d.Home, listening(address))
	p := newProgram(t, d.Env())
	proc := p.start()
	python(t, "server.py", address)
	e2e.Eventually(t, "the alert", func() bool { return len(p.alerts()) == 1 })
	p.run("alerts", "open", "1")
	const title = "shop.checkout: Error – context"
	d.Display.WaitForWindow(t, title)
	press := func(keys ...string) {
		t.Helper()
		d.Display.Do(t, "xdotool", append([]string{"search", "--name", title, "windowactivate", "--sync", "key", "--delay", "100"}, keys...)...)
	}
	press("m", "Down", "Right", "Down") // this error, for 1 h
	d.Display.Screenshot(t, "context-mute-menu")
	press("Return")
	e2e.Eventually(t, "the mute of the error", func() bool {
		list := p.mutes()
		return len(list) == 1 && list[0].Label == "shop.checkout: Error" && list[0].Fingerprint == p.alerts()[0].Fingerprint
	})
	if until := time.Until(p.mutes()[0].Until); until < 50*time.Minute || until > time.Hour {
		t.Errorf("muted for %v, want 1 h", until)
	}
	python(t, "server.py", address)
	e2e.Eventually(t, "the next one to be held back", func() bool { return p.mutes()[0].Held == 1 })
	press("m", "Up")
	d.Display.Screenshot(t, "context-unmute-menu")
	press("Return")
	e2e.Eventually(t, "the mute to be undone", func() bool { return len(p.mutes()) == 0 })
	d.Notifications.Wait(t, "what was held back", func(n e2e.Notify) bool { return n.Title == "No longer muted: shop.checkout: Error" })
	p.stopped(proc)
}

func TestAnAlertIsEscalatedOnceAlsoWhenTheProgramIsStartedAgain(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	log := filepath.Join(home, "phone.log")
	configure(t, home, listening(address)+`
  - {name: phone, type: escalation, after: 2s, level: error, handler: {type: file, path: `+log+`, format_string: "{record.message}"}}
`)
	escalated := func(want string) {
		t.Helper()
		e2e.Eventually(t, "the phone to get "+want, func() bool {
			got, err := os.ReadFile(log)
			return err == nil && string(got) == want
		})
	}
	proc := p.start("headless")
	p.run("send", address, "--level", "error", "--channel", "shop", "first")
	e2e.Eventually(t, "the alert", func() bool { return len(p.alerts()) == 1 })
	p.stopped(proc) // before it is due, or just after
	proc = p.start("headless")
	escalated("first\n")
	p.stopped(proc)
	proc = p.start("headless")
	p.run("send", address, "--level", "error", "--channel", "db", "second")
	escalated("first\nsecond\n")
	s, _ := p.status()
	if len(s.Escalations) != 1 || s.Escalations[0].Handler != "phone" || s.Escalations[0].Escalated != 1 || len(p.alerts()[0].Escalated) != 1 {
		t.Errorf("status says %+v", s.Escalations)
	}
	p.stopped(proc)
}
