// Package notifiers turns records into notifications: Logbook's notifiers module.
// A [Notifier] shows a [Notification]; each service has one in a package of
// its own below this one. The [Handler] decides when there is something to
// show: one notification for an error, updated with the count of its repeats.
package notifiers
