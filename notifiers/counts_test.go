package notifiers_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// service is a notifier that fails for a time.
type service struct {
	mu      sync.Mutex
	down    bool
	last    map[uint64]notifiers.Notification // delivered, by their IDs
	lost    map[uint64]bool                   // whose last call failed
	digests []time.Time
}

func (s *service) Notify(_ context.Context, n notifiers.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Digest {
		s.digests = append(s.digests, time.Now())
	}
	if s.lost[n.ID] = s.down; s.down {
		return errors.New("down")
	}
	s.last[n.ID] = n
	return nil
}

// muter mutes channels.
type muter struct {
	muted map[string]bool
	held  uint64
}

func (m *muter) Hold(r *core.Record, _ string) bool {
	if m.muted[r.Channel] {
		m.held++
		return true
	}
	return false
}

// counts is a model of a handler under test.
type counts struct {
	h                *notifiers.Handler
	service          *service
	mutes            *muter
	records, context uint64
	cap              int
	shows            []time.Time
	everMuted        bool
}

const capDelta = 10 * time.Second

// check compares the counters of the handler with what it was given.
func (c *counts) check(t *rapid.T) {
	s := c.h.Stats()
	if s.Records != c.records || s.Context != c.context || s.Muted != c.mutes.held {
		t.Fatalf("%d records, %d of them context and %d muted: %+v", c.records, c.context, c.mutes.held, s)
	}
	if s.Records != s.Context+s.Muted+s.Shown+s.RolledUp+s.Digested+s.Held {
		t.Fatalf("the counters do not add up: %+v", s)
	}
	for uint64(len(c.shows)) < s.Shown {
		c.shows = append(c.shows, time.Now())
	}
	if n := len(c.shows); c.cap > 0 && n > c.cap && c.shows[n-1].Sub(c.shows[n-1-c.cap]) < capDelta {
		t.Fatalf("more than %d shown in %v", c.cap, capDelta)
	}
	c.service.mu.Lock()
	defer c.service.mu.Unlock()
	for i := 1; i < len(c.service.digests); i++ {
		if c.service.digests[i].Sub(c.service.digests[i-1]) < capDelta {
			t.Fatalf("two digests within %v", capDelta)
		}
	}
}

// For any sequence of records, batches, mutes and failures of the service: what was
// shown, rolled up, digested, held, muted and context is what came, no more is shown than
// the cap allows in any window of time, and when all is quiet nothing is left uncounted:
// what the user sees last says how often it really was.
func TestCountsAreExactWhateverComes(t *testing.T) {
	for range 10 { // in a bubble it is given 24 hours of its time
		synctest.Test(t, func(t *testing.T) {
			rapid.Check(struct{ *testing.T }{t}, countsAreExact) // which must not ask for the test's deadline there
		})
	}
}

func countsAreExact(t *rapid.T) {
	c := &counts{
		service: &service{last: map[uint64]notifiers.Notification{}, lost: map[uint64]bool{}}, mutes: &muter{muted: map[string]bool{}},
		cap: rapid.SampledFrom([]int{-1, 1, 3}).Draw(t, "cap"),
	}
	c.h = notifiers.NewHandler(c.service, notifiers.Options{
		Limit: limit.Options{
			Limit: rapid.IntRange(1, 2).Draw(t, "limit"), Delta: rapid.SampledFrom([]time.Duration{time.Second, time.Minute}).Draw(t, "delta"),
			Cap: c.cap, CapDelta: capDelta,
		},
		Mutes: c.mutes,
	})
	defer func() { _ = c.h.Close() }()
	draw := func() *core.Record {
		channel := fmt.Sprint("c", rapid.IntRange(0, 8).Draw(t, "channel"))
		r := &core.Record{Channel: channel, Level: core.LevelError}
		r.SetMessage("declined")
		return core.NewReceived(r, core.Source{Name: "test"}, time.Now())
	}
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		time.Sleep(rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 300 * time.Millisecond, 4 * time.Second, 70 * time.Second}).Draw(t, "wait"))
		synctest.Wait()
		c.check(t)
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			channel := fmt.Sprint("c", rapid.IntRange(0, 8).Draw(t, "muted"))
			c.mutes.muted[channel], c.everMuted = !c.mutes.muted[channel], true
		case 1:
			c.service.mu.Lock()
			c.service.down = !c.service.down
			c.service.mu.Unlock()
		case 2, 3:
			c.batch(t, draw)
		default:
			c.records++
			_ = c.h.Handle(context.Background(), draw()) // fails while the service does
		}
		c.check(t)
	}
	c.service.mu.Lock()
	c.service.down = false
	c.service.mu.Unlock()
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	c.check(t)
	c.settled(t)
}

// batch hands on a batch, as a group or an escalation.
func (c *counts) batch(t *rapid.T, draw func() *core.Record) {
	rs := make([]*core.Record, rapid.IntRange(1, 6).Draw(t, "size"))
	for i := range rs {
		rs[i] = draw()
	}
	why := rapid.SampledFrom([]core.BatchReason{core.BatchBuffer, core.BatchEscalation, core.BatchGroup}).Draw(t, "why")
	c.records += uint64(len(rs))
	switch why {
	case core.BatchEscalation:
		c.context += uint64(len(rs) - 1)
	case core.BatchGroup:
		shown := slices.DeleteFunc(slices.Clone(rs), func(r *core.Record) bool { return c.mutes.muted[r.Channel] })
		for _, r := range shown {
			if r.Channel != shown[0].Channel {
				c.context++
			}
		}
	default: // each for itself
	}
	_ = c.h.HandleBatch(context.Background(), rs, why)
}

// settled checks what is there when all is quiet.
func (c *counts) settled(t *rapid.T) {
	if s := c.h.Stats(); s.Held != 0 {
		t.Fatalf("%d records are not counted: %+v", s.Held, s)
	}
	if c.everMuted || c.cap > 0 {
		return // then an alert counts what its notification was not to say
	}
	for _, a := range c.h.Alerts().List() {
		if n := c.service.last[a.ID]; n.Count != a.Count && !c.service.lost[a.ID] {
			t.Fatalf("the notification of alert %d says %d, and it is %d", a.ID, n.Count, a.Count)
		}
	}
}
