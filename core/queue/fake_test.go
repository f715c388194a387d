package queue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// fakeQueue is a receiver whose messages are put in by the test.
type fakeQueue struct {
	messages chan queue.Message
	drained  chan struct{}
	closed   chan struct{}
	drain    sync.Once
	close    sync.Once
}

func newFakeQueue(messages ...queue.Message) *fakeQueue {
	q := &fakeQueue{
		messages: make(chan queue.Message, 10_000),
		drained:  make(chan struct{}),
		closed:   make(chan struct{}),
	}
	for _, m := range messages {
		q.messages <- m
	}
	return q
}

func (q *fakeQueue) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	n := 0
	for n < len(buf) {
		select {
		case m := <-q.messages:
			buf[n] = m
			n++
			continue
		default:
		}
		if n > 0 {
			return n, nil
		}
		select {
		case <-q.drained:
			if len(q.messages) == 0 {
				return 0, queue.ErrClosed
			}
			continue
		default:
		}
		select {
		case m := <-q.messages:
			buf[n] = m
			n++
		case <-q.drained:
		case <-q.closed:
			return 0, queue.ErrClosed
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return n, nil
}

func (q *fakeQueue) Drain()       { q.drain.Do(func() { close(q.drained) }) }
func (q *fakeQueue) Close() error { q.close.Do(func() { close(q.closed) }); return nil }

// brokenQueue is a receiver that fails.
type brokenQueue struct{ err error }

func (q brokenQueue) Receive(context.Context, []queue.Message) (int, error) { return 0, q.err }
func (q brokenQueue) Close() error                                          { return nil }

// body returns a record of Logbook on the wire.
func body(tb testing.TB, text string) []byte {
	tb.Helper()
	r := &core.Record{Channel: "test", Level: core.LevelInfo, Msg: text}
	b, err := wire.Append(nil, r.Pull())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// bodies returns count messages with the texts prefix0, prefix1, ...
func bodies(tb testing.TB, prefix string, count int) []queue.Message {
	tb.Helper()
	out := make([]queue.Message, count)
	for i := range out {
		out[i].Body = body(tb, fmt.Sprint(prefix, i))
	}
	return out
}

// collector is a handler that keeps the messages of what it gets.
type collector struct {
	mu      sync.Mutex
	texts   []string
	batches [][]string
	grown   chan struct{} // capacity 1
}

func newCollector() *collector { return &collector{grown: make(chan struct{}, 1)} }

func (c *collector) Handle(_ context.Context, r *core.Record) error {
	c.add(r.Message())
	return nil
}

func (c *collector) add(text string) {
	c.mu.Lock()
	c.texts = append(c.texts, text)
	c.mu.Unlock()
	select {
	case c.grown <- struct{}{}:
	default:
	}
}

func (c *collector) HandleBatch(_ context.Context, rs []*core.Record, _ core.BatchReason) error {
	var texts []string
	for _, r := range rs {
		texts = append(texts, r.Message())
	}
	c.mu.Lock()
	c.batches = append(c.batches, texts)
	c.mu.Unlock()
	return nil
}

func (c *collector) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.texts)
}

// await waits until count records have arrived.
func (c *collector) await(tb testing.TB, count int) {
	tb.Helper()
	for len(c.all()) < count {
		select {
		case <-c.grown:
		case <-tb.Context().Done():
			tb.Fatalf("%d of %d records arrived", len(c.all()), count)
		}
	}
}

// bind returns a context with h on its stack.
func bind(tb testing.TB, h core.Handler) context.Context {
	tb.Helper()
	ctx, end := core.Bind(tb.Context(), core.Binding{Handler: h})
	tb.Cleanup(func() {
		if err := end(); err != nil {
			tb.Error(err)
		}
	})
	return ctx
}

// texts returns prefix0, prefix1, ...
func texts(prefix string, count int) []string {
	out := make([]string, count)
	for i := range out {
		out[i] = fmt.Sprint(prefix, i)
	}
	return out
}
