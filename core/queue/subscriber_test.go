package queue_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func TestRecvReturnsTheNextRecordAndWhereItCameFrom(t *testing.T) {
	m := queue.Message{Body: body(t, "hello"), Peer: "10.0.0.7:4711"}
	s := queue.NewSubscriber(newFakeQueue(m), queue.Options{Name: "servers"})
	r, err := s.Recv(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Message() != "hello" || r.Source != (core.Source{Name: "servers", Peer: "10.0.0.7:4711"}) || r.Received.IsZero() || r.Seq == 0 {
		t.Errorf("got %q from %v, received %v, number %d", r.Message(), r.Source, r.Received, r.Seq)
	}
}

func TestRecvPollsWithAContextThatIsDone(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	s := queue.NewSubscriber(newFakeQueue(bodies(t, "r", 1)...), queue.Options{})
	if r, err := s.Recv(done); err != nil || r.Message() != "r0" {
		t.Fatalf("with a record at hand: %v, %v", r, err)
	}
	if _, err := s.Recv(done); !errors.Is(err, context.Canceled) {
		t.Errorf("with nothing at hand: %v", err)
	}
}

func TestRecvGivesUpAtTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := queue.NewSubscriber(newFakeQueue(), queue.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := s.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestDispatchOnceDispatchesOneRecord(t *testing.T) {
	c := newCollector()
	ctx := bind(t, c)
	s := queue.NewSubscriber(newFakeQueue(bodies(t, "r", 3)...), queue.Options{})
	if err := s.DispatchOnce(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"r0"}, c.all()); diff != "" {
		t.Error(diff)
	}
	// What was received along with it comes next.
	if r, err := s.Recv(t.Context()); err != nil || r.Message() != "r1" {
		t.Errorf("%v, %v", r, err)
	}
}

func TestABadMessageStopsNothingAndIsCountedByReason(t *testing.T) {
	good := bodies(t, "r", 2)
	q := newFakeQueue(good[0], queue.Message{Body: []byte("GET / HTTP/1.1")}, queue.Message{}, queue.Message{Body: []byte("boom")}, good[1])
	c := newCollector()
	var rejected []queue.Rejection
	decode := func(m queue.Message) (*core.Record, error) {
		switch string(m.Body) {
		case "boom":
			panic("a decoder of somebody else")
		case "", "GET / HTTP/1.1":
			return nil, errors.New("no JSON")
		}
		return &core.Record{Msg: "fine"}, nil
	}
	s := queue.NewSubscriber(q, queue.Options{Name: "x", Decode: decode, Reject: func(r queue.Rejection) { rejected = append(rejected, r) }})
	q.Drain()
	if err := s.DispatchForever(bind(t, c)); err != nil {
		t.Fatal(err)
	}
	got := s.Stats()
	got.LastRecord = time.Time{}
	want := queue.Stats{
		Received: 5, Rejected: 3, Dispatched: 2, Bytes: got.Bytes,
		Reasons: map[string]uint64{"undecodable": 2, "decoder panicked": 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(rejected) != 3 || rejected[0].Source.Name != "x" || string(rejected[0].Body) != "GET / HTTP/1.1" || rejected[2].Err == nil {
		t.Errorf("reported: %+v", rejected)
	}
}

// decodingQueue is a transport that decodes by itself.
type decodingQueue struct{ *fakeQueue }

func (decodingQueue) Decode(m queue.Message) (*core.Record, error) {
	if m.Format == "" {
		panic("a transport of somebody else")
	}
	return &core.Record{Msg: m.Format + " " + string(m.Body)}, nil
}

func TestWhatWasRejectedCanBeReadAgain(t *testing.T) {
	var rejected []queue.Rejection
	o := queue.Options{Reject: func(r queue.Rejection) { rejected = append(rejected, r) }}
	q := newFakeQueue(queue.Message{Body: []byte("a bit of it"), Cut: true, Format: "odd", Peer: "p", Err: errors.New("cut short")})
	q.Drain()
	s := queue.NewSubscriber(decodingQueue{q}, o)
	if err := s.DispatchForever(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(rejected) != 1 || !rejected[0].Cut || rejected[0].Format != "odd" || rejected[0].Source.Peer != "p" || rejected[0].Reason != "undecodable" {
		t.Fatalf("reported: %+v", rejected)
	}
	if r, err := s.Decode(queue.Message{Body: []byte("all of it"), Format: "odd"}); err != nil || r.Msg != "odd all of it" {
		t.Errorf("by the transport: %+v, %v", r, err)
	}
	if _, err := s.Decode(queue.Message{}); queue.RejectReason(err) != "decoder panicked" {
		t.Errorf("with a panic: %v", err)
	}
	plain := queue.NewSubscriber(newFakeQueue(), o)
	if r, err := plain.Decode(queue.Message{Body: []byte(`{"channel": "c", "level": 14, "msg": "m"}`)}); err != nil || r.Channel != "c" {
		t.Errorf("by the subscriber: %+v, %v", r, err)
	}
	if st := s.Stats(); st.Rejected != 1 {
		t.Errorf("counted again: %+v", st)
	}
}

func TestGarbageIsRejectedWithTheReasonOfTheDecoder(t *testing.T) {
	q := newFakeQueue(queue.Message{Body: []byte("\x00\xff not a record")}, queue.Message{Body: []byte("[1,2")}, queue.Message{Body: []byte{}})
	q.Drain()
	s := queue.NewSubscriber(q, queue.Options{})
	if err := s.DispatchForever(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if st.Rejected != 3 || len(st.Reasons) == 0 || st.Reasons["undecodable"] != 0 {
		t.Errorf("%+v", st)
	}
}

func TestTheReasonsThatAreCountedAreBounded(t *testing.T) {
	q := newFakeQueue(bodies(t, "r", 500)...)
	q.Drain()
	var n int
	s := queue.NewSubscriber(q, queue.Options{Decode: func(queue.Message) (*core.Record, error) {
		n++
		return nil, &wire.RejectError{Reason: strconv.Itoa(n)}
	}})
	if err := s.DispatchForever(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sum uint64
	for _, count := range s.Stats().Reasons {
		sum += count
	}
	if st := s.Stats(); len(st.Reasons) > 40 || sum != 500 {
		t.Errorf("%d reasons, %d in all", len(st.Reasons), sum)
	}
}

func TestMessagesAreAcknowledgedAfterTheyWereDispatched(t *testing.T) {
	var handled, acked atomic.Int32
	h := core.HandlerFunc(func(context.Context, *core.Record) error {
		handled.Add(1)
		return nil
	})
	var refused error
	good := bodies(t, "r", 1)[0]
	good.Ack = func(err error) {
		if err != nil || handled.Load() != 1 {
			t.Errorf("acknowledged with %v after %d were handled", err, handled.Load())
		}
		acked.Add(1)
	}
	bad := queue.Message{Body: []byte("x"), Ack: func(err error) { refused = err }}
	q := newFakeQueue(good, bad)
	q.Drain()
	if err := queue.NewSubscriber(q, queue.Options{}).DispatchForever(bind(t, h)); err != nil {
		t.Fatal(err)
	}
	if acked.Load() != 1 || refused == nil {
		t.Errorf("good: %d times, bad: %v", acked.Load(), refused)
	}
}

func TestCancellingDispatchesWhatWasReceived(t *testing.T) {
	q := newFakeQueue(bodies(t, "r", 100)...)
	c := newCollector()
	ctx, cancel := context.WithCancel(bind(t, c))
	stop := core.HandlerFunc(func(ctx context.Context, _ *core.Record) error {
		cancel()
		if ctx.Err() != nil {
			t.Error("a record is handled with a context that has ended")
		}
		return core.ErrPass
	})
	ctx, end := core.Bind(ctx, core.Binding{Handler: stop})
	defer func() { _ = end() }()
	s := queue.NewSubscriber(q, queue.Options{BatchSize: 64})
	if err := s.DispatchForever(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if diff := cmp.Diff(texts("r", 64), c.all()); diff != "" {
		t.Errorf("the batch in hand: %s", diff)
	}
}

func TestAHandlerThatHangsIsGivenUpAfterTheDrainTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := core.HandlerFunc(func(ctx context.Context, _ *core.Record) error {
			<-ctx.Done()
			return ctx.Err()
		})
		s := queue.NewSubscriber(newFakeQueue(bodies(t, "r", 1)...), queue.Options{DrainTimeout: 3 * time.Second})
		c := s.DispatchInBackground(core.Setups{core.Flags{Errors: core.ErrorsSilent}, core.Binding{Handler: hang}})
		synctest.Wait()
		start := time.Now()
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("stopped after %v", took)
		}
	})
}

func TestTheBackgroundStopsAndWaits(t *testing.T) {
	q := newFakeQueue(bodies(t, "r", 10)...)
	collected := newCollector()
	s := queue.NewSubscriber(q, queue.Options{})
	c := s.DispatchInBackground(core.Binding{Handler: collected})
	collected.await(t, 10)
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	q.messages <- bodies(t, "late", 1)[0]
	if r, err := s.Recv(t.Context()); err != nil || r.Message() != "late0" {
		t.Errorf("a record after the stop belongs to the next reader: %v, %v", r, err)
	}
	if err := c.Stop(); err != nil {
		t.Errorf("second stop: %v", err)
	}
}

func TestDrainDispatchesAllThatWasAccepted(t *testing.T) {
	q := newFakeQueue(bodies(t, "r", 1000)...)
	collected := newCollector()
	c := queue.NewSubscriber(q, queue.Options{BatchSize: 7}).DispatchInBackground(core.Binding{Handler: collected})
	if err := c.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts("r", 1000), collected.all()); diff != "" {
		t.Error(diff)
	}
}

func TestCloseDispatchesAllThatWasAccepted(t *testing.T) {
	q := newFakeQueue(bodies(t, "r", 1000)...)
	collected := newCollector()
	s := queue.NewSubscriber(q, queue.Options{})
	c := s.DispatchInBackground(core.Binding{Handler: collected})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(collected.all()); got != 1000 {
		t.Errorf("%d of 1000 were dispatched", got)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if st := s.Status().State; st != queue.StateClosed {
		t.Errorf("state %q", st)
	}
	if err := s.DispatchForever(t.Context()); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("dispatching after Close: %v", err)
	}
}

func TestAReceiverThatFailsEndsTheDispatching(t *testing.T) {
	broken := errors.New("the broker said no")
	s := queue.NewSubscriber(brokenQueue{broken}, queue.Options{Name: "broker"})
	c := s.DispatchInBackground(nil)
	<-c.Done()
	if err := c.Err(); !errors.Is(err, broken) || err.Error() != "receive from broker: the broker said no" {
		t.Error(err)
	}
	if st := s.Status(); st.State != queue.StateFailed || !errors.Is(st.Err, broken) {
		t.Errorf("%+v", st)
	}
}

func TestErrorsOfHandlersAreCountedAndRaised(t *testing.T) {
	q := newFakeQueue(bodies(t, "r", 3)...)
	q.Drain()
	failing := core.HandlerFunc(func(context.Context, *core.Record) error { return errors.New("disk full") })
	s := queue.NewSubscriber(q, queue.Options{})
	c := s.DispatchInBackground(core.Setups{core.Flags{Errors: core.ErrorsRaise}, core.Binding{Handler: failing}})
	<-c.Done()
	if err := c.Err(); err == nil {
		t.Error("nothing was raised to who bound the flags")
	}
	if st := s.Stats(); st.Dispatched != 3 || st.Failed != 3 {
		t.Errorf("%+v", st)
	}
}

func TestEveryMessageGoesToOneOfSeveralReaders(t *testing.T) {
	const count = 2000
	q := newFakeQueue(bodies(t, "r", count)...)
	q.Drain()
	c := newCollector()
	ctx := bind(t, c)
	s := queue.NewSubscriber(q, queue.Options{BatchSize: 16})
	done := make(chan error, 4)
	for range 2 {
		go func() { done <- s.DispatchForever(ctx) }()
		go func() {
			for {
				err := s.DispatchOnce(ctx)
				if errors.Is(err, queue.ErrClosed) {
					done <- nil
					return
				}
			}
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	seen := make(map[string]bool)
	for _, text := range c.all() {
		seen[text] = true
	}
	if len(c.all()) != count || len(seen) != count {
		t.Errorf("%d records, %d of them different", len(c.all()), len(seen))
	}
}
