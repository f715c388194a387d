package libnotify

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"
)

// setting is one place where a desktop says that it shows no notifications.
type setting struct {
	name string // on the bus
	path dbus.ObjectPath
	// read asks for it. An error says that there is no such setting.
	read func(context.Context, dbus.BusObject) (inhibited bool, err error)
}

const (
	portalName = "org.freedesktop.portal.Desktop"
	portalPath = dbus.ObjectPath("/org/freedesktop/portal/desktop")
	portal     = "org.freedesktop.portal.Settings"

	gnomeNamespace = "org.gnome.desktop.notifications"
	gnomeKey       = "show-banners"
)

func settings() []setting {
	return []setting{
		{busName, busPath, property(busName, "Inhibited")}, // Plasma, and whoever does as it does
		{busName, busPath, property("org.dunstproject.cmd0", "paused")},
		{portalName, portalPath, func(ctx context.Context, o dbus.BusObject) (bool, error) {
			var v dbus.Variant
			err := call(ctx, o, portal+".Read", gnomeNamespace, gnomeKey).Store(&v)
			if inner, ok := v.Value().(dbus.Variant); ok { // Read wraps it once more
				v = inner
			}
			shown, ok := v.Value().(bool)
			return ok && !shown, err
		}},
	}
}

func property(owner, name string) func(context.Context, dbus.BusObject) (bool, error) {
	return func(ctx context.Context, o dbus.BusObject) (bool, error) {
		var v dbus.Variant
		err := call(ctx, o, "org.freedesktop.DBus.Properties.Get", owner, name).Store(&v)
		on, _ := v.Value().(bool)
		return on, err
	}
}

// call calls a method of a service that runs already: looking must not start one.
func call(ctx context.Context, o dbus.BusObject, method string, args ...any) *dbus.Call {
	return o.CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
}

// readTimeout bounds the question for all settings, and the attempt to connect.
const readTimeout = 5 * time.Second

// Watch calls f with whether the desktop wants no notifications to be shown just now
// (do not disturb): once at the beginning, and whenever that changes, until ctx
// ends, whose error it returns. f is called by the caller's goroutine.
//
// The desktop says so by the property Inhibited of the notification service (Plasma),
// by dunst's own property paused, or by GNOME's setting show-banners where the
// settings portal tells it. A desktop that says nothing, or is gone, does not
// inhibit. Watch has a connection of its own to the bus at address, "" for the
// session bus, and connects again when it was lost. No service is started.
func Watch(ctx context.Context, address string, f func(inhibited bool)) error {
	w := &watch{f: f, poke: make(chan struct{}, 1)}
	retry := time.NewTimer(0)
	defer retry.Stop()
	for delay := firstDelay; ; delay = min(2*delay, maxDelay) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
		if connected := w.connected(ctx, address); connected {
			delay = firstDelay
		}
		if ctx.Err() == nil {
			w.tell(false)
		}
		retry.Reset(delay)
	}
}

// watch is the state of one call of [Watch].
type watch struct {
	f    func(bool)
	poke chan struct{} // a setting may have changed

	told, last bool
}

func (w *watch) tell(inhibited bool) {
	if w.told && w.last == inhibited {
		return
	}
	w.told, w.last = true, inhibited
	w.f(inhibited)
}

// connected follows the settings over one connection, and reports whether there was
// one.
func (w *watch) connected(ctx context.Context, address string) bool {
	l, err := w.dial(ctx, address)
	if err != nil {
		return false
	}
	defer func() { _ = l.close() }() // nothing of ours is left on the way
	for {
		inhibited := l.inhibited(ctx)
		if !l.alive() || ctx.Err() != nil {
			return true
		}
		w.tell(inhibited)
		select {
		case <-ctx.Done():
			return true
		case <-l.done:
			return true
		case <-w.poke:
		}
	}
}

// dial connects and subscribes to what tells of changes.
func (w *watch) dial(ctx context.Context, address string) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	l, err := dial(ctx, address, func(*link, *dbus.Signal) {
		select {
		case w.poke <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return nil, err
	}
	if err := l.watchSettings(ctx); err != nil {
		_ = l.close() // the other error is the one to tell
		return nil, err
	}
	return l, nil
}

// watchSettings subscribes to the signals that tell of changes. That the owner of
// the notification service has changed is known from the handshake.
func (l *link) watchSettings(ctx context.Context) error {
	for _, match := range [][]dbus.MatchOption{
		{
			dbus.WithMatchSender(busName), dbus.WithMatchObjectPath(busPath),
			dbus.WithMatchInterface("org.freedesktop.DBus.Properties"), dbus.WithMatchMember("PropertiesChanged"),
		},
		{
			dbus.WithMatchSender(portalName), dbus.WithMatchObjectPath(portalPath),
			dbus.WithMatchInterface(portal), dbus.WithMatchMember("SettingChanged"), dbus.WithMatchArg(0, gnomeNamespace),
		},
		{
			dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchInterface("org.freedesktop.DBus"),
			dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, portalName),
		},
	} {
		if err := l.conn.AddMatchSignalContext(ctx, match...); err != nil {
			return fmt.Errorf("subscribe to the settings of the desktop: %w", err)
		}
	}
	return nil
}

// inhibited asks for all settings.
func (l *link) inhibited(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for _, s := range settings() {
		if on, err := s.read(ctx, l.conn.Object(s.name, s.path)); err == nil && on {
			return true
		}
	}
	return false
}
