package handler

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/logbook-tray/logbook-tray/core"
)

// Defaults of [FingersCrossedOptions].
const (
	DefaultBufferSize = 200
	DefaultMaxKeys    = 1000
	DefaultMaxBytes   = 64 << 20
)

// FingersCrossedOptions says what [NewFingersCrossed] makes. Handler or Factory must
// be set; every other zero value is a default.
type FingersCrossedOptions struct {
	// Handler gets the records once a severe one came.
	Handler core.Handler
	// Factory makes the handler instead, when the first severe record of a key
	// came. It is given that record and all that was buffered, oldest first and
	// the severe one last. What it makes is kept for the key, and closed with the
	// FingersCrossed or when the key makes way for others. When it fails, the
	// records stay buffered and the next severe one tries again.
	Factory func(trigger *core.Record, buffered []*core.Record) (core.Handler, error)
	// ActionLevel is the level that sets the buffer free; the default is
	// [core.LevelError].
	ActionLevel core.Level
	// BufferSize is how many records are held for each key, the severe one
	// included; the oldest make way. 0 is [DefaultBufferSize], and a negative
	// number bounds them by MaxBytes alone. (Logbook: 0 is no bound.)
	BufferSize int
	// Key sorts the records into buffers that do not affect each other. The
	// default is [DefaultKey]; [SingleKey] gives Logbook's one buffer.
	Key func(*core.Record) string
	// MaxKeys bounds the number of buffers; the default is [DefaultMaxKeys]. The
	// buffer that was not used for longest makes way.
	MaxKeys int
	// MaxBytes bounds the memory of all buffers together, by estimate; the
	// default is [DefaultMaxBytes]. The buffers that were not used for longest
	// make way.
	MaxBytes int64
	// PullInformation set to [core.Off] holds records as they are and finds
	// out the place in the source only when they are set free. That is
	// faster, and right only where the program does not change the arguments and
	// extra values that it logged.
	PullInformation core.Switch
	// Reset makes a key start to buffer again as soon as its records were
	// handed on. Without it, further records of the key pass straight on.
	Reset bool
	// Reason is given with the batch; the default is [core.BatchEscalation].
	Reason core.BatchReason
}

// FingersCrossed holds records back until a severe one comes, and then hands all of
// them on as one batch, the severe one last: the debug records are there when
// something went wrong, and nowhere otherwise. It is Logbook's
// FingersCrossedHandler, with a buffer for each key.
//
// The level, filter and bubbling of the handler it wraps do not matter, only
// those of its own binding. When the wrapped handler fails, what it did not take
// goes back into the buffer, and is handed on with the next severe record or by
// [FingersCrossed.Flush].
//
// All methods are safe for concurrent use. Two severe records logged at the same
// moment make two batches, in either order.
type FingersCrossed struct {
	o FingersCrossedOptions

	mu      sync.Mutex // guards what follows; never held while calling out
	keys    map[string]*crossedKey
	newest  *crossedKey // ends of the list by time of use
	oldest  *crossedKey
	records int
	bytes   int64

	escalations atomic.Uint64
	discarded   atomic.Uint64
}

var (
	_ core.Handler = (*FingersCrossed)(nil)
	_ core.Flusher = (*FingersCrossed)(nil)
)

// crossedKey is the state of one key. All but making and made belongs to
// FingersCrossed.mu.
type crossedKey struct {
	key          string
	records      []held
	bytes        int64
	triggered    bool
	undelivered  bool // a batch came back
	newer, older *crossedKey

	making sync.Mutex // serializes the factory, guards made
	made   core.Handler
}

type held struct {
	record *core.Record
	size   int64
}

