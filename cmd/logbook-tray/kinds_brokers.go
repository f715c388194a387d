package main

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/core/queue/mqtt"
	"github.com/logbook-tray/logbook-tray/core/queue/nats"
	"github.com/logbook-tray/logbook-tray/core/queue/nng"
)

// brokerSources are the queues that a team's servers publish to.
func brokerSources() []pipeline.SourceKind {
	both := subscription("nng", "the NNG sockets of Logbook's cookbook", newNNG)
	both.Listen = true
	return []pipeline.SourceKind{
		both,
		subscription("amqp", "Logbook's MessageQueueHandler over RabbitMQ", newAMQP),
		subscription("redis", "Logbook's MessageQueueHandler and RedisHandler over Redis", newRedis),
		subscription("mongodb", "Logbook's MessageQueueHandler over MongoDB", newMongoDB),
		subscription("nats", "a subject or a stream of NATS", newNATS),
		subscription("mqtt", "topics of an MQTT 5 broker", newMQTT),
	}
}

// brokerURI returns the URI of a broker. It may hold a password, so messages about it
// do not show it.
func brokerURI(secret config.Secret, schemes ...string) (string, error) {
	uri := secret.Reveal()
	for _, scheme := range schemes {
		if rest, ok := strings.CutPrefix(uri, scheme+"://"); ok && rest != "" {
			return uri, nil
		}
	}
	if uri == "" {
		return "", config.At("uri", "is missing: give one such as %s://localhost", schemes[0])
	}
	return "", config.At("uri", "does not begin with %s://", strings.Join(schemes, ":// or "))
}

type amqpOptions struct {
	clientTLS
	decoding

	URI       config.Secret `yaml:"uri,required"`
	Queue     string        `yaml:"queue"`
	Consume   bool          `yaml:"consume"`
	Prefetch  int           `yaml:"prefetch"`
	TapLength int           `yaml:"tap_length"`
	Timeout   time.Duration `yaml:"timeout"`
}

func newAMQP(env *pipeline.Env, o *amqpOptions) (pipeline.Opener, error) {
	uri, err := brokerURI(o.URI, "amqp", "amqps")
	secure, terr := o.configFor(o.URI.Reveal(), "amqps")
	d, derr := o.decoder(0)
	err = errors.Join(err, terr, derr, notNegative("prefetch", o.Prefetch), notNegative("tap_length", o.TapLength))
	if err != nil {
		return nil, err
	}
	settings := amqp.Options{
		URI: uri, Queue: o.Queue, Consume: o.Consume, Prefetch: o.Prefetch, TapLength: o.TapLength,
		Decoder: d, TLS: secure, Timeout: o.Timeout, OnPeer: peerLogger(env),
	}
	if err := settings.Check(); err != nil {
		return nil, config.At("uri", "%w", err)
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return amqp.NewReceiver(settings) }), nil
}

// natsShared are the options of both directions.
type natsShared struct {
	clientTLS

	URI         config.Secret `yaml:"uri,required"`
	Subject     string        `yaml:"subject"`
	Stream      string        `yaml:"stream"`
	Credentials string        `yaml:"credentials,path"`
}

func (o *natsShared) settings() (nats.Options, error) {
	uri, err := brokerURI(o.URI, "nats", "tls")
	secure, terr := o.config()
	return nats.Options{URI: uri, Subject: o.Subject, Stream: o.Stream, Credentials: o.Credentials, TLS: secure}, errors.Join(err, terr)
}

type natsOptions struct {
	natsShared
	decoding

	Durable  string        `yaml:"durable"`
	Group    string        `yaml:"group"`
	Prefetch int           `yaml:"prefetch"`
	AckWait  time.Duration `yaml:"ack_wait"`
	Timeout  time.Duration `yaml:"timeout"`
}

func newNATS(env *pipeline.Env, o *natsOptions) (pipeline.Opener, error) {
	settings, err := o.settings()
	d, derr := o.decoder(0)
	err = errors.Join(err, derr, notNegative("prefetch", o.Prefetch))
	if o.Stream == "" && o.Durable != "" {
		err = errors.Join(err, config.At("durable", "needs a stream: without one nothing is kept"))
	}
	if o.Stream != "" && o.Group != "" {
		err = errors.Join(err, config.At("group", "is for a subject: those who read a stream share it by the same durable"))
	}
	if err == nil {
		settings.Group = o.Group
		settings.Durable, settings.Prefetch, settings.AckWait = o.Durable, o.Prefetch, o.AckWait
		settings.Timeout, settings.Decoder, settings.OnPeer = o.Timeout, d, peerLogger(env)
		err = blameNATS(settings.Check())
	}
	if err != nil {
		return nil, err
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return nats.NewReceiver(settings) }), nil
}

func blameNATS(err error) error {
	return blame(err, "the URI", "uri", "the subject", "subject", "the stream", "stream", "the durable", "durable", "the group", "group")
}

type mqttOptions struct {
	clientTLS
	decoding

	URI           config.Secret `yaml:"uri,required"`
	Topics        []string      `yaml:"topics"`
	Group         string        `yaml:"group"`
	ClientID      string        `yaml:"client_id"`
	SessionExpiry time.Duration `yaml:"session_expiry"`
	Prefetch      int           `yaml:"prefetch"`
	MaxSize       config.Size   `yaml:"max_size"`
	Timeout       time.Duration `yaml:"timeout"`
}

