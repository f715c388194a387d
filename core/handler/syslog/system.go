package syslog

import (
	"runtime"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler/eventlog"
)

// NewSystem returns the handler that the operating system provides: the event log on
// Windows, the local syslog elsewhere. It is Logbook's create_syshandler.
func NewSystem(applicationName string) (core.Handler, error) {
	if runtime.GOOS == "windows" {
		return eventlog.New(eventlog.Options{ApplicationName: applicationName})
	}
	return New(Options{ApplicationName: applicationName})
}
