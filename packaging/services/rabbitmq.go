package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// Shared has the brokers that all tests of a package share, because they take long to
// start. The zero value has none yet. The user and the password are guest.
type Shared struct {
	mu     sync.Mutex
	dir    string
	rabbit *Broker
	epmd   *process
	at     int // the port of epmd
	err    error
}

// M runs the tests of a package; [testing.M] is one.
type M interface{ Run() int }

type sharing struct {
	s *Shared
	m M
}

// Main returns m with the brokers ended after its tests.
func (s *Shared) Main(m M) M { return sharing{s, m} }

func (m sharing) Run() int {
	defer m.s.stop()
	return m.m.Run()
}

// RabbitMQ returns a RabbitMQ and starts it if it does not run. It speaks TLS at the port
// above Port; clients trust it with the file ca.pem in its directory. What tests
// declare there others find: take queues of your own.
func (s *Shared) RabbitMQ(t testing.TB) *Broker {
	t.Helper()
	found(t, rabbitmqServer)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rabbit == nil && s.err == nil {
		s.rabbit, s.err = s.start()
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	s.rabbit.Restart(t)
	return s.rabbit
}

// Control has RabbitMQ, which runs, do something: args are those of rabbitmqctl.
func (s *Shared) Control(t testing.TB, args ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := launch(append([]string{"rabbitmqctl", s.dir, strconv.Itoa(s.rabbit.Port), strconv.Itoa(s.at)}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	<-p.done
	if !p.cmd.ProcessState.Success() {
		t.Fatalf("rabbitmqctl %q: %s", args, p.out.String())
	}
}

// MutualTLS has RabbitMQ, which runs, want certificates of clients at one more port, until it is
// started again, and returns that address. client.pem and client-key.pem in its directory do.
func (s *Shared) MutualTLS(t testing.TB) string {
	t.Helper()
	b := s.RabbitMQ(t)
	s.Control(t, "eval", fmt.Sprintf(`rabbit_networking:start_ssl_listener({"127.0.0.1", %d}, [
		{cacertfile, "%[2]s/ca.pem"}, {certfile, "%[2]s/server.pem"}, {keyfile, "%[2]s/server-key.pem"},
		{verify, verify_peer}, {fail_if_no_peer_cert, true}], 1).`, b.Port+3, b.Dir))
	return address(b.Port + 3)
}

// TLSAddr returns the address where RabbitMQ speaks TLS.
func (b *Broker) TLSAddr() string { return address(b.Port + 1) }

const rabbitmqServer = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// start starts a RabbitMQ and the epmd that Erlang needs. s.mu is held.
func (s *Shared) start() (*Broker, error) {
	dir, err := os.MkdirTemp("", "rabbitmq-")
	if err != nil {
		return nil, err
	}
	s.dir = dir
	if err := writeCertificates(dir, false); err != nil {
		return nil, err
	}
	epmd, err := s.startEpmd()
	if err != nil {
		return nil, err
	}
	s.at = epmd
	// For AMQP, for TLS, for other nodes, and for TLS with certificates of clients.
	return start(dir, 4, func(port int) *Broker {
		return &Broker{launch: func() (*process, error) {
			return launch("rabbitmq", dir, strconv.Itoa(port), strconv.Itoa(port+2), strconv.Itoa(epmd))
		}, ready: rabbitmqReady(port)}
	})
}

// startEpmd returns the port of a new epmd.
func (s *Shared) startEpmd() (int, error) {
	for attempt := 1; ; attempt++ {
		port, err := freePorts(1)
		if err != nil {
			return 0, err
		}
		p, err := launch("epmd", strconv.Itoa(port))
		if err != nil {
			return 0, err
		}
		err = p.await(func(ctx context.Context) error {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", address(port))
			if err == nil {
				err = c.Close()
			}
			return err
		})
		if err == nil {
			s.epmd = p
			return port, nil
		}
		p.kill()
		if !errors.Is(err, errEnded) || attempt == attempts {
			return 0, err
		}
	}
}

// rabbitmqReady is a check that RabbitMQ greets.
func rabbitmqReady(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		answer, err := ask(ctx, port, "AMQP\x00\x00\x09\x01", 1)
		if err == nil && answer != "\x01" { // a frame with a method
			err = fmt.Errorf("it answers %q", answer)
		}
		return err
	}
}

// stop ends what was started and removes its files.
func (s *Shared) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rabbit != nil {
		s.rabbit.Kill()
	}
	if s.epmd != nil {
		s.epmd.kill()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}
