package libnotify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

const (
	portalNotification = "org.freedesktop.portal.Notification"
	portalPrefix       = portalNotification + "."
	// portalID is what comes before the number of an alert in the ID of its notification.
	portalID = "alert-"
)

// ErrNoPortal is wrapped by the errors of a [Portal] on a desktop that has none for
// notifications.
var ErrNoPortal = errors.New("no notification portal on the session bus")

// Portal shows notifications from inside a sandbox such as Flatpak's, where the
// notification service itself cannot be reached, through org.freedesktop.portal.Notification.
//
// The portal can do less: it does not say that a notification was closed, so that
// OnDismiss is never called, and only its second version has sounds, transient
// notifications and tokens that raise a window. It has no numbers of its own, so that a
// click on a notification of an earlier run is understood without a Memory.
//
// All methods are safe for concurrent use. It must be closed.
type Portal struct {
	opts Options
	turn chan struct{} // holds a token while nobody calls the portal; guards the next six

	link    *link
	version uint32    // of the portal
	retryAt time.Time // of the next attempt to connect
	delay   time.Duration
	dialErr error // of the last attempt
	closed  bool

	mu  sync.Mutex      // guards what follows; never held while calling out
	err error           // of the last notification
	on  map[uint64]bool // the IDs of what may be on the screen
}

var (
	_ notifiers.Notifier  = (*Portal)(nil)
	_ notifiers.Dismisser = (*Portal)(nil)
	_ io.Closer           = (*Portal)(nil)
)

// NewPortal returns a notifier. It does not connect yet. Of the options it uses MaxBody,
// Silent, Address, OnAction and OnState: the name and the icon are those of the sandbox.
func NewPortal(o Options) *Portal {
	p := &Portal{opts: o.withDefaults(), turn: make(chan struct{}, 1), on: make(map[uint64]bool)}
	p.turn <- struct{}{}
	return p
}

// Notify shows a notification or updates the one with the same ID. Errors wrap
// [ErrNoBus] and [ErrNoPortal].
func (p *Portal) Notify(ctx context.Context, of notifiers.Notification) error {
	err := p.with(ctx, func(l *link) error {
		p.mu.Lock()
		update := p.on[of.ID]
		p.mu.Unlock()
		return l.callPortal(ctx, "AddNotification", id(of.ID), p.compose(&of, update))
	})
	p.mu.Lock()
	before := p.err
	p.err = err
	if err == nil {
		if len(p.on) >= shownMax {
			clear(p.on) // an update may sound once more
		}
		p.on[of.ID] = true
	}
	p.mu.Unlock()
	changed := (before == nil) != (err == nil) || err != nil && before.Error() != err.Error()
	if changed && p.opts.OnState != nil {
		p.opts.OnState(err)
	}
	return err
}

// Connect connects to the bus and learns about the portal, without showing anything. The
// errors are those of Notify.
func (p *Portal) Connect(ctx context.Context) error {
	return p.with(ctx, func(*link) error { return nil })
}

// Dismiss takes the notification with this ID off the screen.
func (p *Portal) Dismiss(ctx context.Context, of uint64) error {
	p.mu.Lock()
	shown := p.on[of]
	delete(p.on, of)
	p.mu.Unlock()
	if !shown {
		return nil
	}
	return p.with(ctx, func(l *link) error { return l.callPortal(ctx, "RemoveNotification", id(of)) })
}

// Close ends the connection. What is on the screen stays there.
func (p *Portal) Close() error {
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	p.closed = true
	if p.link == nil {
		return nil
	}
	l := p.link
	p.link = nil
	return l.close()
}

