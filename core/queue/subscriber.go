package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultBatchSize    = 256
	DefaultDrainTimeout = 5 * time.Second
)

// Options are the settings of a [Subscriber]. The zero value is useful.
type Options struct {
	// Name is what records show as [core.Source].Name. Empty: the String method
	// of the receiver, if it has one.
	Name string
	// Decode makes a record of a message without a Record. nil: the body goes
	// through [wire.Decode].
	Decode func(Message) (*core.Record, error)
	// Reject, if not nil, is told about each message that is no record. It is
	// called by the goroutine that dispatches, and must not block.
	Reject func(Rejection)
	// BatchSize is how many messages are received at once at most; 0 means
	// DefaultBatchSize.
	BatchSize int
	// DrainTimeout is how long records that were accepted may take to be
	// dispatched after a stop; 0 means DefaultDrainTimeout.
	DrainTimeout time.Duration
}

// Rejection describes a message that was received but is no record.
type Rejection struct {
	Source core.Source
	Body   []byte // not to be changed
	Cut    bool   // Body is only the beginning of what came in
	Format string // see [Message]
	Reason string // short, one of few; what [Stats].Reasons counts
	Err    error
}

// Subscriber receives records from a transport and dispatches them to the
// handlers on the stack. It is Logbook's SubscriberBase.
//
// One bad message never stops it: what is no record is counted, reported and
// skipped. All methods are safe for concurrent use; each message goes to one
// caller.
type Subscriber struct {
	receiver Receiver
	opts     Options
	turn     chan struct{} // held by the one who receives; capacity 1
	buf      []Message     // owned by the holder of turn
	pending  []Message     // the rest of buf that was received and not taken
	count    counters

	mu     sync.Mutex
	loops  int           // running DispatchForever
	idle   chan struct{} // closed when loops gets 0; nil if no one waits
	closed bool
	err    error // what ended the receiver
}

// NewSubscriber returns a subscriber that owns r: closing the subscriber closes
// r.
func NewSubscriber(r Receiver, o Options) *Subscriber {
	if o.BatchSize <= 0 {
		o.BatchSize = DefaultBatchSize
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = DefaultDrainTimeout
	}
	if s, ok := r.(fmt.Stringer); ok && o.Name == "" {
		o.Name = s.String()
	}
	if o.Decode == nil {
		o.Decode = decodeBody
	}
	return &Subscriber{receiver: r, opts: o, turn: make(chan struct{}, 1)}
}

func decodeBody(m Message) (*core.Record, error) { return wire.Decode(m.Body) }

// Name returns what records of this subscriber show as their source.
func (s *Subscriber) Name() string { return s.opts.Name }

// Stats returns the counters.
func (s *Subscriber) Stats() Stats {
	stats := s.count.stats()
	if d, ok := s.receiver.(Dropper); ok {
		stats.Dropped = d.Dropped()
	}
	return stats
}

// Status returns the condition of the transport.
func (s *Subscriber) Status() Status {
	s.mu.Lock()
	closed, err := s.closed, s.err
	s.mu.Unlock()
	switch {
	case closed:
		return Status{State: StateClosed}
	case err != nil:
		st := status(s.receiver, StateFailed)
		st.State, st.Err = StateFailed, err
		return st
	}
	return status(s.receiver, StateConnected)
}

// Recv returns the next record without dispatching it. It blocks as long as ctx
// allows; with a ctx that is done already it polls: it returns a record that is
// at hand, or the error of ctx. After the last record of a closed subscriber
// the error is [ErrClosed].
func (s *Subscriber) Recv(ctx context.Context) (*core.Record, error) {
	r, m, err := s.next(ctx)
	if err != nil {
		return nil, err
	}
	m.done(nil)
	return r, nil
}

// DispatchOnce receives one record, waiting as [Subscriber.Recv] does, and
// dispatches it to the handlers on the stack of ctx. The error says that nothing was
// received, or is what [core.Dispatch] returns.
func (s *Subscriber) DispatchOnce(ctx context.Context) error {
	r, m, err := s.next(ctx)
	if err != nil {
		return err
	}
	ctx, release := s.draining(ctx)
	defer release()
	return s.dispatch(ctx, r, &m)
}

// DispatchForever receives records and dispatches them to the handlers on the
// stack of ctx until ctx is done, and then returns the error of ctx. Records that
// were received by then are dispatched nevertheless, with a context that ends
// the drain timeout later.
//
// It returns nil when the subscriber was closed or drained, and otherwise the
// error that ended the receiver. Errors of handlers do not end it.
func (s *Subscriber) DispatchForever(ctx context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return s.loop(ctx)
}

