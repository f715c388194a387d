package sound

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// DefaultBurst is how far apart notifications may be to count as one burst.
const DefaultBurst = 10 * time.Second

// Options are the settings of a [Notifier].
type Options struct {
	// Files returns what is played. It is called once, when there is something to play.
	Files func() (Files, error)
	// Burst is how far apart notifications may be to count as one burst, which has one
	// sound, unless it gets worse; 0 means DefaultBurst, less than 0 that each
	// notification has its own.
	Burst time.Duration
	// Quiet, if not nil, is asked before a sound is played whether its notification
	// makes none just now.
	Quiet func(*notifiers.Notification) bool
	// OnError, if not nil, is told about sounds that could not be played. It is
	// called by the notifier's goroutine.
	OnError func(error)
}

// Notifier plays sounds. Notify does not wait for them; one is played at a time, by a
// goroutine that Close ends. It is safe for concurrent use.
type Notifier struct {
	opts Options
	play func(ctx context.Context, path string) error
	wake chan struct{}

	life context.Context //nolint:containedctx // ends with Close
	end  context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	last    time.Time               // when the burst went on
	worst   core.Level              // the rank of the worst in it
	waiting *notifiers.Notification // is to be heard next; nil for none
}

var (
	_ notifiers.Notifier = (*Notifier)(nil)
	_ io.Closer          = (*Notifier)(nil)
)

// New returns a notifier that plays through what this system has. The error wraps
// [ErrNoPlayer] if there is nothing, and says what to install.
func New(o Options) (*Notifier, error) {
	play, err := player()
	if err != nil {
		return nil, err
	}
	return start(o, play), nil
}

// start returns a notifier that plays through a function.
func start(o Options, play func(context.Context, string) error) *Notifier {
	if o.Burst == 0 {
		o.Burst = DefaultBurst
	}
	o.Files = sync.OnceValues(o.Files)
	n := &Notifier{opts: o, play: play, wake: make(chan struct{}, 1), done: make(chan struct{})}
	n.life, n.end = context.WithCancel(context.Background())
	go n.run()
	return n
}

// Notify has a sound played for a notification, unless it is less than a warning. The updates of one, digests, and what
// comes in the burst of another that was no less severe are not heard.
func (n *Notifier) Notify(_ context.Context, of notifiers.Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life.Err() != nil {
		return errors.New("the player is closed")
	}
	if of.Level < core.LevelWarning || of.Note != "" || of.Digest {
		return nil
	}
	now := time.Now()
	goesOn := now.Sub(n.last) < n.opts.Burst
	n.last = now
	if goesOn && rank(of.Level) <= n.worst {
		return nil
	}
	n.worst, n.waiting = rank(of.Level), &of
	select {
	case n.wake <- struct{}{}:
	default:
	}
	return nil
}

// rank returns the level that a sound stands for.
func rank(l core.Level) core.Level {
	return max(core.LevelWarning, min(l, core.LevelCritical))
}

// Close ends the sound that is being played and the notifier's goroutine.
func (n *Notifier) Close() error {
	n.end()
	<-n.done
	return nil
}

func (n *Notifier) run() {
	defer close(n.done)
	for {
		select {
		case <-n.life.Done():
			return
		case <-n.wake:
		}
		n.mu.Lock()
		of := n.waiting
		n.waiting = nil
		n.mu.Unlock()
		if of == nil || n.opts.Quiet != nil && n.opts.Quiet(of) {
			continue
		}
		if err := n.sound(of.Level); err != nil && n.life.Err() == nil && n.opts.OnError != nil {
			n.opts.OnError(err)
		}
	}
}

// sound plays the sound of a level.
func (n *Notifier) sound(l core.Level) error {
	files, err := n.opts.Files()
	if err != nil {
		return err
	}
	path := files.For(l)
	if path == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(n.life, playTime)
	defer cancel()
	return n.play(ctx, path)
}
