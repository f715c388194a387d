package libnotify

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/logbook-tray/logbook-tray/notifiers"
)

// closedByUser is the reason that NotificationClosed gives for a notification that
// the user has dismissed.
const closedByUser = 2

// lateTimeout bounds the calls that show what was missed.
const lateTimeout = 5 * time.Second

// signal is called with each signal, by the goroutine of the connection.
func (n *Notifier) signal(l *link, s *dbus.Signal) {
	switch s.Name {
	case ownerEvent:
		var name, before, now string
		if dbus.Store(s.Body, &name, &before, &now) == nil && name == busName {
			n.ownerChanged(now)
		}
	case busPrefix + "ActionInvoked":
		var e event
		if dbus.Store(s.Body, &e.number, &e.action) == nil && e.action != "" {
			n.happened(l, e)
		}
	case busPrefix + "ActivationToken":
		var e event
		if dbus.Store(s.Body, &e.number, &e.token) == nil && e.token != "" {
			n.happened(l, e)
		}
	case busPrefix + "NotificationClosed":
		var e event
		if dbus.Store(s.Body, &e.number, &e.reason) == nil {
			n.happened(l, e)
		}
	}
}

// happened notes an event and tells about it, if it is one of our notifications: the
// service tells everybody about all. What the user acted on is taken off the
// screen; not every service does so.
func (n *Notifier) happened(l *link, e event) {
	n.mu.Lock()
	entry := n.shown.find(e.number)
	if entry == nil && (e.action != "" || e.token != "") {
		entry = n.shown.findPast(e.number)
	}
	if entry == nil {
		n.shown.unknown(e)
		n.mu.Unlock()
		return
	}
	id, token := entry.id, entry.token
	switch {
	case e.token != "":
		entry.token = e.token
	case e.action != "":
		entry.token = ""
	default:
		n.shown.remove(e.number)
	}
	n.mu.Unlock()
	if e.action == "" && e.token == "" {
		n.remember()
	}

	switch {
	case e.action != "":
		l.closeLater(e.number)
		if n.opts.OnAction != nil {
			n.opts.OnAction(notifiers.Activation{ID: id, Action: e.action, Token: token})
		}
	case e.token == "" && e.reason == closedByUser && n.opts.OnDismiss != nil:
		n.opts.OnDismiss(id)
	}
}

// ownerChanged follows the service: with the old one went its notifications and its
// numbers. A new one is given what could not be shown before.
func (n *Notifier) ownerChanged(owner string) {
	n.mu.Lock()
	n.service = nil
	n.shown.clear()
	var missed []notifiers.Notification
	if owner != "" {
		missed, n.missed = n.missed, nil
	}
	n.mu.Unlock()
	if len(missed) == 0 {
		return
	}
	n.late.Go(func() {
		ctx, cancel := context.WithTimeout(n.life, lateTimeout)
		defer cancel()
		for _, m := range missed {
			_ = n.Notify(ctx, m) // the status has the error
		}
	})
}
