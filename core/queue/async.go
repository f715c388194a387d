package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Async delivers records to another handler on a goroutine of its own, in
// order, so that whoever logs does not wait for a slow handler. It is Logbook's
// ThreadedWrapperHandler and Python's QueueHandler with QueueListener.
//
// Batches stay batches. Errors and panics of the handler are counted and
// reported; they do not reach the one who logs.
type Async struct {
	handler core.Handler
	opts    AsyncOptions
	ctx     context.Context //nolint:containedctx // the lifetime of the goroutine
	cancel  context.CancelFunc
	done    chan struct{} // closed when the goroutine has ended
	wake    chan struct{} // capacity 1: something was queued, or closed was set

	mu     sync.Mutex
	queue  entries
	room   chan struct{} // closed when there is room again; nil if nobody waits
	closed bool
	stats  AsyncStats

	closing sync.Once
	closeEr error
}

var (
	_ core.BatchHandler = (*Async)(nil)
	_ core.Flusher      = (*Async)(nil)
)

// NewAsync starts a goroutine that delivers to h. It owns h: closing the Async
// flushes and closes h.
func NewAsync(h core.Handler, o AsyncOptions) *Async {
	if o.Size <= 0 {
		o.Size = DefaultAsyncSize
	}
	if o.RetryDelay <= 0 {
		o.RetryDelay = DefaultRetryDelay
	}
	if o.CloseTimeout <= 0 {
		o.CloseTimeout = DefaultCloseTimeout
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Async{
		handler: h, opts: o, ctx: ctx, cancel: cancel,
		done: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	a.stats.State = AsyncOK
	go a.run()
	return a
}

// Unwrap returns the handler that a delivers to.
func (a *Async) Unwrap() core.Handler { return a.handler }

// Handle queues r. The error wraps [ErrDropped] if there was no room and a waits
// for none or ctx ended, and is [ErrClosed] after Close.
func (a *Async) Handle(ctx context.Context, r *core.Record) error {
	return a.put(ctx, entry{record: r.Keep(), count: 1})
}

// HandleBatch queues rs to be delivered as one batch; see [Async.Handle].
func (a *Async) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	if len(rs) == 0 {
		return nil
	}
	kept := make([]*core.Record, len(rs))
	for i, r := range rs {
		kept[i] = r.Keep()
	}
	return a.put(ctx, entry{batch: kept, why: why, count: len(kept)})
}

// Stats returns the counters and the condition.
func (a *Async) Stats() AsyncStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stats
}

// Preview returns how many records wait or are being delivered, and whether one that came
// now would be dropped for lack of room.
func (a *Async) Preview() (waiting int, dropped bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stats.Queued, a.closed || a.opts.Full == DropNewest && !a.fits(1)
}

// Flush waits until what was queued before is delivered, and flushes the
// handler. The error is that of ctx, or of the handler's flush.
func (a *Async) Flush(ctx context.Context) error {
	e := entry{flush: make(chan error, 1), ctx: ctx}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return ErrClosed
	}
	a.queue.push(e)
	a.mu.Unlock()
	a.signal()
	select {
	case err := <-e.flush:
		return err
	case <-ctx.Done():
		return fmt.Errorf("flush: %w", ctx.Err())
	}
}

// Close delivers what is queued within the close timeout, flushes and closes the
// handler, and ends the goroutine. Further calls return the same error.
func (a *Async) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), a.opts.CloseTimeout)
	defer cancel()
	a.closing.Do(func() { a.closeEr = a.shutdown(ctx, func() error { return core.Close(a.handler) }) })
	return a.closeEr
}

// Shutdown is Close with another limit of time, also for the handler. When ctx ends first,
// the records that are left are counted as dropped, the delivery in progress is told
// to give up through its context, and the error says how many records it cost.
func (a *Async) Shutdown(ctx context.Context) error {
	a.closing.Do(func() { a.closeEr = a.shutdown(ctx, func() error { return core.Shutdown(ctx, a.handler) }) })
	return a.closeEr
}

// shutdown ends the goroutine and then calls closeHandler.
func (a *Async) shutdown(ctx context.Context, closeHandler func() error) error {
	a.mu.Lock()
	a.closed = true
	a.makeRoom()
	a.mu.Unlock()
	a.signal()
	select {
	case <-a.done:
	case <-ctx.Done():
		left := a.abandon()
		a.cancel()
		if !a.gone(time.Second) { // a handler that ignores its context
			return fmt.Errorf("close: %w: %d left in the queue, and %T does not return", ErrDropped, left, a.handler)
		}
		if left > 0 {
			return errors.Join(fmt.Errorf("close: %w: %d left in the queue", ErrDropped, left), closeHandler())
		}
	}
	a.cancel()
	return closeHandler()
}

// gone waits for the goroutine to end.
func (a *Async) gone(limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-a.done:
		return true
	case <-t.C:
		return false
	}
}

// abandon drops what is queued and returns the number of records.
func (a *Async) abandon() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := 0
	for {
		e, ok := a.queue.pop()
		if !ok {
			return left
		}
		if e.flush != nil {
			e.flush <- ErrClosed
		}
		left += e.count
		a.drop(e.count)
	}
}

