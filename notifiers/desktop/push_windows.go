package desktop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"git.sr.ht/~jackmordaunt/go-toast/wintoast"

	"github.com/logbook-tray/logbook-tray/notifiers"
)

// clsid names the object of this program that Windows tells about clicks.
const clsid = "{C2A5C0B7-2C31-4F0E-9A52-6D1C7B9E4F38}"

// settle is how long a toast takes to get to the part of Windows that shows it; a
// program that ends sooner shows none.
const settle = 100 * time.Millisecond

// newPush returns a function that shows toasts. Windows tells the program that is running
// about clicks; on toasts that outlive it a click does nothing.
func newPush(o *Options) func(*message) error {
	icon := unpack(o.Icon)
	onAction := o.OnAction
	if onAction == nil {
		onAction = func(notifiers.Activation) {}
	}
	wintoast.SetActivationCallback(func(_, arguments string, _ []wintoast.UserData) {
		if a, ok := activation(arguments); ok {
			onAction(a)
		}
	})
	return func(m *message) error {
		if err := wintoast.SetAppData(wintoast.AppData{AppID: o.AppName, GUID: clsid, IconPath: icon}); err != nil {
			return fmt.Errorf("register with Windows: %w", err)
		}
		toast := m.toast(icon)
		if err := wintoast.Push(toast); err != nil {
			// Shown all the same, if nothing is heard of a click.
			if second := wintoast.Push(toast, wintoast.PreferPowershell); second != nil {
				return errors.Join(err, second)
			}
			return nil
		}
		<-time.After(settle)
		return nil
	}
}

// unpack writes the icon to the user's cache, since Windows wants a file, and returns its
// path; "" for none.
func unpack(icon []byte) string {
	cache, err := os.UserCacheDir()
	if icon == nil || err != nil {
		return ""
	}
	path := filepath.Join(cache, "logbook-tray", "icon.png")
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, icon) {
		return path
	}
	if os.MkdirAll(filepath.Dir(path), 0o700) != nil || os.WriteFile(path, icon, 0o600) != nil {
		return "" // toasts have no icon then
	}
	return path
}
