//go:build !windows && !darwin

package platform

import (
	"context"
	"os"

	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
)

// Clicks says whether notifications tell when they are clicked.
const Clicks = true

// flatpakInfo is there in every Flatpak, and nowhere else.
const flatpakInfo = "/.flatpak-info"

// New returns the notifier for this system: that of the notification service, or inside
// a sandbox that of the portal.
func New(o Options) Notifier {
	settings := libnotify.Options{
		AppName: o.AppName, Icon: o.Icon, Image: o.Image,
		OnAction: o.OnAction, OnDismiss: o.OnDismiss, OnState: o.OnState, Memory: o.Memory,
	}
	if o.Sandbox == "" {
		o.Sandbox = flatpakInfo
	}
	if _, err := os.Stat(o.Sandbox); err == nil {
		return libnotify.NewPortal(settings)
	}
	return libnotify.New(settings)
}

// WatchInhibited calls f with whether the desktop wants no notifications to be shown just
// now (do not disturb), at first and whenever that changes, until ctx ends, whose error it
// returns; see [libnotify.Watch]. Where a system does not tell, it returns
// errors.ErrUnsupported at once.
func WatchInhibited(ctx context.Context, f func(inhibited bool)) error {
	return libnotify.Watch(ctx, "", f)
}