// drop counts n records that were queued as dropped. a.mu is held.
func (a *Async) drop(n int) {
	a.stats.Dropped += uint64(n)
	a.stats.Queued -= n
}

func (a *Async) put(ctx context.Context, e entry) error {
	a.mu.Lock()
	a.stats.Offered += uint64(e.count)
	for !a.closed && !a.fits(e.count) {
		switch a.opts.Full {
		case DropOldest:
			a.drop(a.queue.popRecords().count)
		case DropNewest:
			return a.refuse(e.count, fmt.Errorf("%w: %d are waiting already", ErrDropped, a.stats.Queued))
		case Block:
			room := a.waitRoom()
			a.mu.Unlock()
			select {
			case <-room:
				a.mu.Lock()
			case <-ctx.Done():
				a.mu.Lock()
				return a.refuse(e.count, fmt.Errorf("%w: %d are waiting already: %w", ErrDropped, a.stats.Queued, ctx.Err()))
			}
		}
	}
	if a.closed {
		return a.refuse(e.count, ErrClosed)
	}
	a.queue.push(e)
	a.stats.Queued += e.count
	a.mu.Unlock()
	a.signal()
	return nil
}

// fits reports whether n more records have room. a.mu is held.
func (a *Async) fits(n int) bool {
	waiting := a.queue.records
	return waiting == 0 || waiting+n <= a.opts.Size
}

// refuse counts n records that were offered and not queued, and unlocks a.mu.
func (a *Async) refuse(n int, err error) error {
	a.stats.Dropped += uint64(n)
	a.mu.Unlock()
	return err
}

// waitRoom returns a channel that is closed when there is room. a.mu is held.
func (a *Async) waitRoom() <-chan struct{} {
	if a.room == nil {
		a.room = make(chan struct{})
	}
	return a.room
}

// makeRoom wakes all who wait for room. a.mu is held.
func (a *Async) makeRoom() {
	if a.room != nil {
		close(a.room)
		a.room = nil
	}
}

func (a *Async) signal() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// run delivers until closed and empty.
func (a *Async) run() {
	defer close(a.done)
	for {
		a.mu.Lock()
		e, ok := a.queue.pop()
		if ok {
			a.gather(&e)
			a.makeRoom()
		}
		closed := a.closed
		a.mu.Unlock()
		switch {
		case !ok && closed:
			_ = safely(func() error { return core.Flush(a.ctx, a.handler) }) // Close of the handler reports what matters
			return
		case !ok:
			<-a.wake
		case e.flush != nil:
			e.flush <- safely(func() error { return core.Flush(e.ctx, a.handler) })
		default:
			a.deliver(&e)
		}
	}
}

// gather makes a batch of a record and those that wait behind it. a.mu is held.
func (a *Async) gather(e *entry) {
	if a.opts.Batch <= 1 || e.record == nil {
		return
	}
	for e.count < a.opts.Batch {
		next, ok := a.queue.first()
		if !ok || next.record == nil {
			return
		}
		if e.batch == nil {
			e.batch, e.why, e.record = []*core.Record{e.record}, core.BatchBuffer, nil
		}
		_, _ = a.queue.pop()
		e.batch = append(e.batch, next.record)
		e.count++
	}
}

// permanent reports whether trying again cannot help.
func permanent(err error) bool {
	p, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err)
	return ok && p.Permanent()
}

// deliver hands e to the handler, as often as the options say.
func (a *Async) deliver(e *entry) {
	err := a.try(e)
	delay := a.opts.RetryDelay
	for attempt := 0; err != nil && attempt < a.opts.Retries && !permanent(err); attempt++ {
		a.retrying(err, delay)
		if !a.pause(delay) {
			break
		}
		delay = min(2*delay, MaxRetryDelay)
		err = a.try(e)
	}
	a.mu.Lock()
	a.stats.Queued -= e.count
	a.stats.Next = time.Time{}
	if err == nil {
		a.stats.Delivered += uint64(e.count)
		a.stats.State, a.stats.Err = AsyncOK, nil
	} else {
		a.stats.Failed += uint64(e.count)
		a.stats.State, a.stats.Err = AsyncFailing, err
	}
	a.mu.Unlock()
	if err != nil && a.opts.OnError != nil {
		a.opts.OnError(err, e.count)
	}
}

// try delivers once. A handler that passes has done all it wants to do.
func (a *Async) try(e *entry) error {
	err := safely(func() error {
		if e.batch != nil {
			return core.HandleBatch(a.ctx, a.handler, e.batch, e.why)
		}
		return a.handler.Handle(a.ctx, e.record)
	})
	if errors.Is(err, core.ErrPass) {
		return nil
	}
	return err
}

// retrying notes that a delivery failed and is tried again.
func (a *Async) retrying(err error, after time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.State, a.stats.Err, a.stats.Next = AsyncRetrying, err, time.Now().Add(after)
}

// pause waits and reports whether the goroutine may go on.
func (a *Async) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.ctx.Done():
		return false
	}
}

// safely turns a panic of f into an error.
func safely(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w\n%s", &panicError{v}, debug.Stack())
		}
	}()
	return f()
}
