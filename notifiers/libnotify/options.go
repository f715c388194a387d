package libnotify

import (
	"errors"
	"image"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// The defaults of [Options].
const (
	DefaultAppName  = "logbook-tray"
	DefaultCategory = "x-logbook-tray.record"
	DefaultMaxBody  = 2000
)

// ErrNoBus is wrapped by the errors of a [Notifier] that finds no session bus.
var ErrNoBus = errors.New("no D-Bus session bus")

// ErrNoService is wrapped by the errors of a [Notifier] when there is a bus but
// nothing on it that shows notifications.
var ErrNoService = errors.New("no notification service on the session bus")

// Options are the settings of a [Notifier]. The zero value is useful.
type Options struct {
	// AppName is the name of the program; "" means DefaultAppName.
	AppName string
	// DesktopEntry is the name of the program's desktop file, without the
	// extension; "" means the AppName.
	DesktopEntry string
	// Icon is the name of an icon in the theme or the absolute path of a file; ""
	// means DesktopEntry.
	Icon string
	// Image, if not nil, is shown where the service can do so. It is read once.
	Image image.Image
	// Category is the hint of that name; "" means DefaultCategory.
	Category string
	// MaxBody is how many characters of a body are shown; 0 means
	// DefaultMaxBody.
	MaxBody int
	// Silent leaves out the sound that errors make where the service can do so.
	Silent bool
	// Memory, if not nil, keeps what is on the screen, so that a click on a
	// notification of an earlier run is understood; see [Notifier.Connect].
	Memory Memory
	// Address is the address of the bus; "" means the session bus.
	Address string
	// OnAction, if not nil, is called when the user clicks on a notification or
	// one of its buttons. It is called by a goroutine of the notifier, which
	// waits for it: it must return soon, and must not call the notifier.
	OnAction func(notifiers.Activation)
	// OnDismiss, if not nil, is called in the same way with the ID of a
	// notification that the user has closed.
	OnDismiss func(id uint64)
	// OnState, if not nil, is called when notifications begin to fail, with the
	// reason, and when they work again, with nil. It is called from Notify.
	OnState func(error)
}

func (o Options) withDefaults() Options {
	if o.AppName == "" {
		o.AppName = DefaultAppName
	}
	if o.DesktopEntry == "" {
		o.DesktopEntry = o.AppName
	}
	if o.Icon == "" {
		o.Icon = o.DesktopEntry
	}
	if o.Category == "" {
		o.Category = DefaultCategory
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	return o
}

// Memory keeps which notifications are on the screen: their IDs, and their numbers
// with one running service, which service identifies. The methods are called one at
// a time.
type Memory interface {
	LoadShown() (service string, numbers map[uint64]uint32, err error)
	SaveShown(service string, numbers map[uint64]uint32) error
}

// Status says how a [Notifier] is doing.
type Status struct {
	// Server is the name and version of the service, "" before the first
	// notification.
	Server string
	// Capabilities are what the service says it can do.
	Capabilities []string
	// Shown is how many notifications are on the screen, as far as the service
	// tells.
	Shown int
	// Err is why the last notification failed; nil if it did not.
	Err error
}

const (
	firstDelay = time.Second // between two attempts to connect
	maxDelay   = time.Minute
)

// The urgencies of the specification.
const (
	urgencyLow      byte = 0
	urgencyNormal   byte = 1
	urgencyCritical byte = 2
)

// Times in milliseconds with a meaning of their own.
const (
	expiresDefault int32 = -1
	expiresNever   int32 = 0
)

// urgency is Logbook's get_urgency.
func urgency(l core.Level) byte {
	switch {
	case l >= core.LevelError:
		return urgencyCritical
	case l >= core.LevelWarning:
		return urgencyNormal
	}
	return urgencyLow
}

// expires is Logbook's get_expires.
func expires(l core.Level) int32 {
	if l >= core.LevelError {
		return expiresNever
	}
	return expiresDefault
}

// sound names a sound of the freedesktop sound theme; "" for none.
func sound(l core.Level) string {
	switch {
	case l >= core.LevelError:
		return "dialog-error"
	case l >= core.LevelWarning:
		return "dialog-warning"
	}
	return ""
}