func newMQTT(env *pipeline.Env, o *mqttOptions) (pipeline.Opener, error) {
	uri, err := brokerURI(o.URI, "mqtt", "mqtts")
	secure, terr := o.configFor(o.URI.Reveal(), "mqtts")
	d, derr := o.decoder(o.MaxSize)
	if err = errors.Join(err, terr, derr); err != nil {
		return nil, err
	}
	settings := mqtt.Options{
		URI: uri, Topics: o.Topics, Group: o.Group, ClientID: o.ClientID, SessionExpiry: o.SessionExpiry, Prefetch: o.Prefetch,
		MaxMessageSize: int(o.MaxSize), Decoder: d, TLS: secure, Timeout: o.Timeout, OnPeer: peerLogger(env),
	}
	if err := blameMQTT(settings.Check()); err != nil {
		return nil, err
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return mqtt.NewReceiver(settings) }), nil
}

func blameMQTT(err error) error {
	return blame(err, "the URI", "uri", "the filter", "topics", "the topic", "topic", "the group", "group",
		"the client ID", "client_id", "the prefetch", "prefetch")
}

// nngShared are the options of both directions.
type nngShared struct {
	certified

	TLSCA       string `yaml:"tls_ca,path"`
	TLSClientCA string `yaml:"tls_client_ca,path"`

	URI  string   `yaml:"uri"`
	URIs []string `yaml:"uris"`
	Mode string   `yaml:"mode"`
}

// nngModes are the values of the option mode.
type nngModes map[string]struct {
	pattern nng.Pattern
	side    nng.Side
}

// settings checks the options, as far as that can be done without opening the socket.
func (o *nngShared) settings(known nngModes) (s nng.Options, err error) {
	s.Addresses = o.URIs
	field := "uris"
	if o.URI != "" {
		s.Addresses, field = append([]string{o.URI}, o.URIs...), "uri"
	}
	if len(s.Addresses) == 0 {
		return s, config.At("uri", "is missing: give one such as tcp://127.0.0.1:13232")
	}
	m, ok := known[o.Mode]
	if !ok {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(n string) bool { return n == "" })
		return s, oneOf("mode", o.Mode, names...)
	}
	s.Pattern, s.Side = m.pattern, m.side
	listens := m.side == nng.Listen
	if s.TLS, err = o.security(s.Addresses, field, listens); err != nil {
		return s, err
	}
	for _, uri := range s.Addresses {
		remedy := "use " + nngTLS + " with tls_cert, tls_key and tls_client_ca"
		open := listens && (!strings.HasPrefix(uri, nngTLS) || !identifies(s.TLS))
		err = errors.Join(err, atField(field, checkURI(uri, []string{"tcp", "tls+tcp", "ipc"}, open, remedy)))
	}
	return s, err
}

// nngTLS is what addresses begin with where TLS is spoken.
const nngTLS = "tls+tcp://"

// security returns the settings of TLS; nil if there is nothing to set.
func (o *nngShared) security(addresses []string, field string, listens bool) (*tls.Config, error) {
	used := slices.ContainsFunc(addresses, func(uri string) bool { return strings.HasPrefix(uri, nngTLS) })
	for _, option := range []struct {
		name, value string
		ok          bool
		why         string
	}{
		{"tls_ca", o.TLSCA, !listens, "is for an end that connects; one that listens has tls_client_ca"},
		{"tls_client_ca", o.TLSClientCA, listens, "is for an end that listens; one that connects has tls_ca"},
		{"tls_ca", o.TLSCA, used, "needs an address that begins with " + nngTLS},
		{"tls_client_ca", o.TLSClientCA, used, "needs an address that begins with " + nngTLS},
		{"tls_cert", o.TLSCert, used, "needs an address that begins with " + nngTLS},
	} {
		if option.value != "" && !option.ok {
			return nil, config.At(option.name, "%s", option.why)
		}
	}
	if !listens {
		return (&clientTLS{certified: o.certified, TLSCA: o.TLSCA}).config()
	}
	if used && o.TLSCert == "" && o.TLSKey == "" {
		return nil, config.At(field, "needs tls_cert and tls_key, the files of a certificate and its key")
	}
	return (&serverTLS{o.certified}).config(o.TLSClientCA)
}

type nngOptions struct {
	nngShared
	decoding

	Topics  []string    `yaml:"topics"`
	MaxSize config.Size `yaml:"max_size"`
}

func newNNG(env *pipeline.Env, o *nngOptions) (pipeline.Opener, error) {
	settings, err := o.settings(nngModes{
		"":          {nng.Sub, nng.Listen},
		"sub":       {nng.Sub, nng.Listen},
		"pull":      {nng.Pull, nng.Listen},
		"sub_dial":  {nng.Sub, nng.Dial},
		"pull_dial": {nng.Pull, nng.Dial},
	})
	d, derr := o.decoder(o.MaxSize)
	if err = errors.Join(err, derr); err != nil {
		return nil, err
	}
	if settings.Topics = o.Topics; len(o.Topics) > 0 && settings.Pattern != nng.Sub {
		return nil, config.At("topics", "only a SUB socket has them")
	}
	settings.MaxMessageSize = int(o.MaxSize)
	settings.OnPeer = peerLogger(env)
	return decodingOpener(env, d, func(context.Context) (queue.Receiver, error) { return nng.NewReceiver(settings) }), nil
}
