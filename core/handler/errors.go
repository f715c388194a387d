package handler

import "errors"

// ErrClosed is returned by handlers that are given a record after they were
// closed.
var ErrClosed = errors.New("handler is closed")
