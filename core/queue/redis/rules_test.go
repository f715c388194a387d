package redis_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
)

func TestTheRulesOfBrokersAreKept(t *testing.T) {
	for _, c := range []struct {
		name    string
		options redis.Options
		promise brokertest.Promise
	}{
		{"tap", redis.Options{Mode: redis.Tap}, brokertest.Promise{Survives: true}},
		{"consume", redis.Options{Mode: redis.Consume}, brokertest.Promise{Keeps: true, Known: true}},
		{"list", redis.Options{Mode: redis.List}, brokertest.Promise{Keeps: true, Known: true}},
		{"list newest first", redis.Options{Mode: redis.List, Newest: true}, brokertest.Promise{Keeps: true, Known: true}},
		{"channel", redis.Options{Mode: redis.Channel}, brokertest.Promise{Known: true}},
		{"stream", redis.Options{Mode: redis.Stream}, brokertest.Promise{Keeps: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			brokertest.Run(t, c.promise, func(t *testing.T) brokertest.Transport {
				t.Helper()
				tr, _ := transport(t, c.options)
				return tr
			})
		})
	}
}

// transport returns a transport over a Redis of its own.
func transport(t *testing.T, settings redis.Options) (brokertest.Transport, redis.Options) {
	t.Helper()
	o, broker := options(t, settings.Mode)
	o.Newest = settings.Newest
	with := func(e brokertest.End) redis.Options {
		o := o
		o.Linger, o.ReconnectMin, o.ReconnectMax, o.OnPeer = e.Linger, e.ReconnectMin, e.ReconnectMax, e.OnPeer
		return o
	}
	return brokertest.Transport{
		Broker:   broker,
		Receiver: func(e brokertest.End) (queue.Receiver, error) { return redis.NewReceiver(with(e)) },
		Sender:   func(e brokertest.End) (brokertest.Sender, error) { return redis.NewSender(with(e)) },
	}, o
}

func TestPythonSendsAndReceives(t *testing.T) { brokertest.RunKombu(t, python3(redis.Consume)) }

func TestPythonGoesOnWhenRedisCrashes(t *testing.T) { brokertest.RunKombuCrash(t, python3(redis.Tap)) }

// python3 starts a Redis for Python and a mode.
func python3(mode redis.Mode) func(*testing.T) brokertest.Kombu {
	return func(t *testing.T) brokertest.Kombu {
		t.Helper()
		tr, o := transport(t, redis.Options{Mode: mode})
		return brokertest.Kombu{Transport: tr, URI: o.URI, Queue: redis.DefaultQueue, Takes: true}
	}
}
