package main

import (
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core/config"
)

func TestSectionsPointAtMistakes(t *testing.T) {
	for _, marked := range []string{
		`quiet_hours: {hours: [{days: [«mo»], from: "22:00", to: "07:00"}]}`,
		`quiet_hours: {hours: [{days: [mon-fri], from: «"25:00"», to: "07:00"}]}`,
		`quiet_hours: {hours: [{from: "22:00", to: «7»}]}`,
		`quiet_hours: {hours: [«{from: "22:00"}»]}`,
		`quiet_hours: «{time_zone: utc}»`,
		`quiet_hours: {time_zone: «Mars», hours: []}`,
		`quiet_hours: {critical: «maybe», hours: []}`,
		`quiet_hours: {«hour»: [], hours: []}`,
		`rejected: «[]»`,
		`rejected: {«max_coutn»: 5}`,
		`rejected: {enabled: «perhaps»}`,
		`rejected: {max_count: «-1»}`,
		`rejected: {max_count: «100001»}`,
		`rejected: {max_size: «1KiB»}`,
		`do_not_disturb: «folow»`,
		`do_not_disturb: «[follow]»`,
		`mutes: [«{label: all}»]`,
		`mutes: [{filter: 'level > «"eror"»'}]`,
		`mutes: [{filter: '«chanel» == "x"'}]`,
		`mutes: [{channel: x, until: «tomorrow»}]`,
		`mutes: [{channel: x, critical: «yes please»}]`,
		`mutes: [{channel: ok}, {«chanel»: x, source: s}]`,
	} {
		before, _, _ := strings.Cut(marked, "«")
		_, ds := check(t, strings.NewReplacer("«", "", "»", "").Replace(marked))
		if errs := ds.Errors(); len(errs) != 1 {
			t.Errorf("%s\nwant one mistake, have %d: %v", marked, len(errs), errs)
		} else if want := len([]rune(before)) + 1; errs[0].Line != 1 || errs[0].Column != want {
			t.Errorf("%s\nwant a mistake in column %d, have %s", marked, want, errs[0])
		}
	}
	if _, ds := check(t, `mutes: [{channel: x, until: "2020-01-01 18:00"}]`); ds.HasErrors() || len(ds) != 1 {
		t.Errorf("a mute that is over: %v, want a warning", ds)
	}
}

func TestSectionsAreDocumentedWithAllTheirOptions(t *testing.T) {
	text := sections(t, "../../CONFIGURATION.md")
	for _, key := range config.Keys(app.Sections()) {
		section, ok := map[string]string{"quiet_hours": "Quiet hours", "mutes": "Mutes", "do_not_disturb": "Do not disturb", "window": "How it works", "rejected": "Rejected messages"}[key]
		if !ok {
			t.Errorf("where is the section %q documented?", key)
			continue
		}
		for _, option := range app.SectionKeys(key) {
			if !strings.Contains(text[section], "`"+option+"`") && key != "window" {
				t.Errorf("%s: the option %q is not mentioned", section, option)
			}
		}
	}
}
