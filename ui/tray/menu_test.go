package tray

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	want := []string{"Open log window", "Status", "Recent alerts", "  No alerts yet", "---", "Mute all for 1 h", "---", "Quit"}
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
		"Open log window", "Status", "Recent alerts (1 new)",
		"  ● shop: Error – payment declined… (12×), 3 min ago",
		"     shop: Critical – out of memory, 25 h ago",
		"  ---", "  Mark all as seen",
		"---", "Mute all for 1 h", "---", "Quit",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if item := Menu(s, now)[2].Items[0]; item.Action != OpenAlert || item.Alert != 9 {
		t.Errorf("the first alert does %v on %d, want OpenAlert on 9", item.Action, item.Alert)
	}
}

func TestMenuListsNoMoreThanMaxAlerts(t *testing.T) {
	s := State{Alerts: make([]Alert, 50)}
	if n := len(Menu(s, now)[2].Items); n != MaxAlerts {
		t.Errorf("%d alerts listed, want %d", n, MaxAlerts)
	}
}

func TestMenuOffersToUnmuteWhileMuted(t *testing.T) {
	for _, c := range []struct {
		until time.Time
		want  Action
	}{{now.Add(time.Minute), Unmute}, {now.Add(-time.Minute), MuteHour}, {time.Time{}, MuteHour}} {
		if got := Menu(State{MutedUntil: c.until}, now)[4].Action; got != c.want {
			t.Errorf("muted until %v: action %v, want %v", c.until, got, c.want)
		}
	}
}

func TestTextFromTheWireCannotDisturbTheMenu(t *testing.T) {
	s := State{Alerts: []Alert{{Title: "x: Error", Text: "a\x1b[31mb\u202ec\x00d", Last: now}}}
	if got, want := Menu(s, now)[2].Items[0].Label, "● x: Error – a[31mbcd, just now"; got != want {
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
		{"muted", State{MutedUntil: now.Add(1)}, IconMuted},
		{"problem while muted", State{MutedUntil: now.Add(1), Problem: "port in use"}, IconProblem},
		{"unseen alerts", State{Unseen: 1, Problem: "port in use"}, IconUnseen},
	} {
		if got := IconFor(c.s, now); got != c.want {
			t.Errorf("%s: icon %v, want %v", c.name, got, c.want)
		}
	}
}
