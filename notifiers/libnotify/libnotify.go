package libnotify

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/notifiers"
)

// Notifier shows notifications through the desktop's notification service. It
// connects to the bus when the first one is to be shown, and again when the
// connection was lost. All methods are safe for concurrent use. It must be
// closed.
type Notifier struct {
	opts  Options
	image *pixels
	turn  chan struct{} // holds a token while nobody calls the service; guards the next five

	link    *link
	retryAt time.Time // of the next attempt to connect
	delay   time.Duration
	dialErr error // of the last attempt
	closed  bool

	life context.Context //nolint:containedctx // ends with Close
	end  context.CancelFunc
	late sync.WaitGroup // shows what was missed

	memory sync.Mutex // serializes the calls of Options.Memory; taken before mu

	mu      sync.Mutex // guards what follows; never held while calling out
	service *service   // nil if it is to be asked
	shown   shown
	missed  []notifiers.Notification // failed since there was no service
	err     error                    // of the last notification
}

var (
	_ notifiers.Notifier  = (*Notifier)(nil)
	_ notifiers.Dismisser = (*Notifier)(nil)
	_ io.Closer           = (*Notifier)(nil)
)

// errClosed is the error of a notifier that was closed.
var errClosed = errors.New("the notifier is closed")

// New returns a notifier. It does not connect yet.
func New(o Options) *Notifier {
	n := &Notifier{opts: o.withDefaults(), image: newPixels(o.Image), turn: make(chan struct{}, 1)}
	n.life, n.end = context.WithCancel(context.Background())
	n.turn <- struct{}{}
	return n
}

// Notify shows a notification or updates the one with the same ID. When the service
// shows as many as it can, the oldest of ours makes room.
//
// Errors wrap [ErrNoBus] and [ErrNoService]. A notification that fails for want of a
// service is shown when one appears, if it is among the last few.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	if err := n.take(ctx); err != nil {
		return err
	}
	err := n.show(ctx, &of)
	n.give()
	n.settle(&of, err)
	return err
}

// Connect connects to the bus and learns about the service, without showing
// anything. It is for the start of a program: to see early whether notifications
// work, and to hear of clicks on those of an earlier run. The errors are those
// of Notify.
func (n *Notifier) Connect(ctx context.Context) error {
	if err := n.take(ctx); err != nil {
		return err
	}
	defer n.give()
	l, err := n.connect(ctx)
	if err != nil {
		return err
	}
	_, err = n.ask(ctx, l)
	return err
}

// Dismiss takes the notification with this ID off the screen.
func (n *Notifier) Dismiss(ctx context.Context, id uint64) error {
	n.mu.Lock()
	number := n.shown.number(id)
	n.mu.Unlock()
	if number == 0 {
		return nil
	}
	if err := n.take(ctx); err != nil {
		return err
	}
	defer n.give()
	if n.link == nil || !n.link.alive() {
		return nil // and with the bus went what was shown
	}
	return n.link.closeNotification(ctx, number)
}

// Status says how the notifier is doing.
func (n *Notifier) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := Status{Shown: len(n.shown.entries), Err: n.err}
	if n.service != nil {
		s.Server, s.Capabilities = n.service.name, slices.Clone(n.service.capabilities)
	}
	return s
}

// PlaysSounds reports whether the service that showed the last notification plays
// sounds.
func (n *Notifier) PlaysSounds() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.service != nil && n.service.can("sound")
}

// Close ends the connection. What is on the screen stays there.
func (n *Notifier) Close() error {
	n.end()
	<-n.turn
	n.closed = true
	l := n.link
	n.link = nil
	n.give()
	var err error
	if l != nil {
		err = l.close()
	}
	n.late.Wait() // nobody starts it once the goroutine of the link has ended
	return err
}

// take waits for the right to call the service.
func (n *Notifier) take(ctx context.Context) error {
	select {
	case <-n.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Notifier) give() { n.turn <- struct{}{} }

// connect returns the connection, a new one if need be. n.turn is held.
func (n *Notifier) connect(ctx context.Context) (*link, error) {
	switch {
	case n.closed:
		return nil, errClosed
	case n.link != nil && n.link.alive():
		return n.link, nil
	case n.link != nil:
		<-n.link.done
		n.link = nil
		n.reset()
	case time.Now().Before(n.retryAt):
		return nil, n.dialErr
	}
	l, err := dial(ctx, n.opts.Address, n.signal)
	if err != nil {
		n.delay = min(max(2*n.delay, firstDelay), maxDelay)
		n.retryAt, n.dialErr = time.Now().Add(n.delay), err
		return nil, err
	}
	n.link, n.delay, n.retryAt = l, 0, time.Time{}
	return l, nil
}

// reset forgets what is on the screen: the service is another one, or gone.
func (n *Notifier) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.service = nil
	n.shown.clear()
}

// show calls the service. n.turn is held.
func (n *Notifier) show(ctx context.Context, of *notifiers.Notification) error {
	l, err := n.connect(ctx)
	if err != nil {
		return err
	}
	s, err := n.ask(ctx, l)
	if err != nil {
		return err
	}
	err = n.send(ctx, l, s, of)
	if isTooMany(err) && n.makeRoom(ctx, l, of.ID) {
		err = n.send(ctx, l, s, of)
	}
	return err
}

// ask returns what the service can do.
func (n *Notifier) ask(ctx context.Context, l *link) (*service, error) {
	n.mu.Lock()
	s := n.service
	n.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := l.service(ctx)
	if err != nil {
		return nil, err
	}
	n.recall(s)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.service = s
	return s, nil
}

func (n *Notifier) send(ctx context.Context, l *link, s *service, of *notifiers.Notification) error {
	n.mu.Lock()
	m := n.compose(of, s, n.shown.number(of.ID))
	n.shown.begin()
	n.mu.Unlock()

	number, err := l.notify(ctx, &m)

	n.mu.Lock()
	if err == nil {
		n.shown.add(of.ID, number)
	}
	early := n.shown.end(number)
	n.mu.Unlock()
	n.remember()
	for _, e := range early {
		n.happened(l, e)
	}
	return err
}

// makeRoom closes the oldest of our notifications other than id, and reports
// whether there was one.
func (n *Notifier) makeRoom(ctx context.Context, l *link, id uint64) bool {
	n.mu.Lock()
	i := slices.IndexFunc(n.shown.entries, func(e onScreen) bool { return e.id != id })
	if i < 0 {
		n.mu.Unlock()
		return false
	}
	oldest := n.shown.entries[i].number
	n.shown.remove(oldest)
	n.mu.Unlock()
	return l.closeNotification(ctx, oldest) == nil
}

// missedMax is how many notifications wait for a service to appear.
const missedMax = 5

// settle notes how a notification went, and tells about changes.
func (n *Notifier) settle(of *notifiers.Notification, err error) {
	n.mu.Lock()
	before := n.err
	n.err = err
	n.missed = slices.DeleteFunc(n.missed, func(m notifiers.Notification) bool { return m.ID == of.ID })
	if errors.Is(err, ErrNoService) {
		if len(n.missed) == missedMax {
			n.missed = slices.Delete(n.missed, 0, 1)
		}
		n.missed = append(n.missed, *of)
	}
	n.mu.Unlock()
	changed := (before == nil) != (err == nil) || err != nil && before.Error() != err.Error()
	if changed && n.opts.OnState != nil {
		n.opts.OnState(err)
	}
}
