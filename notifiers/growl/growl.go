// Package growl shows notifications through Growl and what speaks its protocol, GNTP
// 1.0, such as Growl for Windows and Snarl: Logbook's GrowlHandler.
package growl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// The defaults of [Options].
const (
	DefaultAppName = "logbook-tray"
	DefaultAddress = "127.0.0.1:23053"
)

// How many characters of a title and a text are sent. The protocol names no limit.
const (
	maxTitle = 250
	maxText  = 2000
)

// maxWaiting is how many notifications may wait for what the user does with them.
const maxWaiting = 32

// Options are the settings of a [Notifier]. The zero value is useful.
type Options struct {
	// AppName is the name of the program; "" means DefaultAppName.
	AppName string
	// Address is the host and port of the service; "" means DefaultAddress.
	Address string
	// Password is the one that the service asks for; "" for none.
	Password string
	// Encrypt hides what is sent, with AES. It needs a Password.
	Encrypt bool
	// Icon is a PNG; nil for none.
	Icon []byte
	// OnAction, if not nil, is called when the user clicks on a notification, and
	// OnDismiss when it is closed. They are called by goroutines of the notifier,
	// which Close waits for.
	OnAction  func(notifiers.Activation)
	OnDismiss func(id uint64)
}

// Notifier shows notifications through GNTP. It registers with the service before the
// first one, and again when the service has forgotten it. It is safe for concurrent
// use, and must be closed.
type Notifier struct {
	opts Options

	mu         sync.Mutex
	registered bool
	closed     bool
	waiting    map[*session]struct{} // for callbacks
	readers    sync.WaitGroup
}

var (
	_ notifiers.Notifier = (*Notifier)(nil)
	_ io.Closer          = (*Notifier)(nil)
)

// New returns a notifier. The error says which option is wrong.
func New(o Options) (*Notifier, error) {
	if o.AppName == "" {
		o.AppName = DefaultAppName
	}
	if o.Address == "" {
		o.Address = DefaultAddress
	}
	if _, _, err := net.SplitHostPort(o.Address); err != nil {
		return nil, fmt.Errorf("growl: address: %w", err)
	}
	if o.Encrypt && o.Password == "" {
		return nil, errors.New("growl: encryption needs a password")
	}
	return &Notifier{opts: o, waiting: make(map[*session]struct{})}, nil
}

// Notify shows a notification. One with the same ID is replaced where the service can
// do so.
func (n *Notifier) Notify(ctx context.Context, of notifiers.Notification) error {
	n.mu.Lock()
	registered, closed := n.registered, n.closed
	n.mu.Unlock()
	if closed {
		return errors.New("growl: the notifier is closed")
	}
	if registered {
		err := n.send(ctx, &of)
		if !isUnknown(err) {
			return wrap(err)
		}
	}
	if err := n.register(ctx); err != nil {
		return wrap(err)
	}
	return wrap(n.send(ctx, &of))
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("growl: %w", err)
}

// Close ends the connections that wait for the user. What is shown stays.
func (n *Notifier) Close() error {
	n.mu.Lock()
	n.closed = true
	for conn := range n.waiting {
		_ = conn.Close() // ends its reader
	}
	n.mu.Unlock()
	n.readers.Wait()
	return nil
}

func (n *Notifier) register(ctx context.Context) error {
	m := message{kind: "REGISTER"}
	m.add("Application-Name", n.opts.AppName)
	if n.opts.Icon != nil {
		m.addResource("Application-Icon", n.opts.Icon)
	}
	levels := append([]core.Level{core.LevelNotSet}, core.Levels()...)
	m.add("Notifications-Count", strconv.Itoa(len(levels)))
	for _, l := range levels {
		m.section()
		m.add("Notification-Name", l.Title())
		m.add("Notification-Enabled", "True")
	}
	conn, err := n.exchange(ctx, &m)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	_ = conn.Close() // the answer was read
	n.mu.Lock()
	n.registered = true
	n.mu.Unlock()
	return nil
}

// message makes the request for a notification.
func (n *Notifier) message(of *notifiers.Notification) *message {
	m := &message{kind: "NOTIFY"}
	id := strconv.FormatUint(of.ID, 10)
	m.add("Application-Name", n.opts.AppName)
	m.add("Notification-Name", name(of.Level))
	m.add("Notification-ID", id)
	m.add("Notification-Coalescing-ID", id)
	m.add("Notification-Title", display.Cut(of.Title, maxTitle))
	m.add("Notification-Text", of.Text(maxText))
	m.add("Notification-Sticky", sticky(of.Level))
	m.add("Notification-Priority", strconv.Itoa(priority(of.Level)))
	if n.callback() {
		m.add("Notification-Callback-Context", id)
		m.add("Notification-Callback-Context-Type", "alert")
	}
	return m
}

// callback reports whether anybody wants to know what the user does.
func (n *Notifier) callback() bool { return n.opts.OnAction != nil || n.opts.OnDismiss != nil }

func (n *Notifier) send(ctx context.Context, of *notifiers.Notification) error {
	conn, err := n.exchange(ctx, n.message(of))
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	if !n.callback() || !n.wait(conn, of.ID) {
		_ = conn.Close() // the answer was read
	}
	return nil
}

// name is the name of the kind of notification of a level.
func name(l core.Level) string {
	if _, ok := l.Name(); !ok {
		return core.LevelNotSet.Title()
	}
	return l.Title()
}

// sticky is Logbook's is_sticky.
func sticky(l core.Level) string {
	if l >= core.LevelError {
		return "True"
	}
	return "False"
}

// priority is Logbook's get_priority.
func priority(l core.Level) int {
	switch {
	case l >= core.LevelError:
		return 2
	case l >= core.LevelWarning:
		return 1
	}
	return 0
}

// exchange sends a message and reads the answer. The connection is open after it if
// there is no error.
func (n *Notifier) exchange(ctx context.Context, m *message) (*session, error) {
	var d net.Dialer
	dialed, err := d.DialContext(ctx, "tcp", n.opts.Address)
	if err != nil {
		return nil, err
	}
	conn := newSession(dialed)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = func() error {
		if _, err := conn.Write(m.encode(n.opts.Password, n.opts.Encrypt)); err != nil {
			return err
		}
		a, err := readAnswer(conn.in)
		if err != nil {
			return err
		}
		return a.err()
	}()
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close() // the other error is the one to tell
		return nil, err
	}
	return conn, nil
}

// wait reads what the user does with a notification, in a goroutine, and reports
// whether it does.
func (n *Notifier) wait(conn *session, id uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || len(n.waiting) >= maxWaiting {
		return false
	}
	n.waiting[conn] = struct{}{}
	n.readers.Go(func() {
		a, err := readAnswer(conn.in)
		_ = conn.Close() // only one callback comes
		n.mu.Lock()
		delete(n.waiting, conn)
		n.mu.Unlock()
		if err != nil || a.kind != "-CALLBACK" {
			return
		}
		switch result := a.headers["Notification-Callback-Result"]; {
		case (result == "CLICKED" || result == "CLICK") && n.opts.OnAction != nil:
			n.opts.OnAction(notifiers.Activation{ID: id, Action: notifiers.ActionDefault})
		case (result == "CLOSED" || result == "CLOSE") && n.opts.OnDismiss != nil:
			n.opts.OnDismiss(id)
		}
	})
	return true
}
