package libnotify

import (
	"errors"
	"strings"

	"github.com/godbus/dbus/v5"
)

// errorName returns the name of an error that came over the bus; "" for others.
func errorName(err error) string {
	if e := new(dbus.Error); errors.As(err, e) {
		return e.Name
	}
	if e := (*dbus.Error)(nil); errors.As(err, &e) {
		return e.Name
	}
	return ""
}

// isTooMany reports whether the service shows as many notifications as it can.
// GNOME's notification-daemon shows 20.
func isTooMany(err error) bool {
	return errorName(err) != "" && strings.Contains(strings.ToLower(err.Error()), "maximum number of notifications") ||
		strings.HasSuffix(errorName(err), "MaxNotificationsExceeded")
}
