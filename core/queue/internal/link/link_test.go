package link_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

func TestAttemptsGetRarerAndStartAgainAfterASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := link.New("x", time.Second, 4*time.Second, nil)
		pause := func(want time.Duration) {
			t.Helper()
			start := time.Now()
			if !l.Pause(t.Context()) {
				t.Fatal("it ended")
			}
			if took := time.Since(start); took > want || took < want/2 {
				t.Errorf("waited %v, want %v or up to half less", took, want)
			}
		}
		pause(time.Second)
		pause(2 * time.Second)
		pause(4 * time.Second)
		pause(4 * time.Second)
		l.Up("", nil)
		pause(time.Second)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if l.Pause(ended) {
			t.Error("it did not end")
		}
	})
}

func TestTheStateSaysWhetherItWasConnectedBefore(t *testing.T) {
	var seen []queue.State
	l := link.New("x", 0, 0, func(p queue.Peer) { seen = append(seen, p.State) })
	away := errors.New("connection refused")
	for _, step := range []func(){
		func() { l.Down(away, false) },
		func() { l.Up("queue logging", nil) },
		func() { l.Down(away, false) },
		func() { l.Down(away, false) },
		func() { l.Down(errors.New("wrong password"), true) },
		func() { l.Down(away, false) },
		l.Closed,
	} {
		step()
		seen = append(seen, l.Status().State)
	}
	want := []queue.State{
		"connecting", "connected", "connected", "lost", "lost", "lost", "failed", "failed",
		"connecting", "connecting", "closed", "closed",
	}
	if d := cmp.Diff(want, seen); d != "" {
		t.Error(d)
	}
}
