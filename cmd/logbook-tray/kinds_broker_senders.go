package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/core/queue/mqtt"
	"github.com/logbook-tray/logbook-tray/core/queue/nats"
	"github.com/logbook-tray/logbook-tray/core/queue/nng"
)

// brokerSenderKinds are the handlers that publish each record to a queue from which
// others receive it.
func brokerSenderKinds() []pipeline.HandlerKind {
	return []pipeline.HandlerKind{
		handlerKind("amqp", "publishes records to RabbitMQ as Logbook's MessageQueueHandler does", defaultAMQPSend, newAMQPSender),
		handlerKind("redis", "publishes records to Redis as Logbook's MessageQueueHandler and RedisHandler do", defaultRedisSend, newRedisSender),
		handlerKind("mongodb", "publishes records to MongoDB as Logbook's MessageQueueHandler does", defaultMongoDBSend, newMongoDBSender),
		handlerKind("nats", "publishes records to a subject or a stream of NATS", defaultNATSSend, newNATSSender),
		handlerKind("mqtt", "publishes records to a topic of an MQTT 5 broker", defaultMQTTSend, newMQTTSender),
		handlerKind("nng", "publishes records over NNG, as Logbook's cookbook does", plain[nngSendOptions], newNNGSender),
		handlerKind("pipe", "writes records to a program that it runs, as Logbook's MultiProcessingHandler does, or to a named pipe",
			defaultPipeSend, newPipeSender),
	}
}

// awayTime is how long a record waits by default for a broker that is away, before it is
// counted as failed. Those behind it wait in the queue of the handler meanwhile.
const awayTime = 10 * time.Second

// confirmed are the options of those whose broker confirms what it has taken.
type confirmed struct {
	sending

	Window int           `yaml:"window"`
	Linger time.Duration `yaml:"linger"`
}

func defaultConfirmed() confirmed { return confirmed{sending: sending{Timeout: awayTime}} }

// brokerSender is a sender that connects when the first record comes, and says what has
// become of it.
type brokerSender struct {
	late lateSender

	mu     sync.Mutex
	opened queue.Sender // stays when it is closed
}

var (
	_ queue.Sender   = (*brokerSender)(nil)
	_ queue.Statuser = (*brokerSender)(nil)
)

