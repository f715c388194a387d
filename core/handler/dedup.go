package handler

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// Defaults of [DedupOptions].
const (
	DefaultDedupFormat   = "message repeated {count} times: {message}"
	DefaultDedupMessages = 1000
)

// DedupOptions says what [NewDedup] makes.
type DedupOptions struct {
	// Handler gets the summary; nil gives it to what is on the stack when the
	// binding has ended, as Logbook does.
	Handler core.Handler
	// Format is the new message, made of {count} and {message}; the default is
	// [DefaultDedupFormat].
	Format string
	// MaxMessages is how many different messages are remembered; the default is
	// [DefaultDedupMessages]. Further ones are passed on as they are.
	MaxMessages int
}

// Dedup holds records back until its binding ends, and then delivers each
// message once, with the number of times it was logged. The order is that in
// which they first came. It is Logbook's DedupHandler. Records are the same if
// level, channel and message are. (Logbook: the message alone.)
type Dedup struct {
	o DedupOptions

	mu    sync.Mutex
	order []dedupKey
	seen  map[dedupKey]*repeated
}

var (
	_ core.Handler = (*Dedup)(nil)
	_ core.Flusher = (*Dedup)(nil)
)

type dedupKey struct {
	level            core.Level
	channel, message string
}

type repeated struct {
	record *core.Record
	count  int
}

// NewDedup returns a handler that remembers nothing yet.
func NewDedup(o DedupOptions) *Dedup {
	if o.Format == "" {
		o.Format = DefaultDedupFormat
	}
	if o.MaxMessages <= 0 {
		o.MaxMessages = DefaultDedupMessages
	}
	return &Dedup{o: o, seen: map[dedupKey]*repeated{}}
}

// Handle counts r.
func (d *Dedup) Handle(ctx context.Context, r *core.Record) error {
	if d.count(r) {
		return nil
	}
	if d.o.Handler != nil {
		return d.o.Handler.Handle(ctx, r)
	}
	return core.ErrPass
}

// Seen returns how often a record like r has come since the last summary, and whether there
// is room to remember a new one. It counts nothing.
func (d *Dedup) Seen(r *core.Record) (times int, room bool) {
	key := dedupKey{r.Level, r.Channel, r.Message()}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.seen[key]; e != nil {
		times = e.count
	}
	return times, len(d.order) < d.o.MaxMessages
}

func (d *Dedup) count(r *core.Record) bool {
	key := dedupKey{r.Level, r.Channel, r.Message()}
	d.mu.Lock()
	e := d.seen[key]
	if e != nil {
		e.count++
	}
	full := len(d.order) >= d.o.MaxMessages
	d.mu.Unlock()
	if e != nil || full {
		return e != nil
	}
	kept := r.Keep() // renders values: not under the lock
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.seen[key]; e != nil {
		e.count++
		return true
	}
	d.seen[key] = &repeated{kept, 1}
	d.order = append(d.order, key)
	return true
}

// Flush delivers the summary. Logbook: when the handler is popped.
func (d *Dedup) Flush(ctx context.Context) error {
	d.mu.Lock()
	order, seen := d.order, d.seen
	d.order, d.seen = nil, map[dedupKey]*repeated{}
	d.mu.Unlock()
	var errs []error
	for _, key := range order {
		e := seen[key]
		r := e.record.Clone()
		r.SetMessage(strings.NewReplacer("{count}", strconv.Itoa(e.count), "{message}", key.message).Replace(d.o.Format))
		r.Extra.Set("count", e.count)
		errs = append(errs, d.deliver(ctx, r))
	}
	if d.o.Handler != nil {
		errs = append(errs, core.Flush(ctx, d.o.Handler))
	}
	return errors.Join(errs...)
}

func (d *Dedup) deliver(ctx context.Context, r *core.Record) error {
	if d.o.Handler == nil {
		return core.Dispatch(ctx, r)
	}
	if err := d.o.Handler.Handle(ctx, r); !errors.Is(err, core.ErrPass) {
		return err
	}
	return nil
}

// Close delivers what is left to the handler that was given, and closes that.
// Without one, what is left is discarded, since there is no stack to give it to.
func (d *Dedup) Close() error {
	if d.o.Handler == nil {
		return nil
	}
	return errors.Join(d.Flush(context.Background()), core.Close(d.o.Handler))
}
