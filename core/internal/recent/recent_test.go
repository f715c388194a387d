package recent_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/internal/recent"
)

func TestOnlyTheLatestAreRemembered(t *testing.T) {
	var m recent.Map
	if _, ok := m.Get(1); ok {
		t.Error("the empty map knows a record")
	}
	for seq := range uint64(recent.Size + 11) {
		m.Put(seq, seq*10)
	}
	for seq, want := range map[uint64]bool{0: false, 1: false, 10: false, 11: true, recent.Size + 10: true} {
		if id, ok := m.Get(seq); ok != want || ok && id != seq*10 {
			t.Errorf("Get(%d) = %d, %v; want %v", seq, id, ok, want)
		}
	}
	m.Put(11, 5)
	if id, _ := m.Get(11); id != 5 {
		t.Errorf("after a second Put: %d", id)
	}
}
