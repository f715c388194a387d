package mail_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler/mail"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func TestConformance(t *testing.T) {
	s := started(t, new(smtpServer))
	logtest.TestHandlerConformance(t, func(t *testing.T) core.Handler {
		return newHandler(t, s, func(o *mail.Options) { o.Subject = "{record.message}" })
	})
	err := logtest.TestHandlerFailure(t, func(t *testing.T) core.Handler {
		return newHandler(t, s, func(o *mail.Options) { o.Servers = []string{"127.0.0.1:1"} })
	})
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
}
