package route

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/weight"
)

// The defaults of [WaitOptions].
const (
	DefaultWaitMaxRecords = 1000
	DefaultWaitMaxGroups  = 1000
	DefaultWaitMaxBytes   = 16 << 20
)

// WaitOptions says what [NewWait] makes. Handler must be set.
type WaitOptions struct {
	// Handler gets the groups.
	Handler core.Handler
	// For is how long a group waits for more after its first record; 0 hands every
	// record on at once.
	For time.Duration
	// Key returns a text that is the same for records of one group, such as a
	// fingerprint of package limit; nil means the channel. It may be called
	// concurrently.
	Key func(*core.Record) string
	// MaxRecords bounds a group, MaxGroups how many groups wait, and MaxBytes the
	// memory of their records, by estimate. 0 means the defaults. A full group, or
	// the oldest of too many, is handed on early, by whoever logs.
	MaxRecords, MaxGroups, MaxBytes int
	// Timeout bounds the delivery of each group; 0 means DefaultTimeout.
	Timeout time.Duration
	// OnError, if not nil, is told about groups that could not be delivered, as
	// they are not the matter of who happens to log just then. It may be called
	// concurrently.
	OnError func(error)
}

// WaitStats are the counters of a [Wait]. Records is always the sum of Delivered,
// Failed and Waiting.
type WaitStats struct {
	Records   uint64 // that came
	Delivered uint64 // that the handler has taken
	Failed    uint64 // that it has refused
	Waiting   uint64 // in a group, or just being delivered
	Groups    uint64 // deliveries, successful or not
}

// Wait is group wait: it holds records for a moment, and hands those of one kind that
// came by then on as one batch with the reason [core.BatchGroup], the first of
// which is the one to show. A record that was alone is handed on alone. Batches that
// come as one delivery, an escalation or a group, are one already and do not wait.
//
// All methods are safe for concurrent use. Deliveries may run at the same time.
type Wait struct {
	o WaitOptions

	stop, done chan struct{}
	wake       chan struct{} // the first group has come
	closing    sync.Once
	closeErr   error
	deliveries sync.WaitGroup // Add is called with mu held and not closed

	mu     sync.Mutex // guards what follows; never held while calling out
	closed bool
	groups map[string]*list.Element // of *group
	order  *list.List               // oldest first, which is due first
	bytes  int
	stats  WaitStats
}

type group struct {
	key     string
	due     time.Time
	records []*core.Record
	bytes   int
}

var (
	_ core.BatchHandler = (*Wait)(nil)
	_ core.Flusher      = (*Wait)(nil)
	_ io.Closer         = (*Wait)(nil)
)

// NewWait returns a handler that groups records. It must be closed. It panics without a
// handler to deliver to.
func NewWait(o WaitOptions) *Wait {
	if o.Handler == nil {
		panic("route: group wait without a handler to deliver to")
	}
	if o.Key == nil {
		o.Key = func(r *core.Record) string { return r.Channel }
	}
	o.MaxRecords = cmp.Or(max(o.MaxRecords, 0), DefaultWaitMaxRecords)
	o.MaxGroups = cmp.Or(max(o.MaxGroups, 0), DefaultWaitMaxGroups)
	o.MaxBytes = cmp.Or(max(o.MaxBytes, 0), DefaultWaitMaxBytes)
	o.Timeout = cmp.Or(max(o.Timeout, 0), DefaultTimeout)
	w := &Wait{
		o: o, stop: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1),
		groups: make(map[string]*list.Element), order: list.New(),
	}
	go w.run()
	return w
}

// Handle adds r to its group. The error is [ErrClosed], or, if groups do not wait,
// that of the handler.
func (w *Wait) Handle(ctx context.Context, r *core.Record) error {
	if w.o.For <= 0 {
		return w.pass(1, func() error { return w.o.Handler.Handle(ctx, r) })
	}
	r = r.Keep()
	early, err := w.add(w.o.Key(r), r, weight.Of(r))
	if err != nil {
		return err
	}
	defer w.deliveries.Done()
	for _, g := range early {
		w.report(w.deliver(ctx, g))
	}
	return nil
}

// HandleBatch hands a batch on that is one delivery; the records of a buffer are added
// to their groups.
func (w *Wait) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	switch {
	case len(rs) == 0:
		return nil
	case why != core.BatchBuffer || w.o.For <= 0:
		return w.pass(len(rs), func() error { return core.HandleBatch(ctx, w.o.Handler, rs, why) })
	}
	var errs []error
	for _, r := range rs {
		errs = append(errs, w.Handle(ctx, r))
	}
	return errors.Join(errs...)
}

// pass delivers n records that do not wait.
func (w *Wait) pass(n int, deliver func() error) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.deliveries.Add(1)
	w.stats.Records += uint64(n) //nolint:gosec // a count
	w.stats.Waiting += uint64(n) //nolint:gosec // a count
	w.mu.Unlock()
	defer w.deliveries.Done()
	return w.counted(n, deliver)
}

