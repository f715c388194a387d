package zeromq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// Receiver is the receiving end: [Sub] or [Pull].
type Receiver struct {
	*endpoint
	batches chan *batch   // received, not taken; closed by the owner at its end
	free    chan *batch   // to be filled again
	rest    *batch        // what is left of the last batch; used by Receive alone
	stop    chan struct{} // closed by Close
	drain   chan struct{} // closed by Drain
	done    chan struct{} // closed when the owner has ended
	failure error         // why the owner has ended, valid after done

	stopping, draining sync.Once
}

// batchesAhead is how many batches wait for Receive: enough that both
// goroutines always have something to do.
const batchesAhead = 4

// drainQuiet is how long nothing may have come in after the socket was
// detached, for everything to be in.
const drainQuiet = 50 * time.Millisecond

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
)

// NewReceiver binds or connects a socket that receives records. Peers that are
// not there are waited for; an address that cannot be bound is an error
// that says what to do.
func NewReceiver(o Options) (*Receiver, error) {
	size := DefaultPullQueue
	if o.Pattern == Sub {
		size = DefaultReceiveQueue
	}
	o, err := o.withDefaults(Pull, size)
	if err != nil {
		return nil, err
	}
	var kind zmq.Type
	switch o.Pattern {
	case Pull:
		kind = zmq.PULL
	case Sub:
		kind = zmq.SUB
	default:
		return nil, fmt.Errorf("a receiver cannot be %q (sub or pull)", o.Pattern)
	}
	e, err := open(o, kind)
	if err != nil {
		return nil, err
	}
	if err := e.subscribe(); err != nil {
		e.release()
		return nil, err
	}
	r := &Receiver{
		endpoint: e,
		batches:  make(chan *batch, batchesAhead),
		free:     make(chan *batch, batchesAhead+2),
		stop:     make(chan struct{}),
		drain:    make(chan struct{}),
		done:     make(chan struct{}),
	}
	reader, err := newReader(e.socket)
	if err != nil {
		e.release()
		return nil, err
	}
	go r.own(reader)
	return r, nil
}

// subscribe says which topics a SUB socket takes.
func (e *endpoint) subscribe() error {
	if e.opts.Pattern != Sub {
		return nil
	}
	topics := e.opts.Topics
	if len(topics) == 0 {
		topics = []string{""}
	}
	for _, t := range topics {
		if err := e.socket.SetSubscribe(t); err != nil {
			return fmt.Errorf("subscribe to %q: %w", t, err)
		}
	}
	return nil
}

// String returns the addresses, those that are bound with the port that was
// chosen.
func (r *Receiver) String() string { return r.name() }

// Addresses returns the endpoints that are bound, with the port that was
// chosen for port 0; none if the receiver connects.
func (r *Receiver) Addresses() []string { return r.bound }

// Status returns the connections as libzmq reports them.
func (r *Receiver) Status() queue.Status {
	s := r.status()
	select {
	case <-r.done:
		s.State = queue.StateClosed
	default:
	}
	return s
}

// Receive implements [queue.Receiver].
func (r *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	if r.rest == nil {
		if err := r.await(ctx); err != nil {
			return 0, err
		}
	}
	n := 0
	for {
		n += r.rest.moveTo(buf[n:])
		if r.rest.next < len(r.rest.bodies) {
			return n, nil
		}
		r.recycle()
		select {
		case b, ok := <-r.batches:
			if !ok {
				return n, nil
			}
			r.rest = b
		default:
			return n, nil
		}
	}
}

// await waits for a batch.
func (r *Receiver) await(ctx context.Context) error {
	select {
	case b, ok := <-r.batches:
		return r.got(b, ok)
	default:
	}
	select {
	case b, ok := <-r.batches:
		return r.got(b, ok)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Receiver) got(b *batch, ok bool) error {
	if ok {
		r.rest = b
		return nil
	}
	<-r.done
	if r.failure != nil {
		return r.failure
	}
	return queue.ErrClosed
}

func (r *Receiver) recycle() {
	b := r.rest
	r.rest = nil
	b.reset()
	r.keep(b)
}

// own is the goroutine that owns the socket. It may move from one thread to
// another, which libzmq allows as long as the uses are ordered; to lock it to one
// costs a tenth of the throughput.
func (r *Receiver) own(from *reader) {
	defer close(r.done)
	defer close(r.batches)
	defer from.close()
	if err := r.receiveAll(from); err != nil && !errors.Is(err, queue.ErrClosed) {
		r.failure = err
	}
}

// receiveAll moves messages from the socket to batches until stopped or
// drained.
func (r *Receiver) receiveAll(from *reader) error {
	poller := zmq.NewPoller()
	poller.Add(r.socket, zmq.POLLIN)
	poller.Add(r.woken, zmq.POLLIN)
	drained := false
	for {
		select {
		case <-r.monitor.redials.due:
			r.redial()
		default:
		}
		more, err := r.readOnce(from)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		wait := time.Duration(-1)
		select {
		case <-r.stop:
			return nil
		case <-r.drain:
			if !drained {
				drained = true
				r.detach()
			}
			wait = drainQuiet
		default:
		}
		ready, err := poller.Poll(wait)
		if err != nil {
			return fmt.Errorf("wait for messages: %w", err)
		}
		if len(ready) == 0 && drained {
			return nil
		}
		r.clearWake()
	}
}

// readOnce moves what is at hand to a batch, and reports whether there may be more. The
// error is that of the socket, or [queue.ErrClosed].
func (r *Receiver) readOnce(from *reader) (more bool, err error) {
	mark := r.monitor.mark()
	b := r.newBatch()
	more, err = from.read(b)
	r.monitor.count(b.origins)
	if len(b.bodies) == 0 {
		r.keep(b)
	} else if !r.hand(b) {
		return false, queue.ErrClosed
	}
	if more || err != nil {
		return more, err
	}
	for _, place := range r.monitor.emptied(mark) {
		from.release(place)
	}
	return r.monitor.mark() != mark, nil
}

// hand gives a batch to Receive; it waits until there is room and reports
// false if the receiver was closed meanwhile.
func (r *Receiver) hand(b *batch) bool {
	select {
	case r.batches <- b:
		return true
	case <-r.stop:
		return false
	}
}

func (r *Receiver) newBatch() *batch {
	select {
	case b := <-r.free:
		return b
	default:
		return newBatch()
	}
}

// keep puts an empty batch back.
func (r *Receiver) keep(b *batch) {
	select {
	case r.free <- b:
	default:
	}
}

// Drain implements [queue.Drainer]: the socket is detached from its peers, and
// what has come in until then is given out.
func (r *Receiver) Drain() {
	r.draining.Do(func() {
		close(r.drain)
		r.wake()
	})
}

// Close implements [queue.Receiver]. It waits until the socket is closed.
func (r *Receiver) Close() error {
	r.stopping.Do(func() {
		close(r.stop)
		r.wake()
		<-r.done
		r.release()
	})
	return nil
}