// NewFingersCrossed returns a handler that waits for a severe record. It panics
// if neither a handler nor a factory is given.
func NewFingersCrossed(o FingersCrossedOptions) *FingersCrossed {
	if o.Handler == nil && o.Factory == nil {
		panic("handler: fingers crossed without a handler to hand on to")
	}
	if o.ActionLevel == core.LevelNotSet {
		o.ActionLevel = core.LevelError
	}
	if o.BufferSize == 0 {
		o.BufferSize = DefaultBufferSize
	}
	if o.MaxKeys <= 0 {
		o.MaxKeys = DefaultMaxKeys
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Reason == "" {
		o.Reason = core.BatchEscalation
	}
	return &FingersCrossed{o: o, keys: map[string]*crossedKey{}}
}

// Handle buffers r, hands the buffer on if r is severe, or passes r on if that has
// happened for its key before.
func (f *FingersCrossed) Handle(ctx context.Context, r *core.Record) error {
	var room [128]byte
	key := f.appendKey(room[:0], r)
	if k := f.free(key); k != nil {
		return f.pass(ctx, k, r)
	}
	kept := r
	if f.o.PullInformation != core.Off {
		kept = r.Keep()
	}
	entry := held{kept, recordSize(kept)}

	f.mu.Lock()
	k := f.use(key)
	var gone []*crossedKey
	var batch []held
	passOn := k.triggered // since we looked
	if !passOn {
		gone = f.add(k, entry)
		if r.Level >= f.o.ActionLevel {
			batch = f.take(k)
			// A handler that is there can pass records on at once; one that
			// has yet to be made cannot.
			k.triggered = !f.o.Reset && f.o.Factory == nil
		}
	}
	f.mu.Unlock()

	err := closeKeys(gone)
	switch {
	case passOn:
		return errors.Join(err, f.pass(ctx, k, r))
	case len(batch) > 0:
		return errors.Join(err, f.escalate(ctx, k, batch))
	}
	return err
}

// escalate hands a batch on, and keeps what could not be delivered.
func (f *FingersCrossed) escalate(ctx context.Context, k *crossedKey, batch []held) error {
	h, err := f.target(k, batch)
	if err != nil {
		return errors.Join(err, f.putBack(k, batch))
	}
	var late []held
	if !f.o.Reset && f.o.Factory != nil {
		f.mu.Lock()
		k.triggered = true
		late = f.take(k) // came while the handler was being made
		f.mu.Unlock()
	}
	failed, err := deliver(ctx, h, batch, f.o.Reason)
	if err != nil {
		return errors.Join(err, f.putBack(k, append(failed, late...)))
	}
	f.escalations.Add(1)
	failed, err = deliverEach(ctx, h, late)
	return errors.Join(err, f.putBack(k, failed), f.closeForgotten(k))
}

// target returns the handler of k and makes it if need be.
func (f *FingersCrossed) target(k *crossedKey, batch []held) (core.Handler, error) {
	if f.o.Factory == nil {
		return f.o.Handler, nil
	}
	k.making.Lock()
	defer k.making.Unlock()
	if k.made != nil {
		return k.made, nil
	}
	h, err := f.o.Factory(batch[len(batch)-1].record, recordsOf(batch))
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, errors.New("the factory of a fingers crossed handler made no handler")
	}
	k.made = h
	return h, nil
}

// pass hands a record of a key that was set free straight on.
func (f *FingersCrossed) pass(ctx context.Context, k *crossedKey, r *core.Record) error {
	h := f.o.Handler
	if f.o.Factory != nil {
		if h = k.handler(); h == nil { // closed
			return ErrClosed
		}
	}
	return h.Handle(ctx, r)
}

// deliver hands a batch to h. It returns the records that were not taken, as far
// as that can be told: of a handler that takes batches, all or none.
func deliver(ctx context.Context, h core.Handler, batch []held, why core.BatchReason) (failed []held, err error) {
	if _, ok := h.(core.BatchHandler); !ok {
		return deliverEach(ctx, h, batch)
	}
	if err := core.HandleBatch(ctx, h, recordsOf(batch), why); err != nil && !errors.Is(err, core.ErrPass) {
		return batch, err
	}
	return nil, nil
}

func deliverEach(ctx context.Context, h core.Handler, batch []held) (failed []held, err error) {
	var errs []error
	for _, e := range batch {
		if err := h.Handle(ctx, e.record); err != nil && !errors.Is(err, core.ErrPass) {
			errs, failed = append(errs, err), append(failed, e)
		}
	}
	return failed, errors.Join(errs...)
}

// Flush hands on again what the wrapped handler has failed to take, and flushes
// it. What is buffered stays: no severe record has come yet.
func (f *FingersCrossed) Flush(ctx context.Context) error {
	var errs []error
	for _, k := range f.all() {
		f.mu.Lock()
		batch := f.takeUndelivered(k)
		f.mu.Unlock()
		if len(batch) > 0 {
			errs = append(errs, f.escalate(ctx, k, batch))
		}
		if h := k.handler(); h != nil {
			errs = append(errs, core.Flush(ctx, h))
		}
	}
	if f.o.Handler != nil {
		errs = append(errs, core.Flush(ctx, f.o.Handler))
	}
	return errors.Join(errs...)
}

// Close closes the wrapped handler and those that the factory has made. What is
// still buffered is discarded, as nothing severe has happened.
func (f *FingersCrossed) Close() error {
	err := closeKeys(f.all())
	if f.o.Handler != nil {
		err = errors.Join(err, core.Close(f.o.Handler))
	}
	return err
}

func (k *crossedKey) handler() core.Handler {
	k.making.Lock()
	defer k.making.Unlock()
	return k.made
}

// closeKeys closes the handlers that were made for keys that are gone.
func closeKeys(keys []*crossedKey) error {
	var errs []error
	for _, k := range keys {
		k.making.Lock()
		h := k.made
		k.made = nil
		k.making.Unlock()
		if h != nil {
			errs = append(errs, core.Close(h))
		}
	}
	return errors.Join(errs...)
}

// closeForgotten closes the handler of a key that made way for others while
// the handler was being made.
func (f *FingersCrossed) closeForgotten(k *crossedKey) error {
	f.mu.Lock()
	forgotten := f.keys[k.key] != k
	f.mu.Unlock()
	if !forgotten {
		return nil
	}
	return closeKeys([]*crossedKey{k})
}