// counted counts a delivery of n records, also one that panics.
func (w *Wait) counted(n int, deliver func() error) (err error) {
	taken := false
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stats.Groups++
		w.stats.Waiting -= uint64(n) //nolint:gosec // a count
		if taken {
			w.stats.Delivered += uint64(n) //nolint:gosec // a count
		} else {
			w.stats.Failed += uint64(n) //nolint:gosec // a count
		}
	}()
	err = deliver()
	taken = err == nil || errors.Is(err, core.ErrPass)
	return err
}

// add adds a record to its group and returns the groups that are to be delivered early.
// If there is no error, the caller must call w.deliveries.Done when that is done.
func (w *Wait) add(key string, r *core.Record, bytes int) (early []*group, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, ErrClosed
	}
	w.deliveries.Add(1)
	w.stats.Records++
	w.stats.Waiting++
	el, ok := w.groups[key]
	if !ok {
		el = w.order.PushBack(&group{key: key, due: time.Now().Add(w.o.For)})
		w.groups[key] = el
		if w.order.Len() == 1 {
			w.rouse()
		}
	}
	g := el.Value.(*group)
	g.records = append(g.records, r)
	g.bytes += bytes
	w.bytes += bytes
	if len(g.records) >= w.o.MaxRecords {
		early = append(early, w.remove(el))
	}
	for w.order.Len() > w.o.MaxGroups || w.bytes > w.o.MaxBytes {
		early = append(early, w.remove(w.order.Front()))
	}
	return early, nil
}

func (w *Wait) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// remove takes a group out. w.mu is held.
func (w *Wait) remove(el *list.Element) *group {
	g := w.order.Remove(el).(*group)
	delete(w.groups, g.key)
	w.bytes -= g.bytes
	return g
}

// take takes out the oldest group, if it is due at the time given. If not, next is
// when it is; zero if there is none.
func (w *Wait) take(now time.Time) (g *group, next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	el := w.order.Front()
	if el == nil {
		return nil, time.Time{}
	}
	if due := el.Value.(*group).due; due.After(now) {
		return nil, due
	}
	return w.remove(el), time.Time{}
}

// deliver delivers a group within the timeout, whoever's turn it is.
func (w *Wait) deliver(ctx context.Context, g *group) error {
	err := w.counted(len(g.records), func() error {
		return guarded(ctx, w.o.Timeout, func(ctx context.Context) error {
			if len(g.records) == 1 {
				return w.o.Handler.Handle(ctx, g.records[0])
			}
			return core.HandleBatch(ctx, w.o.Handler, g.records, core.BatchGroup)
		})
	})
	if errors.Is(err, core.ErrPass) {
		return nil // it is too late to go on down the stack
	}
	return err
}

func (w *Wait) report(err error) {
	if err != nil && w.o.OnError != nil {
		w.o.OnError(err)
	}
}

// run delivers the groups that fall due, until Close.
func (w *Wait) run() {
	defer close(w.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-w.wake:
		case <-timer.C:
		}
		g, next := w.take(time.Now())
		switch {
		case g != nil:
			w.report(w.deliver(context.Background(), g))
			timer.Reset(0)
		case !next.IsZero():
			timer.Reset(time.Until(next))
		}
	}
}

// flush delivers what waits now.
func (w *Wait) flush(ctx context.Context) error {
	last := time.Now().Add(w.o.For) // groups that come from here on are due later
	var errs []error
	for {
		g, _ := w.take(last)
		if g == nil {
			return errors.Join(errs...)
		}
		errs = append(errs, w.deliver(ctx, g))
	}
}

// Flush delivers what waits now, and flushes the handler behind.
func (w *Wait) Flush(ctx context.Context) error {
	w.mu.Lock()
	if w.closed { // Close does so
		w.mu.Unlock()
		return nil
	}
	w.deliveries.Add(1)
	w.mu.Unlock()
	defer w.deliveries.Done()
	return errors.Join(w.flush(ctx), core.Flush(ctx, w.o.Handler))
}

// Close takes no more records, delivers what waits, ends the goroutine, and closes the
// handler behind. Further calls return the same error.
func (w *Wait) Close() error {
	return w.shutdown(context.Background(), func() error { return core.Close(w.o.Handler) })
}

// Shutdown is Close with a limit of time for the handler behind.
func (w *Wait) Shutdown(ctx context.Context) error {
	return w.shutdown(ctx, func() error { return core.Shutdown(ctx, w.o.Handler) })
}

func (w *Wait) shutdown(ctx context.Context, closeHandler func() error) error {
	w.closing.Do(func() {
		w.mu.Lock()
		w.closed = true
		w.mu.Unlock()
		close(w.stop)
		<-w.done
		w.deliveries.Wait()
		w.closeErr = errors.Join(w.flush(ctx), closeHandler())
	})
	return w.closeErr
}

// Preview says how many records wait in the group of r, and until when it waits; a zero
// time if there is no such group yet. It changes nothing.
func (w *Wait) Preview(r *core.Record) (waiting int, due time.Time) {
	key := w.o.Key(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	el, ok := w.groups[key]
	if !ok {
		return 0, time.Time{}
	}
	g := el.Value.(*group)
	return len(g.records), g.due
}

// Stats returns the counters.
func (w *Wait) Stats() WaitStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}
