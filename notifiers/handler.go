package notifiers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

// The defaults of [Options].
const (
	DefaultTimeout = 10 * time.Second
	DefaultRenew   = time.Hour
)

// closeTime bounds what Close waits for: a service that is down must not hold up
// the end of the program for as long as a notification may take otherwise.
const closeTime = 5 * time.Second

// ErrClosed is returned by a [Handler] that was closed.
var ErrClosed = errors.New("notification handler is closed")

// Formatter makes a text of a record: it appends it to dst, without a newline at the
// end. Every formatter of core/format is one.
type Formatter interface {
	Append(dst []byte, r *core.Record) ([]byte, error)
}

// Muter decides whether a record is held back for the time being, and counts it if
// so. It is asked once for each record, concurrently.
type Muter interface {
	Hold(r *core.Record, fingerprint string) bool
}

// Options are the settings of a [Handler]. The zero value is useful.
type Options struct {
	// Limit says how often the same error may be shown.
	Limit limit.Options
	// Fingerprint says what the same error is; nil means [limit.Location].
	Fingerprint limit.Fingerprint
	// Alerts is where the alerts go; nil means a list of the handler's own. Several
	// handlers may share one.
	Alerts *alert.List
	// Mutes, if not nil, is asked before anything is shown. A record that it
	// holds back makes an alert all the same.
	Mutes Muter
	// Title and Text make the texts; nil means Logbook's: "channel: Level", and
	// the message.
	Title, Text Formatter
	// Actions are offered with each notification that has an alert; nil means
	// [DefaultActions].
	Actions []Action
	// Timeout bounds each call of the notifier; 0 means DefaultTimeout.
	Timeout time.Duration
	// Renew is how long an alert that nobody has looked at takes up repeats of the
	// same error; after so long without one, a new alert is made. 0 means
	// DefaultRenew. An alert that was seen takes them up within Limit.Delta.
	Renew time.Duration
	// OnError, if not nil, is told about notifications that fall due with time
	// and failed. It is called by the handler's goroutine.
	OnError func(error)
	// OnDelivery, if not nil, is told how each attempt to show an alert went: nil, or why
	// it was given up. Digests are not of one alert and are left out. It must not block,
	// and may be called concurrently.
	OnDelivery func(alert uint64, err error)
	// CloseNotifier makes Close close the notifier too, if it is an
	// [io.Closer].
	CloseNotifier bool
}

