//go:build !windows

package eventlog

func open(string) (log, error) { return nil, ErrUnsupported }

// Install registers a source of events. Here it returns [ErrUnsupported].
func Install(string) error { return ErrUnsupported }

// Remove takes the registration away. Here it returns [ErrUnsupported].
func Remove(string) error { return ErrUnsupported }
