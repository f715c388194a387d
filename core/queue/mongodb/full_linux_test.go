package mongodb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestAServerWithoutRoomSaysSoAndLosesNothingThatItHasTaken(t *testing.T) {
	const count = 400
	disk := e2e.SmallDisk(t, 48<<10)
	b := services.StartFerretDBIn(t, disk)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 36<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(b)
	from, to := receive(t, o), sender(t, o)
	padding := strings.Repeat("x", 20<<10)
	sent := make(chan error, 1)
	go func() {
		for i := range count {
			if err := to.Send(t.Context(), fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"{0}","args":[%d,"%s"],"extra":{}}`, i, padding)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	brokertest.Failed(t, to, "no room for more")
	if n := to.Sent(); n == count {
		t.Error("it takes everything")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for next := 0; next < count; {
		r := brokertest.Next(t, from)
		switch n := brokertest.Number(t, r); {
		case n == next:
			next++
		case n > next || !brokertest.Marked(r): // the sender does not know what of a batch the server has taken
			t.Fatalf("got %d, marked %v, want %d", n, brokertest.Marked(r), next)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count && to.Status().State == queue.StateConnected })
	brokertest.Connected(t, from)
}
