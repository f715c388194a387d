package link_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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
		l.Down(errors.New("at once"), false)
		pause(4 * time.Second)
		l.Up("", nil)
		time.Sleep(5 * time.Second) // it lasts
		l.Down(errors.New("connection refused"), false)
		pause(time.Second)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if l.Pause(ended) {
			t.Error("it did not end")
		}
	})
}

func TestTheStateSaysWhetherItWasConnectedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := link.New("x", 0, 0, nil)
		var seen []queue.State
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
		if d := cmp.Diff([]queue.State{"connecting", "connected", "lost", "lost", "failed", "connecting", "closed"}, seen); d != "" {
			t.Error(d)
		}
	})
}

// telling returns a link and what it has told.
func telling() (*link.Link, *[]string) {
	var mu sync.Mutex
	told := new([]string)
	return link.New("x", 0, 10*time.Second, func(p queue.Peer) {
		mu.Lock()
		defer mu.Unlock()
		*told = append(*told, strings.TrimSpace(string(p.State)+" "+p.Err))
	}), told
}

func TestChangesAreToldAndAttemptsAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, told := telling()
		for i := range 100 {
			l.Down(fmt.Errorf("refused, port %d", i), false)
		}
		l.Up("", nil)
		l.Up("", errors.New("the disk is full"))
		l.Up("", nil)
		time.Sleep(time.Minute)
		for range 100 {
			l.Down(errors.New("gone"), false)
		}
		l.Closed()
		want := []string{"connecting refused, port 0", "connected", "connected the disk is full", "connected", "lost gone", "closed"}
		if d := cmp.Diff(want, *told); d != "" {
			t.Error(d)
		}
	})
}

func TestAConnectionThatBreaksAgainAndAgainIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, told := telling()
		for range 100 {
			l.Up("", nil)
			time.Sleep(time.Second)
			l.Down(errors.New("you may not write"), true)
			l.Pause(t.Context())
		}
		if st := l.Status(); st.State != queue.StateFailed {
			t.Errorf("%+v", st)
		}
		l.Up("", nil)
		if st := l.Status(); st.State != queue.StateConnected {
			t.Errorf("%+v", st)
		}
		time.Sleep(time.Minute) // somebody has repaired it
		l.Down(errors.New("gone"), false)
		l.Up("", nil)
		time.Sleep(time.Minute)
		l.Closed()
		if d := cmp.Diff([]string{"connected", "failed you may not write", "connected", "lost gone", "connected", "closed"}, *told); d != "" {
			t.Error(d)
		}
	})
}
