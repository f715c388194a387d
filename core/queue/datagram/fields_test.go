package datagram_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue/datagram"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/peertest"
)

func TestEveryFieldOfEveryLevelComesFromPythonsDatagramHandler(t *testing.T) {
	for network, letters := range map[string]int{"udp": 30_000, "unixgram": 80_000} { // of two bytes; no more fit
		t.Run(network, func(t *testing.T) {
			o := datagram.Options{Network: network}
			if network == "unixgram" {
				o.Address = filepath.Join(t.TempDir(), "s")
			}
			r, s := server(t, o)
			host, port := r.Addr().String(), "None"
			if network == "udp" {
				host, port, _ = net.SplitHostPort(host)
			}
			peertest.Logging().Send(t, s, peertest.Peer{
				Make: "handler = logging.handlers.DatagramHandler(sys.argv[1], eval(sys.argv[2]))",
				Args: []string{host, port}, Large: letters, Count: 100,
			})
		})
	}
}
