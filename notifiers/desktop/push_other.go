//go:build !windows

package desktop

import "github.com/gen2brain/beeep"

// newPush returns a function that shows notifications.
func newPush(o *Options) func(*message) error {
	beeep.AppName = o.AppName
	var icon any = ""
	if o.Icon != nil {
		icon = o.Icon
	}
	return func(m *message) error {
		if m.loud {
			return beeep.Alert(m.title, m.body, icon)
		}
		return beeep.Notify(m.title, m.body, icon)
	}
}
