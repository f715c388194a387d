package limit

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
)

func TestAPreviewSaysWhatOfferThenDoesAndChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{
			Limit: rapid.SampledFrom([]int{-1, 1, 2}).Draw(rt, "limit"), Cap: rapid.SampledFrom([]int{-1, 1, 3}).Draw(rt, "cap"),
			Delta: 20 * time.Second, CapDelta: 15 * time.Second,
		}
		type step struct {
			key   string
			pause time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key"),
				time.Duration(rapid.IntRange(0, 12).Draw(rt, "pause")) * time.Second,
			}
		}), 1, 60).Draw(rt, "steps")
		var wrong string
		synctest.Test(t, func(*testing.T) {
			l := New(o)
			for _, s := range steps {
				time.Sleep(s.pause)
				before := l.Stats()
				p := l.Preview(s.key)
				if l.Stats() != before || p != l.Preview(s.key) {
					wrong = "a preview was counted"
				}
				// What is beyond the cap has no window of its own.
				l.Offer(s.key, errorRecord, 0)
				did := Rollup
				if _, open := l.windows[s.key]; !open {
					did = Digest
				} else if l.Stats().Shown > before.Shown {
					did = Show
				}
				if p.Kind != did {
					wrong = "preview " + p.Kind.String() + ", and then " + did.String()
				}
				if p.Kind != Show && !p.Until.After(time.Now()) {
					wrong = "held back until a time that is over"
				}
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func TestThePreviewOfADeliverySaysWhatCheckDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDelivery(2, time.Minute, nil)
		for i := range 4 {
			allow, until := d.Preview(errorRecord)
			_, did := d.Check(errorRecord)
			if allow != did || allow != (i < 2) || !allow && time.Until(until) != time.Minute {
				t.Errorf("record %d: preview %v until %v, and then %v", i, allow, until, did)
			}
		}
		time.Sleep(time.Minute)
		if allow, _ := d.Preview(errorRecord); !allow {
			t.Error("held back after the time")
		}
		if allow, _ := NewDelivery(0, 0, nil).Preview(&core.Record{}); !allow {
			t.Error("held back without a limit")
		}
	})
}
