//go:build windows || darwin

package platform

import "github.com/logbook-tray/logbook-tray/notifiers/desktop"

// Clicks says whether notifications tell when they are clicked.
const Clicks = false

// New returns the notifier for this system.
func New(o Options) Notifier {
	return desktop.New(desktop.Options{AppName: o.AppName, Icon: o.PNG})
}
