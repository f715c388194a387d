package amqp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
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
	return brokertest.Receiving(t, amqp.NewReceiver, o)
}

func subscriber(t *testing.T, o amqp.Options) *queue.Subscriber {
	t.Helper()
	return brokertest.Subscribing(t, amqp.NewReceiver, o)
}

func sender(t *testing.T, o amqp.Options) *amqp.Sender {
	t.Helper()
	return brokertest.Started(t, amqp.NewSender, o)
}

// channel opens a channel of a test's own.
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
