package queue

import (
	"errors"
	"time"
)

// Full says what [Async] does with a record when its queue is full.
type Full uint8

const (
	// Block waits for room as long as the context of the record allows, and drops
	// the record then.
	Block Full = iota
	// DropNewest drops the record that does not fit.
	DropNewest
	// DropOldest drops what has been waiting longest, to make room.
	DropOldest
)

// The defaults of [AsyncOptions].
const (
	DefaultAsyncSize    = 1000
	DefaultCloseTimeout = 5 * time.Second
	DefaultRetryDelay   = time.Second
	MaxRetryDelay       = 30 * time.Second
)

// ErrDropped is wrapped by the errors of [Async] for records that it did not
// take.
var ErrDropped = errors.New("record dropped")

// AsyncOptions are the settings of an [Async]. The zero value is useful.
type AsyncOptions struct {
	// Size is how many records wait at most; 0 means DefaultAsyncSize. A batch
	// larger than that is taken when nothing else waits.
	Size int
	// Full says what happens when Size is reached.
	Full Full
	// Retries is how often the delivery of a record or batch that failed is tried
	// again, at first RetryDelay later, then twice that, up to MaxRetryDelay. An error that
	// says that it is permanent, by a method Permanent() bool, is not tried again.
	Retries int
	// RetryDelay is the first delay; 0 means DefaultRetryDelay.
	RetryDelay time.Duration
	// Batch, if it is more than 1, is how many records that wait may be delivered at once, as
	// one batch with the reason buffer. None waits for others.
	Batch int
	// OnError, if not nil, is told about each delivery that failed for good: the
	// error and the number of records that it cost. It is called by the goroutine
	// that delivers.
	OnError func(err error, records int)
	// CloseTimeout is how long Close waits for the records in the queue; 0
	// means DefaultCloseTimeout.
	CloseTimeout time.Duration
}

// AsyncState is the condition of a handler behind an [Async].
type AsyncState string

// The conditions of a handler.
const (
	AsyncOK       AsyncState = "ok"       // the last delivery succeeded, or there was none yet
	AsyncRetrying AsyncState = "retrying" // a delivery failed and is tried again
	AsyncFailing  AsyncState = "failing"  // the last delivery failed
)

// AsyncStats are the counters of an [Async], in records. Offered equals
// Delivered plus Failed plus Dropped plus Queued.
type AsyncStats struct {
	Offered   uint64
	Delivered uint64
	Failed    uint64 // the handler returned an error or panicked
	Dropped   uint64 // refused or pushed out when full, or left at the end of Close
	Queued    int    // waiting or being delivered
	State     AsyncState
	Err       error // of the delivery that failed last; nil if State is AsyncOK
	// Next is when it is tried again; zero unless State is AsyncRetrying. It is over
	// while that attempt is being made.
	Next time.Time
}
