package services_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestFerretDBStartsAgainAfterACrash(t *testing.T) {
	b := services.StartFerretDB(t)
	port := b.Port
	b.Kill()
	b.Restart(t)
	if b.Port != port {
		t.Errorf("at port %d instead of %d", b.Port, port)
	}
	services.StartFerretDBTLS(t)
	services.StartFerretDBExpired(t)
}
