package mongodb_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// FerretDB looks through all documents whenever it looks for one.
func TestATapKeepsTheRulesOfBrokers(t *testing.T) {
	rules(t, brokertest.Promise{Survives: true}, 2)
}

// It does so for each that it changes, too, and a message that is claimed is changed.
func TestTheQueueKeepsTheRulesOfBrokers(t *testing.T) {
	rules(t, brokertest.Promise{Keeps: true, Known: true}, 20)
}

func rules(t *testing.T, p brokertest.Promise, part int) {
	t.Helper()
	brokertest.Run(t, p, func(t *testing.T) brokertest.Transport {
		b := services.StartFerretDB(t)
		with := func(e brokertest.End) mongodb.Options {
			o := options(b)
			o.Consume, o.Linger, o.ReconnectMin, o.ReconnectMax, o.OnPeer = p.Keeps, e.Linger, e.ReconnectMin, e.ReconnectMax, e.OnPeer
			return o
		}
		return brokertest.Transport{
			Broker: b, Part: part,
			Receiver: func(e brokertest.End) (queue.Receiver, error) { return mongodb.NewReceiver(with(e)) },
			Sender:   func(e brokertest.End) (brokertest.Sender, error) { return mongodb.NewSender(with(e)) },
		}
	})
}
