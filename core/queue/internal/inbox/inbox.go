// Package inbox is the receiving half that transports have in common whose
// goroutines, one for each connection, feed one subscriber.
package inbox

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// Batch is how many messages a connection puts in at once at most.
const Batch = 64

// ahead is how many batches wait for the subscriber. More connections than that
// wait themselves, and so do their peers.
const ahead = 8

// Inbox is a bounded queue of messages. Many goroutines may put; one receives.
type Inbox struct {
	batches chan []queue.Message
	free    sync.Pool // of *[]queue.Message
	rest    []queue.Message
	whole   []queue.Message // the batch that rest is a part of
	gone    chan struct{}
	finish  sync.Once
	discard sync.Once
	lost    atomic.Uint64
}

// New returns an empty inbox.
func New() *Inbox { return Sized(ahead) }

// Sized returns an empty inbox in which n batches may wait.
func Sized(n int) *Inbox {
	return &Inbox{batches: make(chan []queue.Message, n), gone: make(chan struct{})}
}

// New returns an empty batch with room for Batch messages, to be filled and Put.
func (b *Inbox) New() []queue.Message {
	if p, ok := b.free.Get().(*[]queue.Message); ok {
		return *p
	}
	return make([]queue.Message, 0, Batch)
}

// Put waits for room and hands the batch over. It reports false when nobody is
// going to receive any more, and the messages are lost.
func (b *Inbox) Put(batch []queue.Message) bool {
	if len(batch) == 0 {
		return true
	}
	select {
	case b.batches <- batch:
		return true
	case <-b.gone:
		b.lose(batch)
		return false
	}
}

// TryPut is Put that loses the messages when there is no room.
func (b *Inbox) TryPut(batch []queue.Message) bool {
	select {
	case b.batches <- batch:
		return true
	default:
		b.lose(batch)
		return false
	}
}

func (b *Inbox) lose(batch []queue.Message) {
	b.lost.Add(uint64(len(batch)))
	for i := range batch {
		if batch[i].Ack != nil {
			batch[i].Ack(queue.ErrClosed)
		}
	}
}

// Receive does what [queue.Receiver] says.
func (b *Inbox) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	if len(b.rest) == 0 {
		if err := b.await(ctx); err != nil {
			return 0, err
		}
	}
	n := 0
	for {
		moved := copy(buf[n:], b.rest)
		n += moved
		b.rest = b.rest[moved:]
		if len(b.rest) > 0 {
			return n, nil
		}
		clear(b.whole)
		empty := b.whole[:0]
		b.free.Put(&empty)
		b.whole = nil
		select {
		case batch, ok := <-b.batches:
			if !ok {
				return n, nil
			}
			b.whole, b.rest = batch, batch
		default:
			return n, nil
		}
	}
}

func (b *Inbox) await(ctx context.Context) error {
	var batch []queue.Message
	var ok bool
	select {
	case batch, ok = <-b.batches:
	default:
		select {
		case batch, ok = <-b.batches:
		case <-b.gone:
			return queue.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if !ok {
		return queue.ErrClosed
	}
	b.whole, b.rest = batch, batch
	return nil
}

// Finish says that all who put have ended: what is in is given out, and then
// [queue.ErrClosed].
func (b *Inbox) Finish() { b.finish.Do(func() { close(b.batches) }) }

// Close throws away what nobody received. All who put must have ended.
func (b *Inbox) Close() {
	b.Finish()
	for batch := range b.batches {
		b.lose(batch)
	}
}

// Discard says that nobody is going to receive: Put does not wait any more.
func (b *Inbox) Discard() { b.discard.Do(func() { close(b.gone) }) }

// Lost returns how many messages nobody took.
func (b *Inbox) Lost() uint64 { return b.lost.Load() }