func newBrokerSender[S queue.Sender](open func() (S, error)) *brokerSender {
	b := new(brokerSender)
	b.late.open = func() (queue.Sender, error) {
		s, err := open()
		if err != nil {
			return nil, err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.opened = s
		return s, nil
	}
	return b
}

// Send implements queue.Sender.
func (b *brokerSender) Send(ctx context.Context, body []byte) error { return b.late.Send(ctx, body) }

// Close implements queue.Sender.
func (b *brokerSender) Close() error { return b.late.Close() }

// sender returns the sender; nil if no record has come yet.
func (b *brokerSender) sender() queue.Sender {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opened
}

// Status implements queue.Statuser.
func (b *brokerSender) Status() queue.Status {
	if s, ok := b.sender().(queue.Statuser); ok {
		return s.Status()
	}
	return queue.Status{State: queue.StateConnecting}
}

// brokerHandler is a handler behind a queue whose status is that of the broker, too.
type brokerHandler struct {
	async[*queue.Handler]

	sender *brokerSender
}

// sendToBroker returns a handler that sends each record by what open returns.
func sendToBroker[S queue.Sender](env *pipeline.Env, o *sending, encode func([]byte, *core.Record) ([]byte, error), open func() (S, error)) (core.Handler, error) {
	settings, err := o.options()
	if err != nil {
		return nil, err
	}
	s := newBrokerSender(open)
	h := queue.NewHandler(s, queue.HandlerOptions{Encode: encode, Timeout: o.Timeout})
	return brokerHandler{newAsync(env, h, settings, nil), s}, nil
}

// Report implements pipeline.Reporter. A record is delivered when the broker has
// confirmed it, or where there is none, when it was written to a connection.
func (b brokerHandler) Report() pipeline.Report {
	r := b.async.Report()
	s := b.sender.sender()
	if s, ok := s.(interface{ Sent() uint64 }); ok {
		sent := s.Sent()
		r.Counters["unconfirmed"] = max(r.Counters["delivered"], sent) - sent
		r.Counters["delivered"] = sent
	}
	if s, ok := s.(interface{ Lost() uint64 }); ok {
		lost := s.Lost()
		r.Counters["lost"] = lost
		r.Counters["unconfirmed"] -= min(lost, r.Counters["unconfirmed"])
	}
	if s, ok := s.(interface{ Unheard() uint64 }); ok {
		unheard := s.Unheard()
		r.Counters["unheard"] = unheard
		r.Counters["unconfirmed"] -= min(unheard, r.Counters["unconfirmed"])
	}
	st := b.sender.Status()
	up := st.State == queue.StateConnected || st.State == queue.StateListening
	r.Detail = st.Detail
	if r.Detail == "" && s != nil && !up {
		r.Detail = string(st.State)
	}
	if s, ok := s.(interface{ Printed() string }); ok {
		if line := display.Line(s.Printed(), maxPrinted); line != "" {
			r.Detail = strings.TrimPrefix(r.Detail+", printed: "+line, ", ")
		}
	}
	if st.Err != nil {
		r.Error = st.Err.Error()
		if r.State == string(queue.AsyncOK) && !up {
			r.State = string(queue.AsyncRetrying)
		}
	}
	if st.State == queue.StateFailed {
		r.State = string(queue.AsyncFailing)
	}
	return r
}

type amqpSendOptions struct {
	confirmed
	clientTLS

	URI   config.Secret `yaml:"uri,required"`
	Queue string        `yaml:"queue"`
}

func defaultAMQPSend() *amqpSendOptions { return &amqpSendOptions{confirmed: defaultConfirmed()} }

func newAMQPSender(env *pipeline.Env, o *amqpSendOptions) (core.Handler, error) {
	uri, err := brokerURI(o.URI, "amqp", "amqps")
	secure, terr := o.configFor(o.URI.Reveal(), "amqps")
	if err = errors.Join(err, terr, notNegative("window", o.Window)); err != nil {
		return nil, err
	}
	settings := amqp.Options{
		URI: uri, Queue: o.Queue, Window: o.Window, Linger: o.Linger, TLS: secure, OnPeer: peerLogger(env),
	}
	if err := settings.Check(); err != nil {
		return nil, config.At("uri", "%w", err)
	}
	return sendToBroker(env, &o.sending, nil, func() (*amqp.Sender, error) { return amqp.NewSender(settings) })
}

type natsSendOptions struct {
	natsShared
	confirmed
}

func defaultNATSSend() *natsSendOptions { return &natsSendOptions{confirmed: defaultConfirmed()} }

func newNATSSender(env *pipeline.Env, o *natsSendOptions) (core.Handler, error) {
	settings, err := o.settings()
	if err = errors.Join(err, notNegative("window", o.Window)); err == nil {
		settings.Window, settings.Linger, settings.OnPeer = o.Window, o.Linger, peerLogger(env)
		err = blameNATS(settings.CheckSender())
	}
	if err != nil {
		return nil, err
	}
	return sendToBroker(env, &o.sending, nil, func() (*nats.Sender, error) { return nats.NewSender(settings) })
}

type mqttSendOptions struct {
	confirmed
	clientTLS

	URI   config.Secret `yaml:"uri,required"`
	Topic string        `yaml:"topic"`
}

func defaultMQTTSend() *mqttSendOptions { return &mqttSendOptions{confirmed: defaultConfirmed()} }

func newMQTTSender(env *pipeline.Env, o *mqttSendOptions) (core.Handler, error) {
	uri, err := brokerURI(o.URI, "mqtt", "mqtts")
	secure, terr := o.configFor(o.URI.Reveal(), "mqtts")
	if err = errors.Join(err, terr, notNegative("window", o.Window)); err != nil {
		return nil, err
	}
	settings := mqtt.Options{
		URI: uri, Topic: o.Topic, Window: o.Window, Linger: o.Linger, TLS: secure, OnPeer: peerLogger(env),
	}
	if err := blameMQTT(settings.Check()); err != nil {
		return nil, err
	}
	return sendToBroker(env, &o.sending, nil, func() (*mqtt.Sender, error) { return mqtt.NewSender(settings) })
}

type nngSendOptions struct {
	nngShared
	sending

	Topic  string        `yaml:"topic"`
	Linger time.Duration `yaml:"linger"`
}

func newNNGSender(env *pipeline.Env, o *nngSendOptions) (core.Handler, error) {
	settings, err := o.settings(nngModes{
		"":            {nng.Push, nng.Dial},
		"push":        {nng.Push, nng.Dial},
		"pub":         {nng.Pub, nng.Dial},
		"push_listen": {nng.Push, nng.Listen},
		"pub_listen":  {nng.Pub, nng.Listen},
	})
	if err != nil {
		return nil, err
	}
	if settings.Topic = o.Topic; o.Topic != "" && settings.Pattern != nng.Pub {
		return nil, config.At("topic", "only a PUB socket has one")
	}
	settings.Linger = o.Linger
	settings.OnPeer = peerLogger(env)
	return sendToBroker(env, &o.sending, nil, func() (*nng.Sender, error) { return nng.NewSender(settings) })
}