func (o Options) withDefaults() Options {
	if o.Fingerprint == nil {
		o.Fingerprint = limit.Location
	}
	if o.Alerts == nil {
		o.Alerts = alert.NewList(alert.Options{})
	}
	if o.Actions == nil {
		o.Actions = DefaultActions()
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Renew <= 0 {
		o.Renew = DefaultRenew
	}
	if o.Limit.Delta <= 0 {
		o.Limit.Delta = limit.DefaultDelta
	}
	return o
}

// Stats are the counters of a [Handler]. Records is the sum of Context, Muted, Shown,
// RolledUp, Digested and Held.
type Stats struct {
	Records  uint64 // records taken, those in batches too
	Context  uint64 // came in a batch as the context of another
	Muted    uint64 // held back by Options.Mutes
	Shown    uint64 // let through by the limiter
	RolledUp uint64 // held back, then counted by an update of their notification
	Digested uint64 // held back by the cap, then counted by a digest
	Held     uint64 // not counted by a notification yet

	Delivered uint64 // calls of the notifier that succeeded
	Failed    uint64 // calls of the notifier that failed
	Quiet     uint64 // updates left out since the user had seen the alert
}

// Handler shows records as notifications, Logbook's NotificationBaseHandler. The
// first record of a kind is shown at once, by the goroutine that calls
// Handle, which therefore may block as long as the notifier does: where that
// matters it runs behind a queue, without retries of the queue's own, since
// a record that comes twice counts twice. What falls due later is shown by a
// goroutine of the handler, which Close ends.
//
// A batch becomes one notification, and the alert has the batch as its context.
type Handler struct {
	notifier Notifier
	opts     Options
	limiter  *limit.Limiter
	turn     chan struct{} // holds a token while nobody calls the notifier

	digestID atomic.Uint64 // of the row of digests that is going on

	cancel context.CancelFunc
	ctx    context.Context //nolint:containedctx // lives as long as the handler
	done   chan struct{}
	giveUp context.CancelFunc // ends what the handler's goroutine is delivering

	closing  sync.Once
	closeErr error

	retry atomic.Pointer[Retry] // what is tried again just now; nil for nothing

	muted, context, delivered, failed, quiet atomic.Uint64
}

var (
	_ core.BatchHandler = (*Handler)(nil)
	_ core.Flusher      = (*Handler)(nil)
	_ io.Closer         = (*Handler)(nil)
)

// NewHandler returns a handler that shows records through n. It must be closed.
func NewHandler(n Notifier, o Options) *Handler {
	o = o.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	delivering, giveUp := context.WithCancel(context.Background())
	h := &Handler{
		notifier: n, opts: o, limiter: limit.New(o.Limit),
		turn: make(chan struct{}, 1), ctx: ctx, cancel: cancel, done: make(chan struct{}), giveUp: giveUp,
	}
	h.turn <- struct{}{}
	go func() {
		defer close(h.done)
		h.limiter.Run(ctx, func(e limit.Event) {
			if err := h.deliver(delivering, e); err != nil && o.OnError != nil {
				o.OnError(err)
			}
		})
	}()
	return h
}

// Alerts returns the list that the alerts go to.
func (h *Handler) Alerts() *alert.List { return h.opts.Alerts }

// Handle shows r, or counts it. The error is that of the notifier.
func (h *Handler) Handle(ctx context.Context, r *core.Record) error {
	if h.ctx.Err() != nil {
		return ErrClosed
	}
	r = r.Keep()
	return h.occur(ctx, r, h.hold(r), nil, "")
}

// HandleBatch shows one notification for an escalation, whose trigger is the last
// record, and for a group, of which the first is shown: those in the group that are the
// same error are counted as its repeats, the others are its context. The records of a
// buffer are shown one by one.
func (h *Handler) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	if len(rs) == 0 {
		return nil
	}
	if why == core.BatchBuffer {
		var errs []error
		for _, r := range rs {
			errs = append(errs, h.Handle(ctx, r))
		}
		return errors.Join(errs...)
	}
	kept := make([]*core.Record, len(rs))
	for i, r := range rs {
		kept[i] = r.Keep()
	}
	if h.ctx.Err() != nil {
		return ErrClosed
	}
	if why == core.BatchGroup {
		return h.group(ctx, kept)
	}
	h.context.Add(uint64(len(kept) - 1))
	trigger := kept[len(kept)-1]
	return h.occur(ctx, trigger, h.hold(trigger), kept, "")
}

// group shows the first of a group that is not muted, and counts those that are the same
// error; what is muted is an alert of its own.
func (h *Handler) group(ctx context.Context, kept []*core.Record) error {
	var errs []error
	shown := make([]*core.Record, 0, len(kept))
	for _, r := range kept {
		if h.hold(r) {
			errs = append(errs, h.occur(ctx, r, true, nil, ""))
			continue
		}
		shown = append(shown, r)
	}
	if len(shown) == 0 {
		return errors.Join(errs...)
	}
	more := ""
	if n := len(shown) - 1; n > 0 {
		more = fmt.Sprintf("\n(and %d more at the same time)", n)
	}
	errs = append(errs, h.occur(ctx, shown[0], false, shown, more))
	key := h.opts.Fingerprint(shown[0])
	for _, r := range shown[1:] {
		if h.opts.Fingerprint(r) == key {
			errs = append(errs, h.occur(ctx, r, false, nil, ""))
		} else {
			h.context.Add(1)
		}
	}
	return errors.Join(errs...)
}

// hold asks the mutes about a record, which they count.
func (h *Handler) hold(r *core.Record) bool {
	return h.opts.Mutes != nil && h.opts.Mutes.Hold(r, h.opts.Fingerprint(r))
}

// Preview is what a [Handler] would do with a record.
type Preview struct {
	// Fingerprint is what the record is told apart by.
	Fingerprint string
	// Mute is what would hold it back; nil if nothing would, or if Options.Mutes cannot
	// tell.
	Mute *mute.Mute
	// Limit is what the limiter would make of a record that is not muted, and Options
	// what it goes by.
	Limit   limit.Preview
	Options limit.Options
}

