package socket_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/peertest"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// patient is a SocketHandler that waits for its receiver as long as a busy machine may make it
// wait. Python's own drops the record, and those of the following second, when nobody has read
// for a second.
const patient = `
class Patient(logging.handlers.SocketHandler):
    def makeSocket(self, timeout=60):
        return super().makeSocket(timeout)
`

func TestEveryFieldOfEveryLevelComesFromPythonsSocketHandler(t *testing.T) {
	for network, count := range map[string]int{"tcp": brokertest.Count(30_000, 100_000), "unix": 1000} {
		t.Run(network, func(t *testing.T) {
			o := socket.Options{Network: network}
			if network == "unix" {
				o.Address = filepath.Join(t.TempDir(), "s")
			}
			r, s := server(t, o)
			host, port := r.Addr().String(), "None"
			if network == "tcp" {
				host, port, _ = net.SplitHostPort(host)
			}
			peertest.Logging().Send(t, s, peertest.Peer{
				Make: patient + "handler = Patient(sys.argv[1], eval(sys.argv[2]))",
				Args: []string{host, port}, Count: count,
			})
		})
	}
}

// asTheCookbook is a receiver of Python's cookbook.
const asTheCookbook = `
import socket, struct
if sys.argv[1] in ("udp", "unixgram"):
    s = socket.socket(socket.AF_INET if sys.argv[1] == "udp" else socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0) if sys.argv[1] == "udp" else sys.argv[2])
    print(s.getsockname()[1] if sys.argv[1] == "udp" else sys.argv[2])
    def receive():
        return logging.makeLogRecord(pickle.loads(s.recv(1 << 20)[4:]))
elif sys.argv[1] == "tcp":
    s = socket.create_server(("127.0.0.1", 0))
    print(s.getsockname()[1])
else:
    s = socket.socket(socket.AF_UNIX)
    s.bind(sys.argv[2])
    s.listen(1)
    print(sys.argv[2])
if s.type == socket.SOCK_STREAM:
    f = s.accept()[0].makefile("rb")
    def receive():
        return logging.makeLogRecord(pickle.loads(f.read(struct.unpack(">L", f.read(4))[0])))
`

func TestEveryFieldOfEveryLevelReachesAReceiverOfPython(t *testing.T) {
	for network, c := range map[string]struct{ letters, count int }{
		"tcp":      {0, brokertest.Count(30_000, 100_000)},
		"unix":     {0, 1000},
		"udp":      {30_000, 100}, // no larger ones fit
		"unixgram": {80_000, 100},
	} {
		t.Run(network, func(t *testing.T) {
			peertest.Logging().Receive(t, peertest.Peer{
				Make: asTheCookbook, Args: []string{network, filepath.Join(t.TempDir(), "s")}, Large: c.letters, Count: c.count,
			}, func(at string) core.Handler {
				if network == "tcp" || network == "udp" {
					at = "127.0.0.1:" + at
				}
				s, err := socket.NewSender(socket.SenderOptions{Network: network, Address: at})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() }) // the peer may have gone first
				return queue.NewHandler(s, queue.HandlerOptions{Encode: wire.AppendPickle, Timeout: -1})
			})
		})
	}
}
