package route_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/route"
)

// escalating runs an escalation in a bubble with a fake clock.
func escalating(t *testing.T, o route.EscalationOptions, f func(t *testing.T, l *alert.List, s *sink, e *route.Escalation)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, l := new(sink), alert.NewList(alert.Options{})
		o.Alerts, o.Handler = l, s
		e := route.NewEscalation(o)
		defer runEscalation(t, e)()
		f(t, l, s, e)
	})
}

func runEscalation(t *testing.T, e *route.Escalation) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var owner sync.WaitGroup
	owner.Go(func() { e.Run(ctx) })
	synctest.Wait()
	return func() {
		cancel()
		owner.Wait()
	}
}

func occur(l *alert.List, text string, context ...*core.Record) alert.Alert {
	r := record("web", text)
	if len(context) > 0 {
		context = append(context, r)
	}
	a, _ := l.Occur(alert.Occurrence{Fingerprint: text, Record: r, Context: context, Renew: time.Hour, RenewSeen: time.Minute})
	return a
}

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAnAlertThatNobodyLooksAtIsEscalatedOnce(t *testing.T) {
	escalating(t, route.EscalationOptions{}, func(t *testing.T, l *alert.List, s *sink, e *route.Escalation) {
		occur(l, "declined", record("web", "debug 1"))
		sleep(5 * time.Minute)
		occur(l, "declined") // a repeat does not put it off
		occur(l, "later")
		sleep(5*time.Minute - time.Second)
		if got := s.all(); got != "" {
			t.Errorf("too early: %s", got)
		}
		sleep(2 * time.Second)
		if got := s.all(); got != "escalation[debug 1 declined]" {
			t.Errorf("after 10 minutes: %s", got)
		}
		occur(l, "declined")
		sleep(time.Hour)
		if got := s.all(); got != "escalation[debug 1 declined], later" {
			t.Errorf("after an hour: %s", got)
		}
		if st := e.Stats(); st != (route.EscalationStats{Escalated: 2}) {
			t.Errorf("stats: %+v", st)
		}
	})
}

func TestAnAlertThatIsKnownIsNotEscalated(t *testing.T) {
	o := route.EscalationOptions{
		After: time.Minute, Level: core.LevelError,
		Filter: func(r *core.Record) bool { return r.Message() != "not this" },
	}
	escalating(t, o, func(t *testing.T, l *alert.List, s *sink, _ *route.Escalation) {
		seen := occur(l, "seen")
		gone := occur(l, "dismissed")
		occur(l, "not this")
		warning := &core.Record{Level: core.LevelWarning}
		warning.SetMessage("only a warning")
		l.Occur(alert.Occurrence{Fingerprint: "w", Record: warning})
		l.Occur(alert.Occurrence{Fingerprint: "m", Record: record("web", "muted"), Muted: true})
		sleep(30 * time.Second)
		l.Seen(seen.ID)
		l.Dismiss(gone.ID)
		sleep(time.Hour)
		if got := s.all(); got != "" {
			t.Errorf("escalated: %s", got)
		}
	})
}

func TestAnAlertThatIsSeenWhileAnotherIsEscalatedIsNot(t *testing.T) {
	escalating(t, route.EscalationOptions{After: time.Minute}, func(t *testing.T, l *alert.List, s *sink, _ *route.Escalation) {
		s.hang = make(chan struct{})
		occur(l, "first")
		second := occur(l, "second")
		sleep(2 * time.Minute)
		l.Seen(second.ID)
		close(s.hang)
		sleep(time.Minute)
		if got := s.all(); got != "first" {
			t.Errorf("escalated: %s", got)
		}
	})
}

func TestARestartEscalatesWhatFellDueMeanwhileAndNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := new(sink), alert.NewList(alert.Options{})
		o := route.EscalationOptions{Alerts: l, Handler: s, Name: "phone", After: 10 * time.Minute}
		stop := runEscalation(t, route.NewEscalation(o))
		occur(l, "in time")
		sleep(5 * time.Minute)
		occur(l, "long ago")
		sleep(6 * time.Minute)
		stop()
		sleep(30 * time.Minute)
		occur(l, "meanwhile")
		sleep(40 * time.Minute)
		occur(l, "to come")
		e := route.NewEscalation(o)
		defer runEscalation(t, e)()
		if w := e.Waiting(); len(w) != 1 || w[0].Alert != 4 || time.Until(w[0].Due) != 10*time.Minute {
			t.Errorf("waiting: %+v", w)
		}
		sleep(time.Minute)
		if got := s.all(); got != "in time, meanwhile" {
			t.Errorf("after the restart: %s", got)
		}
		sleep(time.Hour)
		if got := s.all(); got != "in time, meanwhile, to come" {
			t.Errorf("escalated: %s", got)
		}
	})
}

func TestSeveralEscalationsOfTheSameAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := new(sink), alert.NewList(alert.Options{})
		for _, name := range []string{"phone", "team"} {
			defer runEscalation(t, route.NewEscalation(route.EscalationOptions{Alerts: l, Handler: s, Name: name}))()
		}
		occur(l, "declined")
		sleep(time.Hour)
		if got := s.all(); got != "declined, declined" {
			t.Errorf("escalated: %s", got)
		}
	})
}

func TestAnEscalationThatFailsIsReported(t *testing.T) {
	var errs []error
	o := route.EscalationOptions{After: time.Minute, OnError: func(err error) { errs = append(errs, err) }}
	escalating(t, o, func(t *testing.T, l *alert.List, s *sink, e *route.Escalation) {
		s.err = errors.New("no network")
		occur(l, "first")
		sleep(2 * time.Minute)
		s.err, s.panics = nil, true
		occur(l, "second")
		sleep(2 * time.Minute)
		s.panics = false
		occur(l, "third")
		sleep(2 * time.Minute)
		if len(errs) != 2 || errs[0].Error() != "escalate alert 1: no network" {
			t.Errorf("errors: %v", errs)
		}
		if st := e.Stats(); st != (route.EscalationStats{Escalated: 1, Failed: 2}) {
			t.Errorf("stats: %+v", st)
		}
	})
}
