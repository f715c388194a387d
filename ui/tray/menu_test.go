package tray

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/mute"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func labels(items []Item) []string {
	var out []string
	for _, i := range items {
		if i.Separator {
			out = append(out, "---")
			continue
		}
		out = append(out, i.Label)
		for _, sub := range labels(i.Items) {
			out = append(out, "  "+sub)
		}
	}
	return out
}

func TestMenuOfAQuietDay(t *testing.T) {
	got := labels(Menu(State{}, now))
	want := []string{
		"Open log window", "Status", "Add a program", "Recent alerts", "  No alerts yet", "---",
		"Mute everything", "  10 min", "  1 h", "  until tomorrow", "  forever", "---", "Quit",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMenuListsRecentAlertsWithCountAndAge(t *testing.T) {
	s := State{
		Unseen: 1,
		Alerts: []Alert{
			{ID: 9, Title: "shop: Error", Text: "payment declined\nfor order 4711", Count: 12, Last: now.Add(-3 * time.Minute)},
			{ID: 8, Title: "shop: Critical", Text: "out of memory", Count: 1, Last: now.Add(-25 * time.Hour), Seen: true},
		},
	}
	got := labels(Menu(s, now))
	want := []string{
		"Open log window", "Status", "Add a program", "Recent alerts (1 new)",
		"  ● shop: Error – payment declined… (12×), 3 min ago",
		"     shop: Critical – out of memory, 25 h ago",
		"  ---", "  Mark all as seen",
		"---", "Mute everything", "  10 min", "  1 h", "  until tomorrow", "  forever", "---", "Quit",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if item := Menu(s, now)[3].Items[0]; item.Action != OpenAlert || item.Alert != 9 {
		t.Errorf("the first alert does %v on %d, want OpenAlert on 9", item.Action, item.Alert)
	}
}

func TestMenuMarksAlertsThatSomebodyCouldNotBeToldAbout(t *testing.T) {
	failed := Alert{Title: "shop: Error", Text: "boom", Last: now, Failed: true}
	seen := failed
	seen.Seen = true
	items := Menu(State{Alerts: []Alert{failed, seen}}, now)[3].Items
	if items[0].Label != "⚠ shop: Error – boom, just now" || items[1].Label != "   shop: Error – boom, just now" {
		t.Errorf("labels %q and %q", items[0].Label, items[1].Label)
	}
}

func TestMenuListsNoMoreThanMaxAlerts(t *testing.T) {
	s := State{Alerts: make([]Alert, 50)}
	if n := len(Menu(s, now)[3].Items); n != MaxAlerts {
		t.Errorf("%d alerts listed, want %d", n, MaxAlerts)
	}
}

func TestMenuListsTheMutesWithWhatEachHasHeldBack(t *testing.T) {
	local := func(hour, minute int) time.Time { return time.Date(2026, 11, 21, hour, minute, 0, 0, time.Local) }
	s := State{Muted: true, MutedUntil: local(13, 30), Mutes: []Mute{
		{ID: 7, Label: "everything", Until: local(13, 30), Held: 12},
		{ID: 3, Label: "channel shop\u202e", Until: local(13, 30).AddDate(0, 0, 2)},
		{ID: 1, Label: "source ci"},
	}}
	menu := Menu(s, local(12, 0))
	want := []string{
		"Everything is muted until 13:30", "  Unmute everything, until 13:30 (12 held back)",
		"  Unmute channel shop, until 23 November 13:30", "  Unmute source ci", "  ---", "  Unmute all",
	}
	if diff := cmp.Diff(want, labels(menu[6:7])); diff != "" {
		t.Error(diff)
	}
	if item := menu[6].Items[1]; item.Action != Unmute || item.Mute != 3 {
		t.Errorf("the second item does %v on %d", item.Action, item.Mute)
	}
	if item := menu[5].Items[2]; item.Action != MuteAll || item.Expiry != mute.UntilTomorrow {
		t.Errorf("until tomorrow does %v for %v", item.Action, item.Expiry)
	}
	s.MutedUntil = time.Time{}
	if got := Menu(s, now)[6].Label; got != "Everything is muted" {
		t.Errorf("muted for ever: %q", got)
	}
	if got := Menu(State{Mutes: s.Mutes[1:]}, now)[6].Label; got != "Muted (2)" {
		t.Errorf("something muted: %q", got)
	}
}

func TestTextFromTheWireCannotDisturbTheMenu(t *testing.T) {
	s := State{Alerts: []Alert{{Title: "x: Error", Text: "a\x1b[31mb\u202ec\x00d", Last: now}}}
	if got, want := Menu(s, now)[3].Items[0].Label, "● x: Error – a[31mbcd, just now"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIconShowsTheMostUrgentState(t *testing.T) {
	for _, c := range []struct {
		name string
		s    State
		want Icon
	}{
		{"nothing", State{}, IconNormal},
		{"muted", State{Muted: true}, IconMuted},
		{"problem while muted", State{Muted: true, Problem: "port in use"}, IconProblem},
		{"unseen alerts", State{Unseen: 1, Problem: "port in use"}, IconUnseen},
	} {
		if got := IconFor(c.s); got != c.want {
			t.Errorf("%s: icon %v, want %v", c.name, got, c.want)
		}
	}
}
