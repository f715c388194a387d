package amqp_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

var shared services.Shared //nolint:gochecknoglobals // one RabbitMQ for all tests

func TestMain(m *testing.M) { goleak.VerifyTestMain(shared.Main(m)) }

// options are those for a broker and a queue of this test alone.
func options(t *testing.T, b *services.Broker) amqp.Options {
	t.Helper()
	return amqp.Options{
		URI:   fmt.Sprintf("amqp://guest:guest@%s//", b.Addr()),
		Queue: strings.NewReplacer("/", "-").Replace(t.Name()),
		// A test waits for a broker longer than for the next attempt.
		ReconnectMax: time.Second,
		Linger:       services.Patience,
	}
}

// receive returns a subscriber that is connected.
func receive(t *testing.T, o amqp.Options) *queue.Subscriber {
	t.Helper()
	s := subscriber(t, o)
	await(t, "the connection", func() bool { return s.Status().State == queue.StateConnected }, s)
	return s
}

func subscriber(t *testing.T, o amqp.Options) *queue.Subscriber {
	t.Helper()
	r, err := amqp.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	s := queue.NewSubscriber(r, queue.Options{})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func sender(t *testing.T, o amqp.Options) *amqp.Sender {
	t.Helper()
	s, err := amqp.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// patience bounds how long a test waits for something that should happen at once.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	t.Cleanup(cancel)
	return ctx
}

// next returns the message of the next record.
func next(t *testing.T, s *queue.Subscriber) string {
	t.Helper()
	r, err := s.Recv(patience(t))
	if err != nil {
		t.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r.Message()
}

// await polls a condition; who is asked for its status when it does not become true.
func await(t *testing.T, what string, condition func() bool, who interface{ Status() queue.Status }) {
	t.Helper()
	deadline := time.NewTimer(services.Patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s; %+v", what, who.Status())
		}
	}
}

// python runs a program to its end and returns what it has printed.
func python(t *testing.T, program string, args ...string) string {
	t.Helper()
	return e2e.Run(t, os.Environ(), nil, "/usr/bin/python3", append([]string{"-c", program}, args...)...)
}

// broker opens a channel of a test's own.
func channel(t *testing.T, o amqp.Options) *amqp091.Channel {
	t.Helper()
	conn, err := amqp091.Dial(o.URI)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return c
}
