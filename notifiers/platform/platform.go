// Package platform chooses the notifier that fits the system it is built for:
// Logbook's create_notification_handler.
package platform

import (
	"context"
	"image"
	"io"

	"github.com/logbook-tray/logbook-tray/notifiers"
)

// Options are the settings of the notifier. The zero value is useful. What a system
// cannot do is left out there.
type Options struct {
	// AppName is the name of the program; "" means "logbook-tray".
	AppName string
	// Icon is the name or the absolute path of an icon, for free desktops; ""
	// means the one of the program's desktop file.
	Icon string
	// Image is the icon for services that take pixels, for free desktops.
	Image image.Image
	// PNG is the icon for the other systems.
	PNG []byte
	// OnAction, OnDismiss and OnState tell what the user does with a
	// notification and whether notifications work, where [Clicks] is true. See
	// the options of package libnotify for what they may do.
	OnAction  func(notifiers.Activation)
	OnDismiss func(id uint64)
	OnState   func(error)
	// Sandbox is the path of a file that is there inside a sandbox alone, where
	// notifications go through the portal, for free desktops; "" means Flatpak's.
	Sandbox string
	// Memory, if not nil, keeps what is on the screen, so that a click on a
	// notification of an earlier run is understood once [Connect] was called.
	// The store of package core/alert/sqlitestore is one.
	Memory Memory
}

// Memory keeps which notifications are on the screen: their IDs, and their numbers
// with one running service, which service identifies.
type Memory interface {
	LoadShown() (service string, numbers map[uint64]uint32, err error)
	SaveShown(service string, numbers map[uint64]uint32) error
}

// Notifier is a notifier that is to be closed.
type Notifier interface {
	notifiers.Notifier
	io.Closer
}

// PlaysSounds reports whether the service behind n plays the sound that a notification
// names. It is known once one was shown.
func PlaysSounds(n notifiers.Notifier) bool {
	s, ok := n.(interface{ PlaysSounds() bool })
	return ok && s.PlaysSounds()
}

// Connect finds out whether n works, without showing anything, where the system
// allows that. It is for the start of a program.
func Connect(ctx context.Context, n Notifier) error {
	if c, ok := n.(interface {
		Connect(ctx context.Context) error
	}); ok {
		return c.Connect(ctx)
	}
	return nil
}
