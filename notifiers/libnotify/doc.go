// Package libnotify shows notifications through the notification service of
// free desktops, org.freedesktop.Notifications on D-Bus, as Logbook's
// LibNotifyHandler does through the library of that name. It keeps a connection
// to the session bus of its own, learns what the user does with its
// notifications, and copes with services that start late, restart, or can do less.
// Inside a sandbox, which that service cannot be reached from, [Portal] takes its place.
//
// It builds on every system; where there is no session bus, it says so. The one
// module it needs is github.com/godbus/dbus/v5.
package libnotify
