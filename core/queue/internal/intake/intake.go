// Package intake is the receiving half that transports over brokers have in common: it
// connects, connects again when the connection is lost, gives out what has come in, and
// ends in the order in which nothing is lost.
package intake

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
)

// CloseTimeout is how long a broker may take to end a connection, if [Options] do not say
// otherwise.
const CloseTimeout = 3 * time.Second

// Options are the settings of an [Intake].
type Options struct {
	Name  string // for people
	Inbox *inbox.Inbox
	Link  *link.Link
	// Session is one connection. It receives until receiving ends, then calls
	// [Intake.Finish] and keeps the connection until [Intake.Stopped], so that what was
	// received can be acknowledged over it; life ends when that takes too long. Before
	// receiving ends its error says why there is no connection any more. One whose
	// connections are not its own returns at once, and leaves the rest to Last.
	Session func(life, receiving context.Context) error
	// Explain says what to do about such an error, and whether the broker is there and
	// does not want us.
	Explain func(error) (told error, refused bool)
	// Last, if not nil, is called when nobody receives any more, connection or none, by
	// the goroutine that has called Session, if it came to that.
	Last func()
	// CloseTimeout is how long Close may take; 0 means [CloseTimeout].
	CloseTimeout time.Duration
}

// Intake implements [queue.Receiver], [queue.Drainer] and [queue.Statuser].
type Intake struct {
	o Options

	drain, cancel   context.CancelFunc
	received        chan struct{} // closed when nothing more comes in
	stop            chan struct{} // closed by Close when the connection may end
	done            chan struct{} // closed when the goroutine has ended
	closing, ending sync.Once
	rejected        atomic.Uint64
}

var (
	_ queue.Receiver = (*Intake)(nil)
	_ queue.Drainer  = (*Intake)(nil)
	_ queue.Statuser = (*Intake)(nil)
)

// Start begins to receive.
func (n *Intake) Start(o Options) {
	if o.CloseTimeout == 0 {
		o.CloseTimeout = CloseTimeout
	}
	n.o = o
	n.received, n.stop, n.done = make(chan struct{}), make(chan struct{}), make(chan struct{})
	// The connection outlives the drain: what was received is acknowledged over it.
	life, cancel := context.WithCancel(context.Background())
	receiving, drain := context.WithCancel(life)
	n.cancel, n.drain = cancel, drain
	go n.run(life, receiving)
}

// run connects and receives until receiving ends, and keeps the connection until the
// receiver is closed.
func (n *Intake) run(life, receiving context.Context) {
	defer close(n.done)
	defer n.o.Link.Closed()
	for receiving.Err() == nil {
		err := n.o.Session(life, receiving)
		if receiving.Err() != nil {
			break
		}
		n.o.Link.Down(n.o.Explain(err))
		n.o.Link.Pause(receiving)
	}
	n.Finish()
	if n.o.Last != nil {
		<-n.stop
		n.o.Last()
	}
}

// Finish says that nothing more comes in: what is there is given out, and then
// [queue.ErrClosed]. It may be called more than once, and by sessions alone.
func (n *Intake) Finish() {
	n.ending.Do(func() {
		n.o.Inbox.Finish()
		close(n.received)
	})
}

// Stopped is closed when everything that was received is settled or given up, and the
// connection may end.
func (n *Intake) Stopped() <-chan struct{} { return n.stop }

// Reject counts a message that is no record.
func (n *Intake) Reject() { n.rejected.Add(1) }

// String returns the address and what is received there, without user and password.
func (n *Intake) String() string { return n.o.Name }

// Status returns the condition of the connection.
func (n *Intake) Status() queue.Status {
	s := n.o.Link.Status()
	if count := n.Rejected(); count > 0 {
		s.Detail += fmt.Sprintf("; %d messages rejected", count)
	}
	return s
}

// Rejected returns how many messages were no records. They do not come again.
func (n *Intake) Rejected() uint64 { return n.rejected.Load() }

// Receive implements [queue.Receiver].
func (n *Intake) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return n.o.Inbox.Receive(ctx, buf)
}

// Drain implements [queue.Drainer].
func (n *Intake) Drain() { n.drain() }

// Close implements [queue.Receiver]. What nobody has received is given back over the
// connection that there is, and then the connection is closed.
func (n *Intake) Close() error {
	n.closing.Do(func() {
		n.o.Inbox.Discard()
		n.drain()
		t := time.AfterFunc(n.o.CloseTimeout, n.cancel)
		defer t.Stop()
		defer n.cancel()
		<-n.received
		n.o.Inbox.Close()
		close(n.stop)
		<-n.done
	})
	return nil
}
