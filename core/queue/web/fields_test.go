package web_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/peertest"
	"github.com/logbook-tray/logbook-tray/core/queue/web"
)

func TestEveryFieldOfEveryLevelComesFromPythonsHTTPHandler(t *testing.T) {
	for method, letters := range map[string]int{"POST": 0, "GET": 5000} { // an address has 64 KiB at most, and a letter six bytes there
		t.Run(method, func(t *testing.T) {
			r, s := server(t, web.Options{})
			peertest.Logging().Send(t, s, peertest.Peer{
				Make: `handler = logging.handlers.HTTPHandler(sys.argv[1], "/log", method=sys.argv[2])`,
				Args: []string{r.Addr().String(), method}, Large: letters, Count: brokertest.Count(300, 100_000),
				Loses: []string{"traceback"}, // it sends the address of an object in its place
				Change: func(want map[string]any) { // what str() makes of a value
					want["extra"] = map[string]any{
						"kunde": "Jürgen", "count": "1099511627776", "ratio": "1.5", "none": "None", "list": "[1, 'zwei', True]",
					}
				},
			})
		})
	}
}
