package brokertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/peertest"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func inOrder(t *testing.T, tr Transport) {
	count := tr.count(10_000, 100_000)
	from, to := tr.receive(t), tr.sender(t, defaults())
	started := time.Now()
	SendAll(t, to, 0, count)
	for i := range count {
		if r := Next(t, from); Number(t, r) != i || Marked(r) {
			t.Fatalf("got %q, marked %v, want %d; %+v %+v", r.Message(), Marked(r), i, from.Stats(), to.Status())
		}
	}
	t.Logf("%d in %v", count, time.Since(started).Round(time.Millisecond))
	Await(t, "the confirmations", to, func() bool { return to.Sent() == uint64(count) })
	if st := from.Stats(); st.Dropped != 0 || st.Rejected != 0 || st.Received != uint64(count) {
		t.Errorf("%+v", st)
	}
}

// everyField sends a record of each level with all that a record has, and one of 1 MB.
func everyField(t *testing.T, tr Transport) {
	from := tr.receive(t)
	h := queue.NewHandler(tr.sender(t, defaults()), queue.HandlerOptions{Timeout: -1})
	sent := everything()
	for _, r := range sent {
		if err := h.Handle(Patience(t), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range sent {
		got := Next(t, from)
		if d := cmp.Diff(fields(want), fields(got), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%v (-want +got):\n%.2000s", want.Level, d)
		}
	}
}

// everything returns a record of each level with all that a record has, and one of 1 MB.
func everything() []*core.Record {
	return append(peertest.Everything(), peertest.Large(500_000))
}

// fields are the parts of a record that go over the wire.
func fields(r *core.Record) map[string]any {
	return map[string]any{
		"channel": r.Channel, "level": r.Level, "msg": r.Msg, "args": r.Args, "kwargs": r.Kwargs.Map(), "message": r.Message(),
		"time": r.Time, "extra": r.Extra.Map(), "exception": r.Exception, "site": r.Site,
		"process": [2]any{r.Process.ID, r.Process.Name}, "thread": [2]any{r.Thread.ID, r.Thread.Name},
	}
}

func slowReader(t *testing.T, tr Transport) {
	count := tr.count(3000, 3000)
	from, to := tr.receive(t), tr.sender(t, defaults())
	padding := strings.Repeat("x", 2000)
	body := func(i int) []byte { return fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%d%s"}`, i, padding) }
	for i := range count {
		Send(t, to, body(i))
	}
	Await(t, "the confirmations", to, func() bool { return to.Sent() == uint64(count) }) // while nobody reads
	for i := range count {
		if got, want := Next(t, from).Message(), fmt.Sprint(i, padding); got != want {
			t.Fatalf("%.10s, want %.10s", got, want)
		}
	}
	if st := from.Stats(); st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

func drained(t *testing.T, tr Transport, keeps bool) {
	const count = 50
	r, err := tr.Receiver(defaults())
	if err != nil {
		t.Fatal(err)
	}
	Connected(t, r.(queue.Statuser)) //nolint:forcetypeassert // all are
	to := tr.sender(t, defaults())
	for i := range count {
		Send(t, to, Numbered(i))
	}
	buf := make([]queue.Message, 1)
	if _, err := r.Receive(Patience(t), buf); err != nil {
		t.Fatal(err)
	}
	acknowledge(buf[0])
	r.(queue.Drainer).Drain() //nolint:forcetypeassert // all are
	seen := 1
	for {
		n, err := r.Receive(Patience(t), buf)
		if errors.Is(err, queue.ErrClosed) {
			break
		}
		if err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		acknowledge(buf[0])
		seen++
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if !keeps {
		return
	}
	// The next receiver gets the rest, and what was acknowledged not again.
	s := tr.receive(t)
	for i := seen; i < count; i++ {
		if m := Next(t, s); Number(t, m) != i {
			t.Fatalf("got %s after %d were drained, want %d", m.Message(), seen, i)
		}
	}
}

func acknowledge(m queue.Message) {
	if m.Ack != nil {
		m.Ack(nil)
	}
}

func again(t *testing.T, tr Transport) {
	r, err := tr.Receiver(defaults())
	if err != nil {
		t.Fatal(err)
	}
	Connected(t, r.(queue.Statuser)) //nolint:forcetypeassert // all are
	to := tr.sender(t, defaults())
	Send(t, to, Numbered(1))
	buf := make([]queue.Message, 1)
	if _, err := r.Receive(Patience(t), buf); err != nil || buf[0].Record == nil {
		t.Fatalf("%+v, %v", buf[0], err)
	}
	if Marked(buf[0].Record) {
		t.Error("marked the first time")
	}
	if err := r.Close(); err != nil { // as if we had crashed
		t.Fatal(err)
	}
	s := tr.receive(t)
	if m := Next(t, s); Number(t, m) != 1 || !Marked(m) {
		t.Errorf("%s, marked %v", m.Message(), Marked(m))
	}
	Send(t, to, Numbered(2))
	if m := Next(t, s); Number(t, m) != 2 || Marked(m) {
		t.Errorf("%s, marked %v", m.Message(), Marked(m))
	}
}

func poison(t *testing.T, tr Transport) {
	var rejected []queue.Rejection
	s, to := tr.receiveAnd(t, queue.Options{Reject: func(r queue.Rejection) { rejected = append(rejected, r) }}), tr.sender(t, defaults())
	for _, body := range []string{"no JSON", `["nor a record"]`, "\x00\xff"} {
		Send(t, to, []byte(body))
	}
	Send(t, to, Numbered(1))
	if m := Next(t, s); Number(t, m) != 1 {
		t.Error(m.Message())
	}
	if st := s.Stats(); st.Rejected != 3 || len(st.Reasons) == 0 {
		t.Errorf("%+v", st)
	}
	// What is told of them is enough to read them again, and they are what they were.
	for _, r := range rejected {
		if _, err := s.Decode(queue.Message{Body: r.Body, Format: r.Format}); len(r.Body) == 0 || queue.RejectReason(err) != r.Reason {
			t.Errorf("%q (%s) was rejected as %s, and read again: %v", r.Body, r.Format, r.Reason, err)
		}
	}
	if len(rejected) != 3 {
		t.Errorf("told of %d", len(rejected))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next := tr.receive(t)
	Send(t, to, Numbered(2))
	if m := Next(t, next); Number(t, m) != 2 {
		t.Error(m.Message())
	}
	if st := next.Stats(); st.Rejected != 0 {
		t.Errorf("it came again: %+v", st)
	}
}

// crash kills the broker while both ends are busy.
func crash(t *testing.T, tr Transport) {
	count := tr.count(6_000, 50_000)
	from, to := tr.receive(t), tr.sender(t, defaults())
	killing, killed := make(chan struct{}), make(chan struct{})
	sendAll(t, to, 0, count, func(i int) {
		if i == count*3/4 { // some are left for the time without a broker
			<-killing
		}
	})
	records := receiving(t, from)
	var came numbers
	for received := 0; len(came.seen) < count; {
		select {
		case r, ok := <-records:
			if !ok {
				t.Fatalf("no more after %d; %+v; %+v; %+v", len(came.seen), from.Status(), from.Stats(), to.Status())
			}
			if received++; received == count/2 {
				close(killing)
				go func() { tr.end(); close(killed) }()
			}
			came.add(t, r)
		case <-killed:
			killed = nil
			Await(t, "the loss to be seen", from, func() bool { return from.Status().State == queue.StateLost })
			Await(t, "the loss to be seen", to, func() bool { return to.Status().State != queue.StateConnected })
			tr.Broker.Restart(t)
		}
	}
	t.Logf("%d of %d came twice", came.twice, count)
	Await(t, "the confirmations", to, func() bool { return to.Sent() == uint64(count) })
	Connected(t, from)
	Connected(t, to)
	if to.Lost() != 0 {
		t.Errorf("%d are lost", to.Lost())
	}
}

// numbers are those of the records that came.
type numbers struct {
	seen        map[int]bool
	last, twice int
}

// add adds one, which must be in order, or marked if it comes again.
func (came *numbers) add(t *testing.T, r *core.Record) {
	t.Helper()
	n := Number(t, r)
	switch {
	case !came.seen[n] && n < came.last:
		t.Fatalf("%d came after %d", n, came.last)
	case !came.seen[n]:
		if came.seen == nil {
			came.seen = make(map[int]bool)
		}
		came.seen[n], came.last = true, n
	case !Marked(r):
		t.Fatalf("%d came twice, and is not marked", n)
	default:
		came.twice++
	}
}

// receiving receives in the background, until the test is over or nothing comes any more.
func receiving(t *testing.T, s *queue.Subscriber) <-chan *core.Record {
	t.Helper()
	records := make(chan *core.Record)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(records)
		for {
			soon, enough := context.WithTimeout(ctx, services.Patience)
			r, err := s.Recv(soon)
			enough()
			if err != nil {
				return
			}
			select {
			case records <- r:
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return records
}

func recovers(t *testing.T, tr Transport) {
	from, to := tr.receive(t), tr.sender(t, defaults())
	Send(t, to, Numbered(1))
	if m := Next(t, from); Number(t, m) != 1 {
		t.Error(m.Message())
	}
	tr.Broker.Kill()
	Await(t, "the loss to be seen", from, func() bool { return from.Status().State == queue.StateLost && from.Status().Err != nil })
	tr.Broker.Restart(t)
	Connected(t, from)
	Send(t, to, Numbered(2))
	for { // 1 may come again
		if m := Next(t, from); Number(t, m) == 2 {
			break
		}
	}
}

func closing(t *testing.T, tr Transport) {
	const count = 100
	from := tr.receive(t)
	to := tr.sender(t, defaults())
	for i := range count {
		Send(t, to, Numbered(i))
	}
	if err := to.Close(); err != nil || to.Sent() != count || to.Lost() != 0 {
		t.Errorf("%v; %d sent, %d lost", err, to.Sent(), to.Lost())
	}
	if err := to.Send(Patience(t), Numbered(0)); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("send after close: %v", err)
	}
	for i := range count {
		if m := Next(t, from); Number(t, m) != i {
			t.Fatalf("%s, want %d", m.Message(), i)
		}
	}
}

// absent has no broker, and then somebody else at its address, who hangs up, for many
// attempts.
func absent(t *testing.T, tr Transport) {
	tr.Broker.Kill()
	notConfirmed(t, tr)
	toldOnce(t, tr)
}

// notConfirmed checks that what Close leaves is counted.
func notConfirmed(t *testing.T, tr Transport) {
	t.Helper()
	impatient := defaults()
	impatient.Linger = -1
	to := tr.sender(t, impatient)
	for i := range 3 {
		Send(t, to, Numbered(i))
	}
	Await(t, "an error", to, func() bool { return to.Status().Err != nil })
	if err := to.Close(); err == nil || !strings.Contains(err.Error(), "3 records") || to.Lost() != 3 || to.Sent() != 0 {
		t.Errorf("%v; %d sent, %d lost", err, to.Sent(), to.Lost())
	}
}

// toldOnce checks that many attempts make few words.
func toldOnce(t *testing.T, tr Transport) {
	t.Helper()
	const attempts = 200
	var config net.ListenConfig
	l, err := config.Listen(context.WithoutCancel(t.Context()), "tcp", tr.Broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	enough := make(chan struct{})
	var server sync.WaitGroup
	server.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
			if n == attempts {
				close(enough)
			}
		}
	})
	var mu sync.Mutex
	var told []queue.Peer
	restless := End{ReconnectMin: time.Millisecond, ReconnectMax: 5 * time.Millisecond, Linger: -1, OnPeer: func(p queue.Peer) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, p)
	}}
	s, to := tr.subscriber(t, restless), tr.sender(t, restless)
	Send(t, to, Numbered(0))
	select {
	case <-enough:
	case <-Patience(t).Done():
		t.Errorf("there are no attempts; %+v %+v", s.Status(), to.Status())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	server.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(told) > 4 {
		t.Errorf("told %d times: %+v", len(told), told)
	}
	if st := s.Status(); st.Err == nil || st.State == queue.StateConnected {
		t.Errorf("%+v", st)
	}
}
