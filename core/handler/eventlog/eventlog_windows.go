package eventlog

import (
	"fmt"

	"golang.org/x/sys/windows/svc/eventlog"
)

func open(source string) (log, error) { return eventlog.Open(source) }

// Install registers a source of events, which needs the rights of an
// administrator. It is for installers.
func Install(source string) error {
	err := eventlog.InstallAsEventCreate(source, eventlog.Info|eventlog.Warning|eventlog.Error)
	if err != nil {
		return fmt.Errorf("install event source %q: %w", source, err)
	}
	return nil
}

// Remove takes the registration away. The viewer cannot show the text of past
// events as it was meant any more. Logbook: unregister_logger.
func Remove(source string) error {
	if err := eventlog.Remove(source); err != nil {
		return fmt.Errorf("remove event source %q: %w", source, err)
	}
	return nil
}
