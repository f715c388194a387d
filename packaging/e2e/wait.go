package e2e

import (
	"testing"
	"time"
)

// Patience is how long the helpers wait for something that a desktop does at once,
// before they give up. It is long because the machine may be busy with other tests.
const Patience = 20 * time.Second

// Eventually waits until condition is true, looking again every 10 ms, and ends the
// test when it has not become true within [Patience]. what completes the sentence
// "waited in vain for ...".
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		case <-again.C:
		}
	}
}
