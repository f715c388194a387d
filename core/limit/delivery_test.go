package limit_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/limit"
)

func TestDeliveryCountsOnlyWhatWasSuppressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := limit.NewDelivery(2, time.Minute, nil)
		var got []string
		check := func() {
			n, ok := d.Check(record("x"))
			got = append(got, fmt.Sprint(n, ok))
		}
		for range 5 {
			check()
		}
		time.Sleep(time.Minute)
		check()
		check()
		check()
		if s, want := fmt.Sprint(got), "[0 true 0 true 1 false 2 false 3 false 3 true 0 true 1 false]"; s != want {
			t.Errorf("got  %s\nwant %s", s, want)
		}
	})
}

func TestDeliveryThatFailedDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := limit.NewDelivery(1, time.Minute, nil)
		want := func(suppressed int, allow bool) {
			t.Helper()
			if n, ok := d.Check(record("x")); n != suppressed || ok != allow {
				t.Errorf("Check = %d, %v, want %d, %v", n, ok, suppressed, allow)
			}
		}
		want(0, true)
		d.Undo(record("x"), 0)
		want(0, true)
		want(1, false)
		want(2, false)
		time.Sleep(time.Minute)
		want(2, true)
		d.Undo(record("x"), 2)
		want(2, true) // those are told of yet
		want(1, false)
	})
}

func ExampleDelivery() {
	d := limit.NewDelivery(1, time.Hour, limit.Message)
	for _, msg := range []string{"disk full", "disk full", "out of paper"} {
		suppressed, allow := d.Check(&core.Record{Msg: msg})
		fmt.Println(msg, suppressed, allow)
	}
	// Output:
	// disk full 0 true
	// disk full 1 false
	// out of paper 0 true
}

func TestDeliveryWithoutALimitDeliversAll(t *testing.T) {
	d := limit.NewDelivery(0, 0, nil)
	for range 3 {
		if n, ok := d.Check(record("x")); n != 0 || !ok {
			t.Errorf("Check = %d, %v", n, ok)
		}
		d.Undo(record("x"), 0)
	}
}

func TestDeliveryForgetsTheOldestAndSaysSo(t *testing.T) {
	d := limit.NewDelivery(1, time.Hour, nil)
	for i := range limit.DefaultSize + 1 {
		r := record("x")
		r.Site.Line = i
		for range 3 {
			d.Check(r)
		}
	}
	if got, want := d.Forgotten(), uint64(2*(limit.DefaultSize/3)); got != want {
		t.Errorf("Forgotten = %d, want %d", got, want)
	}
	r := record("x")
	r.Site.Line = 0
	if n, ok := d.Check(r); n != 0 || !ok {
		t.Errorf("the oldest was not forgotten: %d, %v", n, ok)
	}
	r.Site.Line = limit.DefaultSize
	if _, ok := d.Check(r); ok {
		t.Error("the newest was forgotten")
	}
}
