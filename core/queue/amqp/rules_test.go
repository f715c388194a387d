package amqp_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
)

func TestTheQueueKeepsTheRulesOfBrokers(t *testing.T) { rules(t, true) }

func TestATapKeepsTheRulesOfBrokers(t *testing.T) { rules(t, false) }

func rules(t *testing.T, consume bool) {
	t.Helper()
	brokertest.Run(t, brokertest.Promise{Keeps: consume, Known: !consume}, func(t *testing.T) brokertest.Transport {
		t.Helper()
		return transport(t, consume)
	})
}

func transport(t *testing.T, consume bool) brokertest.Transport {
	t.Helper()
	broker := shared.RabbitMQ(t)
	with := func(e brokertest.End) amqp.Options {
		o := options(t, broker)
		o.Consume, o.Linger, o.ReconnectMin, o.ReconnectMax, o.OnPeer = consume, e.Linger, e.ReconnectMin, e.ReconnectMax, e.OnPeer
		return o
	}
	return brokertest.Transport{
		Broker:   broker,
		Receiver: func(e brokertest.End) (queue.Receiver, error) { return amqp.NewReceiver(with(e)) },
		Sender:   func(e brokertest.End) (brokertest.Sender, error) { return amqp.NewSender(with(e)) },
	}
}

func TestPythonSendsAndReceives(t *testing.T) { brokertest.RunKombu(t, python3) }

func TestPythonSendsAndReceivesAcrossACrashOfTheBroker(t *testing.T) {
	brokertest.RunKombuCrash(t, python3)
}

func python3(t *testing.T) brokertest.Kombu {
	t.Helper()
	o := options(t, shared.RabbitMQ(t))
	return brokertest.Kombu{Transport: transport(t, true), URI: o.URI, Queue: o.Queue}
}
