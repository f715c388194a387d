package nng

import (
	"testing"
	"time"
)

// MaxHandshakes is how many peers may be about to say who they are.
const MaxHandshakes = maxHandshakes

// SetHandshakeTime changes how long they may take, until the test is over.
func SetHandshakeTime(t *testing.T, d time.Duration) {
	t.Helper()
	before := handshakeTime
	handshakeTime = d
	t.Cleanup(func() { handshakeTime = before })
}