// with calls f with a connection, a new one if need be, and with the right to use it.
func (p *Portal) with(ctx context.Context, f func(*link) error) error {
	select {
	case <-p.turn:
		defer func() { p.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := p.connect(ctx); err != nil {
		return err
	}
	return f(p.link)
}

// connect makes sure that there is a connection. p.turn is held.
func (p *Portal) connect(ctx context.Context) error {
	switch {
	case p.closed:
		return errClosed
	case p.link != nil && p.link.alive():
		return nil
	case p.link != nil:
		<-p.link.done
		p.link = nil
	case time.Now().Before(p.retryAt):
		return p.dialErr
	}
	l, err := p.open(ctx)
	if err != nil {
		p.delay = min(max(2*p.delay, firstDelay), maxDelay)
		p.retryAt, p.dialErr = time.Now().Add(p.delay), err
		return err
	}
	p.link, p.delay, p.retryAt = l, 0, time.Time{}
	return nil
}

// open connects, subscribes to clicks, and asks for the version of the portal.
func (p *Portal) open(ctx context.Context) (*link, error) {
	l, err := dial(ctx, p.opts.Address, p.signal)
	if err != nil {
		return nil, err
	}
	err = l.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(portalName), dbus.WithMatchObjectPath(portalPath),
		dbus.WithMatchInterface(portalNotification), dbus.WithMatchMember("ActionInvoked"))
	if err != nil {
		_ = l.close() // the other error is the one to tell
		return nil, fmt.Errorf("subscribe to clicks: %w", err)
	}
	var v dbus.Variant
	err = l.portal().CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, portalNotification, "version").Store(&v)
	if err != nil {
		_ = l.close() // as above
		if errorName(err) != "" {
			return nil, fmt.Errorf("%w: install xdg-desktop-portal and what the desktop has for it: %w", ErrNoPortal, err)
		}
		return nil, fmt.Errorf("ask the notification portal for its version: %w", err)
	}
	p.version, _ = v.Value().(uint32)
	return l, nil
}

// portal is the object behind all portals.
func (l *link) portal() dbus.BusObject { return l.conn.Object(portalName, portalPath) }

func (l *link) callPortal(ctx context.Context, method string, args ...any) error {
	err := l.portal().CallWithContext(ctx, portalPrefix+method, 0, args...).Err
	if name := errorName(err); name != "" {
		return fmt.Errorf("%s: %s: %w", method, strings.TrimPrefix(name, "org.freedesktop."), err)
	}
	return err
}

func id(of uint64) string { return portalID + strconv.FormatUint(of, 10) }

// compose makes the argument of AddNotification. p.turn is held.
func (p *Portal) compose(of *notifiers.Notification, update bool) map[string]dbus.Variant {
	m := map[string]dbus.Variant{
		"title":    dbus.MakeVariant(display.Line(of.Title, 0)),
		"body":     dbus.MakeVariant(display.Clean(of.Text(p.opts.MaxBody))),
		"priority": dbus.MakeVariant(priority(of.Level)),
	}
	buttons := []map[string]dbus.Variant{}
	for _, a := range of.Actions {
		if a.Key == notifiers.ActionDefault {
			m["default-action"] = dbus.MakeVariant(a.Key)
			continue
		}
		buttons = append(buttons, map[string]dbus.Variant{"label": dbus.MakeVariant(a.Label), "action": dbus.MakeVariant(a.Key)})
	}
	if len(buttons) > 0 {
		m["buttons"] = dbus.MakeVariant(buttons)
	}
	if p.version < 2 {
		return m
	}
	// A sound of one's choice, a file, is played by the program itself.
	if update || p.opts.Silent || of.Sound != (notifiers.Sound{}) || of.Level < core.LevelWarning {
		m["sound"] = dbus.MakeVariant("silent")
	}
	if of.Level < core.LevelWarning {
		m["display-hint"] = dbus.MakeVariant([]string{"transient"})
	}
	return m
}

// priority is urgency in the words of the portal.
func priority(l core.Level) string {
	switch {
	case l >= core.LevelCritical:
		return "urgent"
	case l >= core.LevelError:
		return "high"
	case l >= core.LevelWarning:
		return "normal"
	}
	return "low"
}

// signal is called with each signal, by the goroutine of the connection.
func (p *Portal) signal(l *link, s *dbus.Signal) {
	if s.Name != portalPrefix+"ActionInvoked" || s.Path != portalPath {
		return
	}
	var name, action string
	var parameter []dbus.Variant
	if dbus.Store(s.Body, &name, &action, &parameter) != nil {
		return
	}
	number, ok := strings.CutPrefix(name, portalID)
	of, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return // of something else in the sandbox
	}
	p.mu.Lock()
	delete(p.on, of)
	p.mu.Unlock()
	l.portal().Go(portalPrefix+"RemoveNotification", dbus.FlagNoReplyExpected, nil, name)
	if p.opts.OnAction != nil {
		p.opts.OnAction(notifiers.Activation{ID: of, Action: action, Token: token(parameter)})
	}
}

// token finds the token that raises a window among the parameters of a click.
func token(parameter []dbus.Variant) string {
	for _, v := range parameter {
		if data, ok := v.Value().(map[string]dbus.Variant); ok {
			if t, ok := data["activation-token"].Value().(string); ok {
				return t
			}
		}
	}
	return ""
}
