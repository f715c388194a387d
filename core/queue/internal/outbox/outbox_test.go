package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
)

// session is a connection of which the test is the broker.
type session struct {
	published chan string
	confirmed chan uint64
	lost      chan error
	remark    error
}

func newSession() *session {
	return &session{published: make(chan string, 100), confirmed: make(chan uint64, 100), lost: make(chan error, 1)}
}

func (s *session) Publish(_ context.Context, number uint64, body []byte) error {
	s.published <- fmt.Sprint(number, string(body))
	return nil
}
func (s *session) Confirmed() <-chan uint64 { return s.confirmed }
func (s *session) Lost() <-chan error       { return s.lost }
func (s *session) Close()                   {}
func (s *session) Remark() error            { return s.remark }

// all returns what was published so far.
func (s *session) all() []string {
	synctest.Wait()
	var all []string
	for len(s.published) > 0 {
		all = append(all, <-s.published)
	}
	return all
}

// start returns an outbox that gets the sessions one after the other; nil is a broker that
// is away.
func start(window int, sessions ...*session) *outbox.Outbox {
	return outbox.New(outbox.Options{
		Name: "x", Window: window, Linger: time.Minute, Link: link.New("x", time.Second, time.Second, nil),
		Refused: func(error) bool { return false },
		Connect: func(ctx context.Context) (outbox.Session, string, error) {
			if len(sessions) == 0 {
				<-ctx.Done()
				return nil, "", ctx.Err()
			}
			s := sessions[0]
			sessions = sessions[1:]
			if s == nil {
				return nil, "", errors.New("connection refused")
			}
			return s, "publishes", nil
		},
	})
}

func send(t *testing.T, b *outbox.Outbox, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := b.Send(t.Context(), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWhatIsNotConfirmedIsPublishedAgainInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSession(), newSession()
		b := start(10, one, nil, two)
		send(t, b, "a", "b", "c", "d")
		want(t, one.all(), "0a", "1b", "2c", "3d")
		one.confirmed <- 2 // in any order
		one.confirmed <- 0
		one.lost <- errors.New("gone")
		synctest.Wait()
		if st := b.Status(); st.State != queue.StateLost || b.Sent() != 2 {
			t.Errorf("%+v, %d sent", st, b.Sent())
		}
		send(t, b, "e") // while there is no connection
		time.Sleep(time.Minute)
		want(t, two.all(), "1b", "3d", "4e")
		for _, n := range []uint64{1, 1, 3, 4, 99} { // nor does nonsense matter
			two.confirmed <- n
		}
		if err := b.Close(); err != nil || b.Sent() != 5 || b.Lost() != 0 {
			t.Errorf("%v, %d sent, %d lost", err, b.Sent(), b.Lost())
		}
	})
}

func TestSendWaitsWhenTooManyAreNotConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession()
		s.remark = errors.New("the disk is full")
		b := start(2, s)
		send(t, b, "a", "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Send(ctx, []byte("c")); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, s.remark) {
			t.Errorf("%v", err)
		}
		s.confirmed <- 0
		send(t, b, "c")
		want(t, s.all(), "0a", "1b", "2c")
		began := time.Now()
		if err := b.Close(); err == nil || b.Lost() != 2 || time.Since(began) != time.Minute {
			t.Errorf("%v, %d lost, after %v", err, b.Lost(), time.Since(began))
		}
		if err := b.Send(t.Context(), nil); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

// waiting is a session that confirms when it is flushed.
type waiting struct{ *session }

func (w waiting) Flush() {
	for n := range len(w.published) {
		w.confirmed <- uint64(n) //nolint:gosec // a small number
	}
}

func TestCloseFlushesASessionThatWaitsForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := outbox.New(outbox.Options{
			Name: "x", Window: 10, Linger: time.Minute, Link: link.New("x", time.Second, time.Second, nil),
			Refused: func(error) bool { return false },
			Connect: func(context.Context) (outbox.Session, string, error) { return waiting{newSession()}, "publishes", nil },
		})
		send(t, b, "a", "b")
		began := time.Now()
		if err := b.Close(); err != nil || b.Sent() != 2 || time.Since(began) > 0 {
			t.Errorf("%v, %d sent, after %v", err, b.Sent(), time.Since(began))
		}
	})
}
