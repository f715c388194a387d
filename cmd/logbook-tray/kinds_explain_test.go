package main

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// told renders steps: one line for each handler, those inside of another further in.
func told(steps []pipeline.Step) []string {
	var b strings.Builder
	writeSteps(&b, steps, "")
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(b.String(), "\t", " | ")), "\n")
}

func TestHandlersExplainWhatTheyWouldMakeOfARecord(t *testing.T) {
	// In a bubble of synctest it is midnight UTC.
	clock := func(d time.Duration) string {
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Local().Format(time.TimeOnly)
	}
	const same = "the same error (fingerprint location)"
	desktop := `handlers: [{name: desktop, type: notification, fingerprint: '"location"'}]`
	muted := func(m mute.Mute) func(*testing.T, *running) {
		return func(_ *testing.T, r *running) { r.app.Mutes.Push(m) }
	}
	logged := func(messages ...string) func(*testing.T, *running) {
		return func(t *testing.T, r *running) {
			for _, m := range messages {
				r.log(t, core.LevelError, m)
			}
		}
	}
	for _, test := range []struct {
		name, source string
		before       func(*testing.T, *running)
		level        core.Level // that of an error if not set
		extra        []any
		want         []string
	}{
		{"a first error", desktop, nil, 0, nil, []string{
			"desktop | took, shown | it takes every level; shown at once: the first of " + same + " in 1m0s; it does not bubble",
		}},
		{"a repeat", desktop, logged("once", "twice"), 0, nil, []string{
			"desktop | took, limited | it takes every level; a repeat of " + same + ": 1 notification in 1m0s allowed, 2 came; an update at " +
				clock(time.Minute) + " counts it; it does not bubble",
		}},
		{"a repeat that is allowed", strings.Replace(desktop, "fingerprint", "record_limit: 3, record_delta: 1h, fingerprint", 1), logged("once"), 0, nil, []string{
			"desktop | took, shown | it takes every level; shown at once: 3 notifications in 1h0m0s allowed of " + same + ", 1 came; it does not bubble",
		}},
		{"no limit", strings.Replace(desktop, "fingerprint", "record_limit: -1, fingerprint", 1), logged("once"), 0, nil, []string{
			"desktop | took, shown | it takes every level; shown at once, as every record; it does not bubble",
		}},
		{"beyond the cap", strings.Replace(desktop, `fingerprint: '"location"'`, "cap: 2, fingerprint: message", 1), logged("one", "two"), 0, nil, []string{
			"desktop | took, limited | it takes every level; beyond the cap, 2 notifications in 10s of any kind: a digest counts it; there is room again at " +
				clock(10*time.Second) + "; it does not bubble",
		}},
		{"muted for a time", desktop, muted(mute.Mute{Label: "shop", Match: mute.Match{Channel: "shop"}, Until: time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)}), 0, nil, []string{
			`desktop | took, muted | it takes every level; held back by the mute "shop" until ` + clock(time.Hour) + "; it does not bubble",
		}},
		{"muted by the file", desktop, muted(mute.Mute{Label: "noise", Owner: "configuration 0123"}), 0, nil, []string{
			`desktop | took, muted | it takes every level; held back by the mute "noise" of the configuration, until it is ended; it does not bubble`,
		}},
		{"muted by the desktop", desktop, muted(mute.Mute{Label: "do not disturb", Owner: "desktop"}), 0, nil, []string{
			`desktop | took, muted | it takes every level; held back by the mute "do not disturb" of the desktop, until it is ended; it does not bubble`,
		}},
		{"quiet hours, which critical passes", desktop, muted(mute.Mute{Label: "quiet hours", Owner: "quiet hours"}), core.LevelCritical, nil, []string{
			"desktop | took, shown | it takes every level; shown at once: the first of " + same + " in 1m0s; it does not bubble",
		}},
		{"fingers crossed, not severe", `handlers: [{type: fingers_crossed, bubble: true, handler: {type: notification}}]`, nil, core.LevelInfo, nil, []string{
			"fingers_crossed | bubbled, buffered | it takes every level; it waits, with 0 others, until one of level error comes from there; it bubbles",
		}},
		{"fingers crossed, severe and muted", `handlers: [{name: desktop, type: fingers_crossed, handler: {type: notification}}]`, func(t *testing.T, r *running) {
			r.log(t, core.LevelDebug, "before")
			r.app.Mutes.Push(mute.Mute{Label: "everything"})
		}, 0, nil, []string{
			"desktop | took, muted | it takes every level; error sets its buffer free, with 1 record that led up to it; it does not bubble",
			`  desktop/notification | took, muted | held back by the mute "everything", until it is ended`,
		}},
		{"inhibited", `handlers: [{type: inhibit, cause: 'message == "down"', effect: 'message == "x"', handler: {type: stderr}}]`, logged("down"), 0, nil, []string{
			`inhibit | took, inhibited | it takes every level; held back until ` + clock(5*time.Minute) + `, as "down" explains it; it does not bubble`,
		}},
		{"an effect without a cause", `handlers: [{type: inhibit, cause: 'message == "down"', effect: 'message == "x"', handler: {type: stderr}}]`, nil, 0, nil, []string{
			"inhibit | took | it takes every level; it is an effect of which no cause was seen; it does not bubble",
			"  inhibit/stderr | took",
		}},
		{"a cause", `handlers: [{type: inhibit, cause: 'message == "x"', effect: 'true', handler: {type: stderr}}]`, nil, 0, nil, []string{
			"inhibit | took | it takes every level; it is a cause: its effects are held back from now on; it does not bubble",
			"  inhibit/stderr | took",
		}},
		{"group wait of a notifier", `handlers: [{name: desktop, type: notification, group_wait: 10s, fingerprint: message}]`, logged("other"), 0, nil, []string{
			"desktop | took, buffered | it takes every level; it joins 1 other, handed on at " + clock(10*time.Second) +
				"; shown at once: the first of the same error (fingerprint PRINT) in 1m0s; it does not bubble",
		}},
		{"an escalation does not wait for its group", `handlers: [{type: fingers_crossed, handler: {type: notification, group_wait: 10s, fingerprint: '"location"'}}]`, nil, 0, nil, []string{
			"fingers_crossed | took, shown | it takes every level; error sets its buffer free, with 0 records that led up to it; it does not bubble",
			"  fingers_crossed/notification | took, shown | shown at once: the first of " + same + " in 1m0s",
		}},
		{"group wait around another that is muted", `handlers: [{type: group_wait, wait: 5s, handler: {type: notification}}]`, muted(mute.Mute{Label: "all"}), 0, nil, []string{
			"group_wait | took, muted | it takes every level; it waits 5s for others of its group; it does not bubble",
			`  group_wait/notification | took, muted | held back by the mute "all", until it is ended`,
		}},
		{"a group", `handlers: [{type: group, flush_interval: 5m, handler: {type: stderr}}]`, logged("a", "b"), 0, nil, []string{
			"group | took, buffered | it takes every level; it waits, with 2 others, to be handed on with them, at the latest after 5m0s; it does not bubble",
			"  group/stderr | took",
		}},
		{"a memory", `handlers: [{type: memory, capacity: 3, flush_level: critical, handler: {type: stderr}}]`, logged("a"), 0, nil, []string{
			"memory | took, buffered | it takes every level; it waits, with 1 other, until there are 3 or one of level critical comes, at the latest after 1m0s; it does not bubble",
			"  memory/stderr | took",
		}},
		{"a memory that is full then", `handlers: [{type: memory, capacity: 2, flush_level: critical, handler: {type: stderr}}]`, logged("a"), 0, nil, []string{
			"memory | took | it takes every level; it makes the buffer full, which is handed on with 1 other; it does not bubble",
			"  memory/stderr | took",
		}},
		{"a severe one for a memory", `handlers: [{type: memory, handler: {type: stderr}}]`, nil, 0, nil, []string{
			"memory | took | it takes every level; error sets its buffer free, with 0 others; it does not bubble",
			"  memory/stderr | took",
		}},
		{"a message for the second time", `handlers: [{type: dedup, handler: {type: stderr}}]`, logged("x"), 0, nil, []string{
			"dedup | took, limited | it takes every level; the same message waits already, and came 1 time: it is counted with it; it does not bubble",
		}},
		{"tags", `handlers: [{type: tagging, handlers: {db: {type: stderr}}}]`, nil, 0, []any{"tags", "db"}, []string{
			"tagging | took | it takes every level; it has the tags db; it does not bubble",
			"  tagging/stderr | took",
		}},
		{"no tags", `handlers: [{type: tagging, level: debug, handlers: {db: {type: stderr}}}, {type: "null"}]`, nil, 0, nil, []string{
			"tagging | passed | error is not below its level, debug; it has none of the tags",
			"null | blackhole | it takes every level; it discards records",
		}},
		{"several, of which one limits", `handlers: [{type: fan, handlers: [{type: threaded, handler: {type: stderr}}, {name: desktop, type: notification, fingerprint: '"location"'}]}]`, logged("once"), 0, nil, []string{
			"fan | took | it takes every level; it goes to 2 handlers; it does not bubble",
			"  fan/threaded | took",
			"    fan/threaded/stderr | took",
			"  desktop | took, limited | a repeat of " + same + ": 1 notification in 1m0s allowed, 1 came; an update at " + clock(time.Minute) + " counts it",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := runKinds(t, test.source)
				if test.before != nil {
					test.before(t, r)
				}
				synctest.Wait()
				asked := core.NewReceived(&core.Record{
					Channel: "shop", Level: cmp.Or(test.level, core.LevelError), Msg: "x", Extra: core.Extra(test.extra...),
				}, core.Source{Name: "test"}, time.Now())
				before := fmt.Sprint(r.Status(), r.app.Mutes.List())
				var last []string
				for range 2 { // explaining does not change what is explained
					last = told(r.Explain(asked)[1:])
					for i := range last {
						last[i] = strings.ReplaceAll(last[i], limit.Message(asked), "PRINT")
					}
					if diff := gocmp.Diff(test.want, last); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				}
				if after := fmt.Sprint(r.Status(), r.app.Mutes.List()); after != before {
					t.Errorf("explaining was counted:\n%s\n%s", before, after)
				}
				r.app.Mutes.Clear()
				r.end(t)
			})
		})
	}
}
