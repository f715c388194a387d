package alert_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
)

func record(seq uint64, message string) *core.Record {
	r := &core.Record{Channel: "shop", Level: core.LevelError, Seq: seq}
	r.SetMessage(message)
	return r
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func occurrence(fingerprint string, r *core.Record, at time.Time) alert.Occurrence {
	return alert.Occurrence{
		Fingerprint: fingerprint, Record: r, At: at, Renew: time.Hour, RenewSeen: time.Minute,
		Title: "shop: Error", Body: r.Message(),
	}
}

func ids(alerts []alert.Alert) (out []uint64) {
	for _, a := range alerts {
		out = append(out, a.ID)
	}
	return out
}

func TestARepeatCountsOnItsAlertAndMovesItToTheTop(t *testing.T) {
	l := alert.NewList(alert.Options{})
	before := record(1, "cart opened")
	o := occurrence("a", record(2, "declined 1"), noon)
	o.Context = []*core.Record{before, o.Record}
	first, isNew := l.Occur(o)
	if !isNew || first.ID != 1 || first.Count != 1 {
		t.Fatalf("first: new %v, %+v", isNew, first)
	}
	l.Occur(occurrence("b", record(3, "other"), noon))
	second, isNew := l.Occur(occurrence("a", record(4, "declined 2"), noon.Add(time.Second)))
	if isNew || second.ID != first.ID || second.Count != 2 {
		t.Fatalf("repeat: new %v, %+v", isNew, second)
	}
	if diff := cmp.Diff([]uint64{1, 2}, ids(l.List())); diff != "" {
		t.Errorf("order of the list (-want +got):\n%s", diff)
	}
	a, ok := l.Get(1)
	if !ok || a.Trigger != o.Record || a.Newest.Message() != "declined 2" || a.Body != "declined 2" ||
		!a.First.Equal(noon) || !a.Last.Equal(noon.Add(time.Second)) || a.State != alert.New {
		t.Errorf("alert: %+v", a)
	}
	if len(a.Context) != 2 || a.Context[0] != before || a.Context[1] != o.Record {
		t.Errorf("the context is not that of the first: %v", a.Context)
	}
}

func TestAnAlertTakesUpRepeatsOnlySoLong(t *testing.T) {
	for _, test := range []struct {
		name  string
		state alert.State
		after time.Duration
		isNew bool
	}{
		{"unseen, within the hour", alert.New, 59 * time.Minute, false},
		{"unseen, later", alert.New, time.Hour, true},
		{"seen, within the window", alert.Seen, 59 * time.Second, false},
		{"seen, later", alert.Seen, time.Minute, true},
		{"muted, later", alert.Muted, time.Minute, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := alert.NewList(alert.Options{})
			a, _ := l.Occur(occurrence("a", record(1, "x"), noon))
			l.SetState(a.ID, test.state)
			b, isNew := l.Occur(occurrence("a", record(2, "x"), noon.Add(test.after)))
			if isNew != test.isNew || (a.ID == b.ID) == isNew {
				t.Errorf("new %v, want %v; IDs %d and %d", isNew, test.isNew, a.ID, b.ID)
			}
		})
	}
}

func TestARecordThatTwoHandlersReportCountsOnce(t *testing.T) {
	l := alert.NewList(alert.Options{})
	a, _ := l.Occur(occurrence("a", record(1, "x"), noon))
	b, isNew := l.Occur(occurrence("fingerprint of another handler", record(1, "x"), noon))
	if isNew || a.ID != b.ID || b.Count != 1 || l.Len() != 1 {
		t.Errorf("new %v, IDs %d and %d, count %d, alerts %d", isNew, a.ID, b.ID, b.Count, l.Len())
	}
	for range 2 { // records without a number cannot be told apart
		b, _ = l.Occur(occurrence("b", record(0, "x"), noon))
	}
	if b.Count != 2 {
		t.Errorf("count %d, want 2", b.Count)
	}
}

func TestAnAlertHasTheLongestContextThatAHandlerKnows(t *testing.T) {
	l := alert.NewList(alert.Options{})
	trigger := record(3, "declined")
	l.Occur(occurrence("a", trigger, noon)) // a handler that sees errors alone
	o := occurrence("b", trigger, noon)
	o.Context = []*core.Record{record(1, "cart opened"), record(2, "paying"), trigger}
	a, isNew := l.Occur(o)
	if isNew || a.Count != 1 {
		t.Fatalf("new %v, %+v", isNew, a)
	}
	if a, _ := l.Get(1); len(a.Context) != 3 || a.Context[0] != o.Context[0] {
		t.Errorf("context: %v", a.Context)
	}
	l.Occur(occurrence("a", trigger, noon)) // and the other way round
	if a, _ := l.Get(1); len(a.Context) != 3 {
		t.Errorf("context after one without: %v", a.Context)
	}
}

