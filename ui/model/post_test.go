package model_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/ui/model"
)

func TestAPosterHasOneCallUnderwayAtMost(t *testing.T) {
	var queue []func()
	calls := 0
	p := model.Poster{Dispatch: func(f func()) { queue = append(queue, f) }}
	p.Do = func() {
		if calls++; calls == 1 {
			p.Post() // something changed meanwhile
		}
	}
	for range 100 {
		p.Post()
	}
	if len(queue) != 1 {
		t.Fatalf("%d calls queued", len(queue))
	}
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		f()
	}
	if calls != 2 {
		t.Errorf("%d calls, want the first and the one asked for while it ran", calls)
	}
}
