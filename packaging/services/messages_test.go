package services_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestNATSStartsAgainAfterACrash(t *testing.T) {
	b := services.StartNATS(t, "--user", "tray", "--pass", "secret")
	port := b.Port
	b.Kill()
	b.Restart(t)
	if b.Port != port {
		t.Errorf("at port %d instead of %d", b.Port, port)
	}
	services.StartNATSTLS(t)
}

func TestMosquittoStartsAgainAfterACrashAndAfterAnEnd(t *testing.T) {
	b := services.StartMosquittoPassword(t, "tray", "secret")
	b.Kill()
	b.Restart(t)
	b.Stop()
	b.Restart(t)
	services.StartMosquitto(t, "max_queued_messages 10")
	services.StartMosquittoTLS(t, false)
}
