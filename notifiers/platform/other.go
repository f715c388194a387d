//go:build windows || darwin

package platform

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/logbook-tray/logbook-tray/notifiers/desktop"
)

// Clicks says whether notifications tell when they are clicked.
const Clicks = runtime.GOOS == "windows"

// New returns the notifier for this system.
func New(o Options) Notifier {
	return desktop.New(desktop.Options{AppName: o.AppName, Icon: o.PNG, OnAction: o.OnAction})
}

// WatchInhibited returns errors.ErrUnsupported: these systems do not tell whether the user
// wants not to be disturbed.
func WatchInhibited(context.Context, func(inhibited bool)) error {
	return fmt.Errorf("watch for do not disturb: %w", errors.ErrUnsupported)
}
