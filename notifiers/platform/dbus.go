//go:build !windows && !darwin

package platform

import "github.com/logbook-tray/logbook-tray/notifiers/libnotify"

// Clicks says whether notifications tell when they are clicked.
const Clicks = true

// New returns the notifier for this system.
func New(o Options) Notifier {
	return libnotify.New(libnotify.Options{
		AppName: o.AppName, Icon: o.Icon, Image: o.Image,
		OnAction: o.OnAction, OnDismiss: o.OnDismiss, OnState: o.OnState, Memory: o.Memory,
	})
}
