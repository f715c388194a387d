package services

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"testing"
)

// StartRedis starts a Redis that is gone when the test is over. options are more of
// redis-server, such as "--requirepass", "secret". It writes what it has
// before it answers, so that nothing is lost when it is killed.
func StartRedis(t testing.TB, options ...string) *Broker {
	t.Helper()
	found(t, "/usr/bin/redis-server")
	dir := t.TempDir()
	return started(t, dir, func(port int) *Broker {
		args := append([]string{"redis", dir, strconv.Itoa(port)}, options...)
		return &Broker{launch: func() (*process, error) { return launch(args...) }, ready: redisReady(port)}
	})
}

// StartRedisTLS is StartRedis with TLS and nothing else. Clients trust it with the file
// ca.pem in its directory.
func StartRedisTLS(t testing.TB) *Broker {
	t.Helper()
	return startRedisTLS(t, "no")
}

// StartRedisMutualTLS is [StartRedisTLS] that wants a certificate of clients, such as
// client.pem and client-key.pem in its directory.
func StartRedisMutualTLS(t testing.TB) *Broker {
	t.Helper()
	return startRedisTLS(t, "yes")
}

func startRedisTLS(t testing.TB, clients string) *Broker {
	t.Helper()
	found(t, "/usr/bin/redis-server")
	dir := WriteCertificates(t)
	return started(t, dir, func(port int) *Broker {
		return &Broker{launch: func() (*process, error) {
			return launch("redis", dir, "0", "--tls-port", strconv.Itoa(port), "--tls-auth-clients", clients,
				"--tls-cert-file", filepath.Join(dir, "server.pem"), "--tls-key-file", filepath.Join(dir, "server-key.pem"),
				"--tls-ca-cert-file", filepath.Join(dir, "ca.pem"))
		}, ready: tlsReady(port)}
	})
}

// started starts the broker that is made for a port, at a port that is free, and has it
// ended with the test.
func started(t testing.TB, dir string, at func(port int) *Broker) *Broker {
	t.Helper()
	b, err := start(dir, 1, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	return b
}

func start(dir string, ports int, at func(port int) *Broker) (*Broker, error) {
	for attempt := 1; ; attempt++ {
		port, err := freePorts(ports)
		if err != nil {
			return nil, err
		}
		b := at(port)
		b.Port, b.Dir = port, dir
		if err = b.start(); err == nil {
			return b, nil
		}
		if !errors.Is(err, errEnded) || attempt == attempts {
			return nil, err
		}
	}
}

// redisReady is a check that a Redis answers: also with an error, when it wants a
// password, but not with the one that it is still loading what it has.
func redisReady(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		answer, err := ask(ctx, port, "PING\r\n", len("-NOAUTH"))
		if err == nil && answer != "+PONG\r\n" && answer != "-NOAUTH" {
			err = fmt.Errorf("it answers %q", answer)
		}
		return err
	}
}

// tlsReady is a check that somebody speaks TLS.
func tlsReady(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is said
		var c net.Conn
		c, err := d.DialContext(ctx, "tcp", address(port))
		if err == nil {
			err = c.Close()
		}
		return err
	}
}