func TestStates(t *testing.T) {
	l := alert.NewList(alert.Options{})
	for i := range 3 {
		l.Add(alert.Alert{Fingerprint: fmt.Sprint(i), Trigger: record(0, "x")})
	}
	muted := occurrence("m", record(9, "x"), noon)
	muted.Muted = true
	if a, _ := l.Occur(muted); a.State != alert.Muted {
		t.Errorf("state %v, want muted", a.State)
	}
	if l.Unseen() != 3 || !l.Seen(2) || l.Unseen() != 2 || l.Seen(77) {
		t.Errorf("unseen %d after one of three was seen", l.Unseen())
	}
	if !l.Dismiss(1) || l.Dismiss(1) || l.Unseen() != 1 || l.Len() != 3 {
		t.Errorf("after the dismissal: unseen %d, alerts %d", l.Unseen(), l.Len())
	}
	if diff := cmp.Diff([]uint64{3}, l.SeenAll()); diff != "" || l.Unseen() != 0 {
		t.Errorf("SeenAll, unseen %d (-want +got):\n%s", l.Unseen(), diff)
	}
	if _, ok := l.Get(1); ok {
		t.Error("a dismissed alert is still there")
	}
}

func TestTheListIsBounded(t *testing.T) {
	l := alert.NewList(alert.Options{Max: 3})
	for i := range 5 {
		l.Occur(occurrence(fmt.Sprint(i), record(uint64(i+1), "x"), noon))
	}
	if diff := cmp.Diff([]uint64{5, 4, 3}, ids(l.List())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, isNew := l.Occur(occurrence("0", record(10, "x"), noon)); !isNew {
		t.Error("an alert that is gone took up a repeat")
	}
	if l.Unseen() != 3 {
		t.Errorf("unseen %d, want 3", l.Unseen())
	}
}

func TestTheOldestContextsGoWhenTheyTakeTooMuchMemory(t *testing.T) {
	l := alert.NewList(alert.Options{ContextBytes: 50_000})
	var triggers []*core.Record
	for i := range 3 {
		var rs []*core.Record
		for range 20 {
			rs = append(rs, record(0, strings.Repeat("x", 1000)))
		}
		triggers = append(triggers, rs[19])
		l.Add(alert.Alert{Fingerprint: fmt.Sprint(i), Trigger: rs[19], Context: rs})
	}
	newest, _ := l.Get(3)
	oldest, _ := l.Get(1)
	if len(newest.Context) != 20 || newest.Omitted != 0 {
		t.Errorf("newest: %d records, %d omitted", len(newest.Context), newest.Omitted)
	}
	n := len(oldest.Context)
	if n == 20 || n+oldest.Omitted != 20 || oldest.Context[n-1] != triggers[0] {
		t.Errorf("oldest: %d records, %d omitted", n, oldest.Omitted)
	}
	// A single alert that is too large keeps its latest records.
	huge := []*core.Record{record(0, strings.Repeat("x", 60_000)), record(0, "near"), record(0, "trigger")}
	a := l.Add(alert.Alert{Trigger: huge[2], Context: huge})
	if len(a.Context) != 2 || a.Context[0] != huge[1] || a.Omitted != 1 {
		t.Errorf("huge: %d records, %d omitted", len(a.Context), a.Omitted)
	}
}

func TestIDsAreNeverUsedAgain(t *testing.T) {
	l := alert.NewList(alert.Options{FirstID: 40})
	a := l.Add(alert.Alert{Trigger: record(0, "x")})
	id := l.NewID()
	l.Dismiss(a.ID)
	b := l.Add(alert.Alert{Trigger: record(0, "x")})
	c := l.Add(alert.Alert{ID: 90, Trigger: record(0, "x")})
	d := l.Add(alert.Alert{Trigger: record(0, "x")})
	if diff := cmp.Diff([]uint64{40, 41, 42, 90, 91}, []uint64{a.ID, id, b.ID, c.ID, d.ID}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	l.Add(alert.Alert{ID: 90, Trigger: record(0, "other")})
	if e, _ := l.Get(90); l.Len() != 3 || e.Trigger.Message() != "other" {
		t.Errorf("replacing: %d alerts, %+v", l.Len(), e)
	}
}

func TestReadersHearOfChangesOnce(t *testing.T) {
	l := alert.NewList(alert.Options{})
	changes, cancel := l.Subscribe()
	for range 10 {
		l.Occur(occurrence("a", record(0, "x"), noon))
	}
	<-changes
	select {
	case <-changes:
		t.Error("ten changes were not made one")
	default:
	}
	l.Seen(1)
	<-changes
	l.Seen(1) // is so already
	cancel()
	l.Dismiss(1)
	select {
	case <-changes:
		t.Error("heard of no change, or of one after the end")
	default:
	}
}

func TestConcurrentOccurrencesAreCountedExactly(t *testing.T) {
	l := alert.NewList(alert.Options{})
	var g sync.WaitGroup
	for p := range 8 {
		g.Go(func() {
			for i := range 1000 {
				l.Occur(occurrence("a", record(uint64(1+i+1000*p), "x"), noon))
				l.Get(1)
			}
		})
	}
	g.Wait()
	if a, _ := l.Get(1); a.Count != 8000 || l.Len() != 1 {
		t.Errorf("count %d, alerts %d", a.Count, l.Len())
	}
}

func TestStateAsText(t *testing.T) {
	for _, s := range []alert.State{alert.New, alert.Seen, alert.Muted} {
		text, _ := s.MarshalText()
		var back alert.State
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%q reads as %v, %v", text, back, err)
		}
	}
	var s alert.State
	if err := s.UnmarshalText([]byte("gone")); !errors.Is(err, alert.ErrUnknownState) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkOccurARepeat(b *testing.B) {
	l := alert.NewList(alert.Options{})
	o := occurrence("a", record(0, "x"), noon)
	b.ReportAllocs()
	for b.Loop() {
		o.Record.Seq++
		l.Occur(o)
	}
}
