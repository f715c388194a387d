package alert_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/alert"
)

func TestTheRecordOfAnAlertComesAgainToWhoeverItIsEscalatedTo(t *testing.T) {
	l := alert.NewList(alert.Options{})
	trigger := record(1, "declined")
	a, _ := l.Occur(occurrence("by place", trigger, noon))
	for i := range uint64(5000) { // so many that it is forgotten by its number
		l.Occur(occurrence("others", record(i+2, "x"), noon))
	}
	again, isNew := l.Occur(occurrence("by message", trigger, noon.Add(3*time.Hour)))
	if isNew || again.ID != a.ID || again.Count != 1 || l.Len() != 2 {
		t.Errorf("new %v: %+v", isNew, again)
	}
	l.Dismiss(a.ID)
	if again, isNew := l.Occur(occurrence("by message", trigger, noon)); !isNew || again.ID == a.ID {
		t.Errorf("after it was dismissed: new %v, %+v", isNew, again)
	}
}

func TestAnAlertIsEscalatedOnceByEach(t *testing.T) {
	l := alert.NewList(alert.Options{})
	a, _ := l.Occur(occurrence("a", record(1, "x"), noon))
	changes, cancel := l.Subscribe()
	defer cancel()
	if !l.Escalate(a.ID, "phone") || l.Escalate(a.ID, "phone") || !l.Escalate(a.ID, "team") || l.Escalate(77, "phone") {
		t.Error("not once by each")
	}
	select {
	case <-changes:
	default:
		t.Error("nobody is told")
	}
	l.Seen(a.ID)
	if l.Escalate(a.ID, "boss") {
		t.Error("escalated after it was seen")
	}
}

func TestFailuresAreKeptUntilTheSameHandlerDelivers(t *testing.T) {
	l := alert.NewList(alert.Options{})
	a, _ := l.Occur(occurrence("a", record(1, "x"), noon))
	l.Failed(a.ID, "phone", "no route")
	l.Failed(a.ID, "mail", strings.Repeat("ü", alert.MaxReason))
	l.Failed(a.ID, "phone", "the server answers 503")
	got, _ := l.Get(a.ID)
	if len(got.Failures) != 2 || got.Failures[1].Reason != "the server answers 503" || len(got.Failures[0].Reason) > alert.MaxReason+3 {
		t.Errorf("failures: %+v", got.Failures)
	}
	if l.Undelivered() != 1 {
		t.Errorf("%d undelivered, want 1", l.Undelivered())
	}
	l.Delivered(a.ID, "phone")
	l.Delivered(a.ID, "mail")
	if now, _ := l.Get(a.ID); len(now.Failures) != 0 || len(got.Failures) != 2 || l.Undelivered() != 0 {
		t.Errorf("after it was delivered: %+v, and of the copy %+v", now.Failures, got.Failures)
	}
	for i := range 2 * alert.MaxFailures {
		l.Failed(a.ID, strconv.Itoa(i), "x")
	}
	if got, _ := l.Get(a.ID); len(got.Failures) != alert.MaxFailures || got.Failures[0].By != strconv.Itoa(alert.MaxFailures) {
		t.Errorf("%d failures", len(got.Failures))
	}
	l.Seen(a.ID)
	if l.Undelivered() != 0 {
		t.Error("it was seen")
	}
}
