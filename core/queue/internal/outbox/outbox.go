// Package outbox is the sending half that transports have in common whose broker confirms
// what it has taken. It holds each record until then, and publishes again what was not
// confirmed when the connection was lost.
package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

// Session is one connection to a broker.
type Session interface {
	// Publish publishes a record. It may block for as long as ctx allows. An error ends
	// the session, except one that wraps [ErrRejected].
	Publish(ctx context.Context, number uint64, body []byte) error
	// Confirmed tells the numbers of the records that the broker has taken, in any order.
	Confirmed() <-chan uint64
	// Lost tells why there is no connection any more.
	Lost() <-chan error
	// Close ends the connection and everything that it has started.
	Close()
}

// Remarker is implemented by sessions that work although something is wrong.
type Remarker interface {
	// Remark says what that is; nil if nothing. It is asked once, at the beginning.
	Remark() error
}

// Flusher is implemented by sessions that wait for more records before they send some.
type Flusher interface {
	// Flush says that no more come. It is called once, after the last was published.
	Flush()
}

// ErrRejected is wrapped by the error of [Session.Publish] for a record that the broker is
// never going to take, such as one that is too large. It is lost, and no other is.
var ErrRejected = errors.New("the broker does not take the record")

// Options are the settings of an [Outbox]. All are required.
type Options struct {
	Name    string        // for people
	Window  int           // how many records may be without confirmation
	Linger  time.Duration // how long Close waits for confirmations
	Link    *link.Link
	Connect func(ctx context.Context) (s Session, detail string, err error)
	Refused func(error) bool // the broker is there and does not want us
}

// Outbox is a [queue.Sender].
type Outbox struct {
	opts Options
	out  chan []byte

	stop    chan struct{} // closed by Close
	cancel  context.CancelFunc
	done    chan struct{} // closed when the goroutine has ended
	closing sync.Once

	sent, lost atomic.Uint64

	// Of the goroutine:
	waiting []record // not confirmed, or behind one that is not
	first   uint64   // the number of the first of them
	left    int      // what Close had to leave; to be read when done is closed
}

type record struct {
	body      []byte
	confirmed bool // or rejected
}

var (
	_ queue.Sender   = (*Outbox)(nil)
	_ queue.Statuser = (*Outbox)(nil)
)

