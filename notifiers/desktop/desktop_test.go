package desktop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestANotificationIsShownOnceWithItsCount(t *testing.T) {
	n := New(Options{Icon: []byte("png")})
	var got []string
	n.push = func(m *message) error {
		got = append(got, fmt.Sprintf("%d|%s|%s|%v", m.id, m.title, m.body, m.loud))
		return nil
	}
	for _, of := range []notifiers.Notification{
		{ID: 1, Title: "shop: Error", Body: "declined", Level: core.LevelError, Count: 1},
		{ID: 1, Title: "shop: Error", Body: "declined", Note: "12 times in 60 s", Level: core.LevelError, Count: 12},
		{ID: 3, Title: "shop: Error", Body: "hush", Level: core.LevelError, Count: 1, Sound: notifiers.Sound{Silent: true}},
		{ID: 2, Title: "shop: Warning", Body: strings.Repeat("x", 300), Level: core.LevelWarning, Count: 1},
	} {
		if err := n.Notify(t.Context(), of); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"1|shop: Error|declined|true",
		"1|shop: Error|declined (12 times in 60 s)|false",
		"3|shop: Error|hush|false",
		"2|shop: Warning|" + strings.Repeat("x", 249) + "…|false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.Notify(t.Context(), notifiers.Notification{}); !errors.Is(err, errClosed) || len(got) != 4 {
		t.Errorf("after Close: %v", err)
	}
}

func TestASystemThatHangsCostsNoMoreThanTheContextAllows(t *testing.T) {
	n := New(Options{})
	hang := make(chan struct{})
	n.push = func(*message) error { <-hang; return nil }
	var g sync.WaitGroup
	for range 3 { // the second and third wait for the first
		g.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			defer cancel()
			if err := n.Notify(ctx, notifiers.Notification{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error: %v", err)
			}
		})
	}
	g.Wait()
	close(hang)
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFailureSaysWhatFailed(t *testing.T) {
	n := New(Options{})
	n.push = func(*message) error { return errors.New("no such program") }
	defer func() { _ = n.Close() }()
	if err := n.Notify(t.Context(), notifiers.Notification{}); err == nil || err.Error() != "show on the desktop: no such program" {
		t.Errorf("error: %v", err)
	}
}

func TestTextsCannotBecomeScripts(t *testing.T) {
	for _, test := range []struct{ system, in, want string }{
		{"windows", "a\x00b\u202ec", "abc"},
		{"darwin", "-sender x", " -sender x"},
		{"darwin", "[x]", " [x]"},
		{"darwin", "a\u00a0b\nc", "a b\nc"},
		{"linux", "$x `y`", "$x `y`"},
	} {
		if got := harmless(test.system, test.in); got != test.want {
			t.Errorf("%s: %q became %q, want %q", test.system, test.in, got, test.want)
		}
	}
}
