package services

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// StartMosquitto starts an MQTT broker that is gone when the test is over. lines are more of
// mosquitto.conf, such as "max_queued_messages 10". It keeps what it has when it is
// stopped, and forgets it when it is killed, unless the lines say otherwise.
func StartMosquitto(t testing.TB, lines ...string) *Broker {
	t.Helper()
	found(t, mosquitto)
	return startMosquitto(t, t.TempDir(), lines)
}

// StartMosquittoPassword is [StartMosquitto] with one user.
func StartMosquittoPassword(t testing.TB, user, password string, lines ...string) *Broker {
	t.Helper()
	found(t, mosquitto)
	dir := t.TempDir()
	//nolint:gosec // the tests choose the password
	if out, err := exec.CommandContext(t.Context(), "mosquitto_passwd", "-b", "-c", filepath.Join(dir, "passwords"), user, password).CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v: %s", err, out)
	}
	return startMosquitto(t, dir, lines)
}

// StartMosquittoTLS is [StartMosquitto] with TLS and nothing else. Clients trust it with the
// file ca.pem in its directory, unless its certificate has expired.
func StartMosquittoTLS(t testing.TB, expired bool) *Broker {
	t.Helper()
	dir := t.TempDir()
	if err := writeCertificates(dir, expired); err != nil {
		t.Fatal(err)
	}
	return startMosquittoTLS(t, dir)
}

// StartMosquittoMutualTLS is [StartMosquittoTLS] that wants a certificate of clients, such as
// client.pem and client-key.pem in its directory.
func StartMosquittoMutualTLS(t testing.TB) *Broker {
	t.Helper()
	dir := WriteCertificates(t)
	return startMosquittoTLS(t, dir, "require_certificate true", "cafile "+filepath.Join(dir, "ca.pem"))
}

func startMosquittoTLS(t testing.TB, dir string, lines ...string) *Broker {
	t.Helper()
	found(t, mosquitto)
	return started(t, dir, func(port int) *Broker {
		return &Broker{launch: launchMosquitto(dir, port, lines), ready: tlsReady(port)}
	})
}

const mosquitto = "/usr/sbin/mosquitto"

func startMosquitto(t testing.TB, dir string, lines []string) *Broker {
	t.Helper()
	return started(t, dir, func(port int) *Broker {
		return &Broker{launch: launchMosquitto(dir, port, lines), ready: mosquittoReady(port)}
	})
}

func launchMosquitto(dir string, port int, lines []string) func() (*process, error) {
	args := append([]string{"mosquitto", dir, strconv.Itoa(port)}, lines...)
	return func() (*process, error) { return launch(args...) }
}

// connect is a CONNECT of MQTT 5 without an identifier.
const connect = "\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00"

// mosquittoReady is a check that a broker answers, also that it wants a password.
func mosquittoReady(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		answer, err := ask(ctx, port, connect, 1)
		if err == nil && answer != "\x20" {
			err = fmt.Errorf("it answers %q", answer)
		}
		return err
	}
}
