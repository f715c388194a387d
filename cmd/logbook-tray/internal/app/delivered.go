package app

import (
	"context"
	"errors"
)

// DeliveredBy returns what a notifier of this name tells how its attempts to show an alert
// went: alerts remember who could not tell the user about them.
func (a *App) DeliveredBy(name string) func(alert uint64, err error) {
	return func(alert uint64, err error) {
		switch {
		case err == nil:
			a.Alerts.Delivered(alert, name)
		case errors.Is(err, context.Canceled):
			a.Alerts.Failed(alert, name, "the program ended, or was told other rules, before it was delivered")
		default:
			a.Alerts.Failed(alert, name, err.Error())
		}
	}
}
