package zeromq_test

import (
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/peertest"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

func TestEveryFieldOfEveryLevelComesFromLogbooksHandler(t *testing.T) {
	t.Run("push", func(t *testing.T) {
		r := receiver(t, zeromq.Options{})
		peertest.Logbook().Send(t, queue.NewSubscriber(r, queue.Options{}), peertest.Peer{
			Make: `handler = ZeroMQHandler(sys.argv[1], multi=True, level="TRACE")`,
			Args: []string{r.Addresses()[0]}, Count: 100,
			End: "handler.close(linger=-1); handler.context.term()",
		})
	})
	t.Run("pub", func(t *testing.T) {
		uri := freeAddress(t)
		r := receiver(t, zeromq.Options{Addresses: []string{uri}, Pattern: zeromq.Sub, ReconnectMax: 100 * time.Millisecond})
		peertest.Logbook().Send(t, queue.NewSubscriber(r, queue.Options{}), peertest.Peer{
			// What is published before there is a subscriber is lost: an XPUB says when there is one.
			Make: `
import zmq
class Handler(ZeroMQHandler):
    def __init__(self, uri):
        super().__init__(None, level="TRACE")
        self.socket = self.context.socket(zmq.XPUB)
        self.socket.bind(uri)
        self.socket.recv()
handler = Handler(sys.argv[1])`,
			Args: []string{uri}, Count: 100,
			End: "handler.close(linger=-1); handler.context.term()",
		})
	})
}

func TestEveryFieldOfEveryLevelReachesLogbooksSubscriber(t *testing.T) {
	for pattern, multi := range map[zeromq.Pattern]string{zeromq.Push: "True", zeromq.Pub: "False"} {
		t.Run(string(pattern), func(t *testing.T) {
			uri := freeAddress(t)
			peertest.Logbook().Receive(t, peertest.Peer{
				Make: "subscriber = ZeroMQSubscriber(sys.argv[1], multi=" + multi + ")\nreceive = subscriber.recv\nprint('ready')",
				Args: []string{uri}, Count: 100,
			}, func(string) core.Handler {
				s := sender(t, zeromq.Options{Addresses: []string{uri}, Pattern: pattern})
				if err := s.WaitPeer(soon(t)); err != nil {
					t.Fatal(err)
				}
				return queue.NewHandler(s, queue.HandlerOptions{Timeout: -1})
			})
		})
	}
}
