//go:build linux

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
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