// New returns an outbox that connects by itself, and again when the connection is lost.
func New(o Options) *Outbox {
	b := &Outbox{opts: o, out: make(chan []byte), stop: make(chan struct{}), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go b.run(ctx)
	return b
}

// String returns the name.
func (b *Outbox) String() string { return b.opts.Name }

// Status returns the condition of the connection.
func (b *Outbox) Status() queue.Status { return b.opts.Link.Status() }

// Sent returns how many records the broker has confirmed.
func (b *Outbox) Sent() uint64 { return b.sent.Load() }

// Lost returns how many records the broker does not take, and how many Close had to leave
// without confirmation.
func (b *Outbox) Lost() uint64 { return b.lost.Load() }

// Send implements [queue.Sender]. It returns when the record is queued, and waits when
// too many are without confirmation.
func (b *Outbox) Send(ctx context.Context, body []byte) error {
	select {
	case <-b.stop:
		return queue.ErrClosed
	default:
	}
	select {
	case b.out <- bytes.Clone(body):
		return nil
	case <-b.stop:
		return queue.ErrClosed
	case <-ctx.Done():
		if st := b.Status(); st.Err != nil {
			return fmt.Errorf("send to %s: %w: %w", b.opts.Name, ctx.Err(), st.Err)
		}
		return fmt.Errorf("send to %s: %w", b.opts.Name, ctx.Err())
	}
}

// Close implements [queue.Sender]. It waits for the linger time at most until everything
// is confirmed.
func (b *Outbox) Close() error {
	b.closing.Do(func() {
		close(b.stop)
		t := time.NewTimer(max(b.opts.Linger, 0))
		defer t.Stop()
		select {
		case <-b.done:
		case <-t.C:
		}
		b.cancel()
		<-b.done
	})
	if n := b.left; n > 0 {
		return fmt.Errorf("close %s: %d records were not confirmed within %v", b.opts.Name, n, b.opts.Linger)
	}
	return nil
}

// errStopped ends the goroutine: everything is confirmed.
var errStopped = errors.New("stopped")

// run connects and publishes until ctx ends, or the outbox is closed and everything is
// confirmed.
func (b *Outbox) run(ctx context.Context) {
	defer close(b.done)
	defer b.opts.Link.Closed()
	for {
		err := b.session(ctx)
		if errors.Is(err, errStopped) || ctx.Err() != nil {
			break
		}
		b.opts.Link.Down(err, b.opts.Refused(err))
		if !b.collect(ctx) {
			break
		}
	}
	for _, r := range b.waiting {
		if !r.confirmed {
			b.left++
			b.lost.Add(1)
		}
	}
}

// collect takes records while there is no connection, until it is time for another
// attempt. It reports false when there is nothing to attempt any more.
func (b *Outbox) collect(ctx context.Context) bool {
	pause, cancel := context.WithCancel(ctx)
	defer cancel()
	paused := make(chan struct{})
	go func() {
		defer close(paused)
		b.opts.Link.Pause(pause)
	}()
	for {
		idle := b.stop
		if len(b.waiting) > 0 {
			idle = nil
		}
		select {
		case <-paused:
			return ctx.Err() == nil
		case body := <-b.room():
			b.waiting = append(b.waiting, record{body: body})
		case <-idle:
			cancel()
			<-paused
			return false
		}
	}
}

// room returns where records come from, or nil if there is no room for more.
func (b *Outbox) room() <-chan []byte {
	if len(b.waiting) >= b.opts.Window {
		return nil
	}
	return b.out
}

// session is one connection.
func (b *Outbox) session(ctx context.Context) error {
	s, detail, err := b.opts.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	var remark error
	if r, ok := s.(Remarker); ok {
		remark = r.Remark()
	}
	b.opts.Link.Up(detail, remark)
	for next := b.first; next < b.first+uint64(len(b.waiting)); next++ {
		if r := b.waiting[next-b.first]; !r.confirmed {
			if err := b.publish(ctx, s, next, r.body, detail); err != nil {
				b.confirmAll(s)
				return err
			}
		}
	}
	stop := b.stop
	for stop != nil || len(b.waiting) > 0 {
		select {
		case body := <-b.room():
			number := b.first + uint64(len(b.waiting))
			b.waiting = append(b.waiting, record{body: body})
			if err := b.publish(ctx, s, number, body, detail); err != nil {
				b.confirmAll(s)
				return err
			}
		case number := <-s.Confirmed():
			b.confirm(number)
		case err := <-s.Lost():
			b.confirmAll(s)
			return fmt.Errorf("the connection was closed: %w", err)
		case <-stop:
			stop = nil
			if f, ok := s.(Flusher); ok {
				f.Flush()
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errStopped
}

func (b *Outbox) publish(ctx context.Context, s Session, number uint64, body []byte, detail string) error {
	err := s.Publish(ctx, number, body)
	switch {
	case errors.Is(err, ErrRejected):
		b.lost.Add(1)
		b.opts.Link.Up(detail, err)
		b.forget(number)
	case err != nil:
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// confirmAll takes the confirmations that came in before the end.
func (b *Outbox) confirmAll(s Session) {
	for {
		select {
		case number := <-s.Confirmed():
			b.confirm(number)
		default:
			return
		}
	}
}

// confirm says that the broker has a record.
func (b *Outbox) confirm(number uint64) {
	if b.forget(number) {
		b.sent.Add(1)
	}
}

// forget forgets a record, when all before it are done with. It reports false if it was
// done with already.
func (b *Outbox) forget(number uint64) bool {
	i := number - b.first // huge if it was forgotten already
	if i >= uint64(len(b.waiting)) || b.waiting[i].confirmed {
		return false
	}
	b.waiting[i] = record{confirmed: true}
	for len(b.waiting) > 0 && b.waiting[0].confirmed {
		b.waiting = b.waiting[1:]
		b.first++
	}
	return true
}
