//go:build !windows && !darwin

package platform

import (
	"context"

	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
)

// Clicks says whether notifications tell when they are clicked.
const Clicks = true

// New returns the notifier for this system.
func New(o Options) Notifier {
	return libnotify.New(libnotify.Options{
		AppName: o.AppName, Icon: o.Icon, Image: o.Image,
		OnAction: o.OnAction, OnDismiss: o.OnDismiss, OnState: o.OnState, Memory: o.Memory,
	})
}

// WatchInhibited calls f with whether the desktop wants no notifications to be shown just
// now (do not disturb), at first and whenever that changes, until ctx ends, whose error it
// returns; see [libnotify.Watch]. Where a system does not tell, it returns
// errors.ErrUnsupported at once.
func WatchInhibited(ctx context.Context, f func(inhibited bool)) error {
	return libnotify.Watch(ctx, "", f)
}
