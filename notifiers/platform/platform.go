// Package platform chooses the notifier that fits the system it is built for:
// Logbook's create_notification_handler.
package platform

import (
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
}

// Notifier is a notifier that is to be closed.
type Notifier interface {
	notifiers.Notifier
	io.Closer
}