// loop is DispatchForever between enter and leave.
func (s *Subscriber) loop(ctx context.Context) error {
	work, release := s.draining(ctx)
	defer release()
	buf := make([]Message, s.opts.BatchSize)
	for ctx.Err() == nil {
		n, err := s.receive(ctx, buf)
		switch {
		case errors.Is(err, ErrClosed):
			return nil
		case err != nil:
			return err
		}
		s.dispatchAll(work, buf[:n])
	}
	return ctx.Err()
}

// dispatchAll decodes and dispatches messages and lets go of them.
func (s *Subscriber) dispatchAll(ctx context.Context, messages []Message) {
	at := time.Now().UTC()
	for i := range messages {
		m := &messages[i]
		if r := s.decode(m, at); r != nil {
			_ = s.dispatch(ctx, r, m) // counted, and raised to who bound the flags
		}
		*m = Message{}
	}
}

// dispatch hands r to the handlers and acknowledges its message.
func (s *Subscriber) dispatch(ctx context.Context, r *core.Record, m *Message) error {
	err := core.Dispatch(ctx, r)
	s.count.dispatched.Add(1)
	if err != nil {
		s.count.failed.Add(1)
	}
	m.done(err)
	return err
}

// next returns the next record with its message, skipping what is none.
func (s *Subscriber) next(ctx context.Context) (*core.Record, Message, error) {
	for {
		var one [1]Message
		if _, err := s.receive(ctx, one[:]); err != nil {
			return nil, Message{}, err
		}
		if r := s.decode(&one[0], time.Now().UTC()); r != nil {
			return r, one[0], nil
		}
	}
}

// receive fills buf with messages: what an earlier call left, or new ones.
func (s *Subscriber) receive(ctx context.Context, buf []Message) (int, error) {
	if err := s.take(ctx); err != nil {
		return 0, err
	}
	defer func() { <-s.turn }()
	if n := s.takePending(buf); n > 0 {
		return n, nil
	}
	target := buf
	if len(buf) < s.opts.BatchSize { // one at a time: receive more and keep the rest
		if s.buf == nil {
			s.buf = make([]Message, s.opts.BatchSize)
		}
		target = s.buf
	}
	n, err := s.receiver.Receive(ctx, target)
	if err != nil {
		return 0, s.ended(ctx, err)
	}
	s.counted(target[:n])
	if len(buf) >= s.opts.BatchSize {
		return n, nil
	}
	s.pending = target[:n]
	return s.takePending(buf), nil
}

// takePending moves what is pending to buf. The turn is held.
func (s *Subscriber) takePending(buf []Message) int {
	n := copy(buf, s.pending)
	clear(s.pending[:n])
	s.pending = s.pending[n:]
	return n
}

// left stores in buf what an earlier call left, without receiving.
func (s *Subscriber) left(buf []Message) int {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	return s.takePending(buf)
}

// take waits for the turn to receive.
func (s *Subscriber) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Subscriber) counted(messages []Message) {
	size := 0
	for i := range messages {
		size += len(messages[i].Body)
	}
	s.count.received.Add(uint64(len(messages)))
	s.count.bytes.Add(uint64(size))
}

// ended remembers an error that ends the receiver for good.
func (s *Subscriber) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) || errors.Is(err, ErrClosed) {
		return err
	}
	err = fmt.Errorf("receive from %s: %w", s.opts.Name, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	return err
}

// draining returns a context with the values of ctx that ends the drain
// timeout after ctx.
func (s *Subscriber) draining(ctx context.Context) (work context.Context, release func()) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(s.opts.DrainTimeout, cancel) })
	return core.Flatten(work), func() { stop(); cancel() }
}

func (s *Subscriber) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.loops++
	return nil
}

func (s *Subscriber) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loops--
	if s.loops == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// Close stops accepting messages, waits until the running DispatchForever and
// DispatchInBackground have dispatched what was accepted, or the drain timeout
// is over, and closes the receiver. It must not be called by a handler that
// this subscriber dispatches to. Further calls do nothing.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()

	deadline, cancel := context.WithTimeout(context.Background(), s.opts.DrainTimeout)
	defer cancel()
	if d, ok := s.receiver.(Drainer); ok {
		d.Drain()
		s.wait(deadline)
	}
	err := s.receiver.Close()
	s.wait(deadline)
	if err != nil {
		return fmt.Errorf("close %s: %w", s.opts.Name, err)
	}
	return nil
}

// wait waits until no DispatchForever runs.
func (s *Subscriber) wait(ctx context.Context) {
	s.mu.Lock()
	if s.loops == 0 {
		s.mu.Unlock()
		return
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}