// Preview says what Handle would do with r if it came now. It changes and counts
// nothing.
func (h *Handler) Preview(r *core.Record) Preview {
	p := Preview{Fingerprint: h.opts.Fingerprint(r), Options: h.limiter.Options()}
	p.Limit = h.limiter.Preview(p.Fingerprint)
	s, ok := h.opts.Mutes.(interface {
		Holder(r *core.Record, fingerprint string) (mute.Mute, bool)
	})
	if !ok {
		return p
	}
	if m, held := s.Holder(r, p.Fingerprint); held {
		p.Mute = &m
	}
	return p
}

// occur counts a record that is kept and shows what is to be shown now. more is added to
// its text.
func (h *Handler) occur(ctx context.Context, r *core.Record, muted bool, batch []*core.Record, more string) error {
	key := h.opts.Fingerprint(r)
	title, body := h.texts(r)
	o := alert.Occurrence{
		Fingerprint: key, Record: r, Context: batch, Title: title, Body: body + more,
		Renew: h.opts.Renew, RenewSeen: h.opts.Limit.Delta, Muted: muted,
	}
	a, _ := h.opts.Alerts.Occur(o)
	if muted {
		h.muted.Add(1)
		return nil
	}
	var errs []error
	for _, e := range h.limiter.Offer(key, r, a.ID) {
		errs = append(errs, h.deliver(ctx, e))
	}
	return errors.Join(errs...)
}

// Flush shows the counts of everything that is held back.
func (h *Handler) Flush(ctx context.Context) error {
	var errs []error
	for _, e := range h.limiter.Flush() {
		errs = append(errs, h.deliver(ctx, e))
	}
	return errors.Join(errs...)
}

// Close shows the counts of everything that is held back and ends the handler's
// goroutine. What is not delivered after 5 s, or the timeout of one notification if
// that is less, is given up. Further calls return the same error.
func (h *Handler) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), min(h.opts.Timeout, closeTime))
	defer cancel()
	return h.Shutdown(ctx)
}

// Shutdown is Close with another limit of time.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.closing.Do(func() {
		defer context.AfterFunc(ctx, h.giveUp)()
		defer h.giveUp()
		h.cancel()
		<-h.done
		h.closeErr = h.Flush(ctx)
		if c, ok := h.notifier.(io.Closer); ok && h.opts.CloseNotifier {
			h.closeErr = errors.Join(h.closeErr, c.Close())
		}
	})
	return h.closeErr
}

// Stats returns the counters.
func (h *Handler) Stats() Stats {
	l := h.limiter.Stats()
	muted, context := h.muted.Load(), h.context.Load()
	return Stats{
		Records: l.Offered + muted + context, Context: context, Muted: muted,
		Shown: l.Shown, RolledUp: l.RolledUp, Digested: l.Digested, Held: l.Held,
		Delivered: h.delivered.Load(), Failed: h.failed.Load(), Quiet: h.quiet.Load(),
	}
}

// deliver calls the notifier for an event, one call at a time, and composes what it
// shows at the last moment, so that an older count never replaces a newer one.
func (h *Handler) deliver(ctx context.Context, e limit.Event) error {
	ctx, cancel := context.WithTimeout(ctx, h.opts.Timeout)
	defer cancel()
	select {
	case <-h.turn:
		defer func() { h.turn <- struct{}{} }()
	case <-ctx.Done():
		return h.count(e, ctx.Err())
	}
	n, ok := h.notification(e)
	if !ok {
		h.quiet.Add(1)
		return nil
	}
	err := h.notifier.Notify(withRetries(ctx, func(r Retry) { h.retry.Store(&r) }), n)
	h.retry.Store(nil)
	return h.count(e, err)
}

// count notes how a call of the notifier went.
func (h *Handler) count(e limit.Event, err error) error {
	if errors.Is(err, ErrPartly) { // to be said, but not to be tried again
		_ = h.count(e, nil)
		return fmt.Errorf("notify: %w", err)
	}
	if h.opts.OnDelivery != nil && e.Kind != limit.Digest {
		h.opts.OnDelivery(e.Alert, err)
	}
	if err == nil {
		h.delivered.Add(1)
		return nil
	}
	h.failed.Add(1)
	if e.Kind != limit.Digest {
		h.limiter.Failed(e.Key)
	}
	return fmt.Errorf("notify: %w", err)
}
