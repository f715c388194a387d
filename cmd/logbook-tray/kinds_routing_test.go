package main

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// texts are what the notifications on the screen say.
func (s *screen) texts() (texts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.shown {
		texts = append(texts, n.Body)
	}
	return texts
}

// passes lets the fake clock run.
func passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestKindInhibitHoldsBackEffectsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runKinds(t, `handlers:
  - name: desktop
    type: inhibit
    cause: 'message contains "database is down"'
    effect: 'message contains "query"'
    same: extra.cluster
    for: 5m
    handler: {type: notification, record_limit: -1}
`)
		r.log(t, core.LevelError, "query 1", "cluster", "a")
		r.log(t, core.LevelError, "the database is down", "cluster", "a")
		r.log(t, core.LevelError, "query 2", "cluster", "a")
		r.log(t, core.LevelError, "query 3", "cluster", "b")
		synctest.Wait()
		h := r.Status().Handlers[0]
		if h.Counters["held"] != 1 || h.Counters["active"] != 1 || h.Detail != "1 held back since: the database is down" {
			t.Errorf("status: %+v", h)
		}
		if list := r.app.Routes.Inhibitions(); len(list) != 1 || list[0].Handler != "desktop" || list[0].Held != 1 || list[0].Same != "a" {
			t.Errorf("inhibitions: %+v", list)
		} else if texts := inhibited("desktop", list); len(texts) != 1 || !strings.HasPrefix(texts[0], `1 held back by "the database is down" until `) || inhibited("phone", list) != nil {
			t.Errorf("the status window says %q", texts)
		}
		passes(6 * time.Minute)
		r.log(t, core.LevelError, "query 4", "cluster", "a")
		synctest.Wait()
		if diff := cmp.Diff([]string{"query 1", "the database is down", "query 3", "query 4"}, r.screen.texts()); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
		if list := r.app.Routes.Inhibitions(); len(list) != 0 {
			t.Errorf("inhibitions that are over: %+v", list)
		}
		r.end(t)
	})
}

func TestKindGroupWaitMakesOneDeliveryOfWhatComesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := runKinds(t, `handlers:
  - {name: desktop, type: notification, group_wait: 5s, group_by: extra.server, fingerprint: message, bubble: true}
  - {type: group_wait, wait: 1m, handler: {type: file, path: `+filepath.Join(dir, "all.log")+`, format_string: "{record.message}"}}
`)
		r.app.Mutes.Push(mute.Mute{Match: mute.Match{Func: func(r *core.Record) bool { return strings.HasPrefix(r.Message(), "muted") }}})
		r.log(t, core.LevelError, "muted", "server", "a")
		r.log(t, core.LevelError, "first", "server", "a")
		r.log(t, core.LevelError, "other", "server", "b")
		passes(time.Second)
		r.log(t, core.LevelError, "second", "server", "a")
		passes(time.Second)
		if got := r.screen.texts(); len(got) != 0 {
			t.Errorf("shown at once: %q", got)
		}
		if h := r.Status().Handlers[0]; h.Counters["waiting"] != 4 || h.Counters["queued"] != 0 {
			t.Errorf("counters: %v", h.Counters)
		}
		passes(4 * time.Second)
		if diff := cmp.Diff([]string{"first\n(and 1 more at the same time)", "other"}, r.screen.texts()); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
		r.end(t)
		if got := read(t, filepath.Join(dir, "all.log")); got != "muted\nfirst\nother\nsecond\n" {
			t.Errorf("at the end the file has %q", got)
		}
	})
}

func TestKindEscalationHandsOnWhatNobodyLooksAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := runKinds(t, `handlers:
  - name: phone
    type: escalation
    after: 10m
    level: error
    filter: 'not (message contains "minor")'
    handler: {type: file, path: `+filepath.Join(dir, "phone.log")+`, format_string: "{record.message}"}
  - {name: desktop, type: notification, fingerprint: message}
`)
		for _, text := range []string{"minor trouble", "declined", "seen in time"} {
			r.log(t, core.LevelError, text)
			passes(2 * time.Minute)
		}
		r.log(t, core.LevelWarning, "only a warning")
		synctest.Wait()
		alerts := r.app.Alerts.List()
		if len(alerts) != 4 {
			t.Fatalf("%d alerts, want 4", len(alerts))
		}
		for _, e := range r.app.Routes.Escalations() {
			if len(e.Waiting) != 2 || e.Waiting[0].Alert != 2 || e.Handler != "phone" || e.After != "10m0s" {
				t.Errorf("waiting: %+v", e)
			}
		}
		r.app.Alerts.Seen(3)
		passes(8 * time.Minute)
		if got := read(t, filepath.Join(dir, "phone.log")); got != "declined\n" {
			t.Errorf("the phone got %q", got)
		}
		if h := r.Status().Handlers[0]; h.Counters["escalated"] != 1 || h.Counters["waiting"] != 0 || h.Taken != 0 || h.Seen != 3 {
			t.Errorf("status: %+v", h)
		}
		r.end(t)
		if list := r.app.Routes.Escalations(); len(list) != 0 {
			t.Errorf("after the end: %+v", list)
		}
	})
}

func TestAnAlertIsOneAlsoWhenItIsEscalatedToANotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := runKinds(t, `handlers:
  - {type: escalation, after: 2h, handler: {type: notification, fingerprint: message}}
  - {type: notification}
`)
		r.log(t, core.LevelError, "declined")
		passes(3 * time.Hour)
		if list := r.app.Alerts.List(); len(list) != 1 || list[0].Count != 1 || len(list[0].Escalated) != 1 {
			t.Errorf("alerts: %+v", list)
		}
		if got := r.screen.texts(); len(got) != 2 {
			t.Errorf("shown: %q", got)
		}
		r.end(t)
	})
}

func TestAnEscalationIsNoDeadEnd(t *testing.T) {
	d, ds := check(t, `handlers: [{type: escalation, handler: {type: stderr}}, {type: stderr}]`)
	if len(ds) != 0 || !d.Handlers[0].Bubble {
		t.Errorf("%v of %+v", ds, d)
	}
	r := runKinds(t, `handlers: [{type: escalation, after: 1h, handler: {type: "null"}}, {type: "null"}]`)
	defer r.end(t)
	steps := r.Explain(&core.Record{Level: core.LevelError})
	if got := steps[1]; got.Verdict != pipeline.VerdictPassed || !strings.Contains(got.Reason, "handed on after 1h0m0s") {
		t.Errorf("it explains itself as %+v", got)
	}
}
