// Package desktop shows notifications on systems that have no D-Bus: macOS and
// Windows. It cannot update what it has shown: a count is one more notification,
// without a sound.
//
// On Windows it shows toasts, with buttons, and tells about clicks while the program
// runs, through git.sr.ht/~jackmordaunt/go-toast. On macOS it goes through
// github.com/gen2brain/beeep, which runs a program of the system that tells nothing:
// the center that does, UNUserNotificationCenter, wants a signed bundle and a C
// compiler. The alerts are in the tray's menu there.
package desktop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// DefaultAppName is the name of the program that notifications bear unless told
// otherwise.
const DefaultAppName = "logbook-tray"

// maxBody is how many characters of a body are shown: what these systems show
// at most.
const maxBody = 250

// Options are the settings of a [Notifier]. The zero value is useful.
type Options struct {
	// AppName is the name of the program; "" means DefaultAppName. It is the same
	// for all notifiers of a process: the last one made sets it.
	AppName string
	// Icon is a PNG; nil for none.
	Icon []byte
	// OnAction, if not nil, is called when the user clicks on a notification or one of
	// its buttons, on Windows alone. It is the same for all notifiers of a process: the
	// last one made sets it. It must return soon.
	OnAction func(notifiers.Activation)
}

// errClosed is the error of a notifier that was closed.
var errClosed = errors.New("the notifier is closed")

// Notifier shows notifications through the system's own programs and
// interfaces. All methods are safe for concurrent use. It must be closed.
type Notifier struct {
	system string
	push   func(*message) error // for tests

	turn    chan struct{} // holds a token while nothing is being shown
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

var (
	_ notifiers.Notifier = (*Notifier)(nil)
	_ io.Closer          = (*Notifier)(nil)
)

// New returns a notifier.
func New(o Options) *Notifier {
	if o.AppName == "" {
		o.AppName = DefaultAppName
	}
	n := &Notifier{system: runtime.GOOS, push: newPush(&o), turn: make(chan struct{}, 1)}
	n.turn <- struct{}{}
	return n
}

// Notify shows a notification. What the system has been told when ctx ends may still
// be shown after Notify has returned.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	select {
	case <-n.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	m := &message{
		id: of.ID, title: harmless(n.system, of.Title), body: harmless(n.system, of.Text(maxBody)),
		level: of.Level, actions: of.Actions,
		loud: of.Level >= core.LevelError && of.Count <= 1 && !of.Sound.Silent && of.Sound.File == "",
	}
	result := make(chan error, 1)
	ok := n.start(func() {
		defer func() { n.turn <- struct{}{} }()
		result <- n.push(m)
	})
	if !ok {
		n.turn <- struct{}{}
		return errClosed
	}
	select {
	case err := <-result:
		if err != nil {
			return fmt.Errorf("show on the desktop: %w", err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start runs f in a goroutine that Close waits for, unless closed.
func (n *Notifier) start(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.running.Go(f)
	return true
}

// Close waits for what is being shown.
func (n *Notifier) Close() error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.running.Wait()
	return nil
}

// harmless takes out of a text what the ways to the desktop do not quote.
func harmless(system, s string) string {
	s = display.Clean(s)
	if system == "darwin" {
		return forMacOS(s)
	}
	return s // on Windows it is quoted
}
