// Package desktop shows notifications on systems that have no D-Bus: macOS and
// Windows. It can neither update what it has shown nor tell about clicks; the
// alerts are in the tray's menu there. The one module it needs is
// github.com/gen2brain/beeep.
package desktop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/gen2brain/beeep"

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
}

// errClosed is the error of a notifier that was closed.
var errClosed = errors.New("the notifier is closed")

// Notifier shows notifications through the system's own programs and
// interfaces. All methods are safe for concurrent use. It must be closed.
type Notifier struct {
	icon   any
	system string
	push   func(title, body string, icon any, loud bool) error // for tests

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
	beeep.AppName = o.AppName
	n := &Notifier{icon: "", system: runtime.GOOS, push: push, turn: make(chan struct{}, 1)}
	if o.Icon != nil {
		n.icon = o.Icon
	}
	n.turn <- struct{}{}
	return n
}

// push shows a notification, with a sound if it is loud.
func push(title, body string, icon any, loud bool) error {
	if loud {
		return beeep.Alert(title, body, icon)
	}
	return beeep.Notify(title, body, icon)
}

// Notify shows a notification. What the system has been told when ctx ends may still
// be shown after Notify has returned.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	select {
	case <-n.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	title, body := harmless(n.system, of.Title), harmless(n.system, of.Text(maxBody))
	loud := of.Level >= core.LevelError && of.Count <= 1 && !of.Sound.Silent && of.Sound.File == ""
	result := make(chan error, 1)
	ok := n.start(func() {
		defer func() { n.turn <- struct{}{} }()
		result <- n.push(title, body, n.icon, loud)
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
	switch system {
	case "windows":
		return forWindows(s)
	case "darwin":
		return forMacOS(s)
	}
	return s
}
