package syslog_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/syslog"
)

const everyLevel = `
import logging, logging.handlers, socket, sys
network, address, large = sys.argv[1], sys.argv[2], int(sys.argv[3])
kind = socket.SOCK_STREAM if network in ("tcp", "unix") else socket.SOCK_DGRAM
if not network.startswith("unix"):
    host, port = address.rsplit(":", 1)
    address = (host, int(port))

def logbooks():
    import logbook
    handler = logbook.SyslogHandler("shop", address=address, socktype=kind, level="TRACE")
    log = logbook.Logger("cart")
    with handler.applicationbound():
        for level in "TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL":
            log.log(level, "Grüße {0} ☃ 🛒", level)
        log.debug("ü" * large)
        log.info("end")
    handler.close()

def stdlibs():
    handler = logging.handlers.SysLogHandler(address, socktype=kind)
    handler.setFormatter(logging.Formatter("shop: cart: %(message)s"))
    log = logging.getLogger()
    log.setLevel(1)
    log.addHandler(handler)
    for level in "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL":
        log.log(getattr(logging, level), "Grüße %s ☃ 🛒", level)
    log.debug("ü" * large)
    log.info("end")
    handler.close()

{"logbook": logbooks, "logging": stdlibs}[sys.argv[4]]()
`

func TestEveryLevelAndAMegabyteComeFromPythonsHandlers(t *testing.T) {
	for network, large := range map[string]struct {
		letters  int
		argument string
	}{
		"udp": {30_000, "30000"}, "tcp": {500_000, "500000"}, "unix": {500_000, "500000"}, "unixgram": {80_000, "80000"},
	} {
		for which, levels := range map[string][]core.Level{
			// Logbook has no severity for TRACE and takes that of WARNING.
			"logbook": {core.LevelWarning, core.LevelDebug, core.LevelInfo, core.LevelNotice, core.LevelWarning, core.LevelError, core.LevelCritical},
			"logging": {core.LevelDebug, core.LevelInfo, core.LevelWarning, core.LevelError, core.LevelCritical},
		} {
			t.Run(network+"/"+which, func(t *testing.T) {
				r, s := server(t, syslog.Options{Network: network, Join: patient})
				python(t, everyLevel, network, r.Addr().String(), large.argument, which)
				for i, level := range levels {
					name := level.String()
					if which == "logbook" && i == 0 {
						name = "TRACE"
					}
					if got := next(t, s); got.Message() != "cart: Grüße "+name+" ☃ 🛒" || got.Level != level || got.Channel != "shop" ||
						got.Extra.Get("facility") != "user" {
						t.Errorf("%q %+v", got.Message(), got)
					}
				}
				if got := next(t, s); got.Message() != "cart: "+strings.Repeat("ü", large.letters) || got.Level != core.LevelDebug {
					t.Errorf("%d bytes of %d letters", len(got.Message()), large.letters)
				}
			})
		}
	}
}

const numbers = `
import logging, logging.handlers, socket, sys
host, port = sys.argv[1].rsplit(":", 1)
handler = logging.handlers.SysLogHandler((host, int(port)), socktype=socket.SOCK_STREAM)
handler.setFormatter(logging.Formatter("shop: %(message)s"))
log = logging.getLogger()
log.addHandler(handler)
for i in range(int(sys.argv[2])):
    log.warning("%d", i)
handler.close()
`

func TestAllThatPythonSendsOverAStreamComesInOrder(t *testing.T) {
	count := brokertest.Count(5000, 100_000)
	r, s := server(t, syslog.Options{Network: "tcp", Join: patient})
	peer := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", numbers, r.Addr().String(), strconv.Itoa(count))
	peer.Stderr = os.Stderr
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	for i := range count {
		if got := next(t, s).Message(); got != strconv.Itoa(i) {
			t.Fatalf("got %.60q, want %d", got, i)
		}
	}
	if err := peer.Wait(); err != nil {
		t.Error(err)
	}
}
