package services

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// StartNATS starts a NATS server with JetStream that is gone when the test is over. options
// are more of nats-server, such as "--user", "tray", "--pass", "secret".
func StartNATS(t testing.TB, options ...string) *Broker {
	t.Helper()
	found(t, "/usr/sbin/nats-server")
	dir := t.TempDir()
	return started(t, dir, func(port int) *Broker {
		args := append([]string{"nats", dir, strconv.Itoa(port)}, options...)
		return &Broker{launch: func() (*process, error) { return launch(args...) }, ready: natsReady(port)}
	})
}

// StartNATSTLS is [StartNATS] with TLS and nothing else. Clients trust it with the file
// ca.pem in its directory.
func StartNATSTLS(t testing.TB) *Broker {
	t.Helper()
	return startNATSTLS(t, false)
}

// StartNATSMutualTLS is [StartNATSTLS] that wants a certificate of clients, such as
// client.pem and client-key.pem in its directory.
func StartNATSMutualTLS(t testing.TB) *Broker {
	t.Helper()
	return startNATSTLS(t, false, "--tlsverify")
}

// StartNATSExpired is [StartNATSTLS] with a certificate that has expired.
func StartNATSExpired(t testing.TB) *Broker {
	t.Helper()
	return startNATSTLS(t, true)
}

func startNATSTLS(t testing.TB, expired bool, options ...string) *Broker {
	t.Helper()
	found(t, "/usr/sbin/nats-server")
	dir := t.TempDir()
	if err := writeCertificates(dir, expired); err != nil {
		t.Fatal(err)
	}
	return started(t, dir, func(port int) *Broker {
		args := append([]string{
			"nats", dir, strconv.Itoa(port), "--tls", "--tlscacert", filepath.Join(dir, "ca.pem"),
			"--tlscert", filepath.Join(dir, "server.pem"), "--tlskey", filepath.Join(dir, "server-key.pem"),
		}, options...)
		return &Broker{launch: func() (*process, error) { return launch(args...) }, ready: natsReady(port)}
	})
}

// natsReady is a check that a NATS server introduces itself, which it does first of all.
func natsReady(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		answer, err := ask(ctx, port, "", len("INFO "))
		if err == nil && !strings.HasPrefix(answer, "INFO ") {
			err = fmt.Errorf("it says %q", answer)
		}
		return err
	}
}
