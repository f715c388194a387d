package mongodb_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestATapKeepsTheRulesOfBrokers(t *testing.T) {
	rules(t, brokertest.Promise{Survives: true}, 2)
}

func TestTheQueueKeepsTheRulesOfBrokers(t *testing.T) {
	rules(t, brokertest.Promise{Keeps: true, Known: true}, 4)
}

// rules checks them with a part of the records that others have, since FerretDB looks through
// all documents whenever it looks for some, except when long tests were asked for.
func rules(t *testing.T, p brokertest.Promise, part int) {
	t.Helper()
	part = brokertest.Count(part, 1)
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
