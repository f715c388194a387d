package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
)

// brokerSources are the queues that a team's servers publish to.
func brokerSources() []pipeline.SourceKind {
	return []pipeline.SourceKind{
		subscription("amqp", "Logbook's MessageQueueHandler over RabbitMQ", newAMQP),
		subscription("redis", "Logbook's MessageQueueHandler and RedisHandler over Redis", newRedis),
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
	secure, terr := o.config()
	d, derr := o.decoder(0)
	err = errors.Join(err, terr, derr, notNegative("prefetch", o.Prefetch), notNegative("tap_length", o.TapLength))
	if err != nil {
		return nil, err
	}
	settings := amqp.Options{
		URI: uri, Queue: o.Queue, Consume: o.Consume, Prefetch: o.Prefetch, TapLength: o.TapLength,
		Decoder: d, TLS: secure, Timeout: o.Timeout, OnPeer: peerLogger(env),
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return amqp.NewReceiver(settings) }), nil
}

type redisOptions struct {
	clientTLS
	decoding

	URI       config.Secret `yaml:"uri,required"`
	Mode      string        `yaml:"mode"`
	Queue     string        `yaml:"queue"`
	Newest    bool          `yaml:"newest_first"`
	Group     string        `yaml:"group"`
	Consumer  string        `yaml:"consumer"`
	MaxLength int           `yaml:"max_length"`
	Timeout   time.Duration `yaml:"timeout"`
}

func newRedis(env *pipeline.Env, o *redisOptions) (pipeline.Opener, error) {
	uri, err := brokerURI(o.URI, "redis", "rediss", "unix")
	secure, terr := o.config()
	d, derr := o.decoder(0)
	err = errors.Join(err, terr, derr, oneOf("mode", o.Mode, "tap", "consume", "list", "channel", "stream"), notNegative("max_length", o.MaxLength))
	if err != nil {
		return nil, err
	}
	settings := redis.Options{
		URI: uri, Mode: redis.Mode(o.Mode), Queue: o.Queue, Newest: o.Newest, Group: o.Group, Consumer: o.Consumer,
		MaxLength: int64(o.MaxLength), Decoder: d, TLS: secure, Timeout: o.Timeout, OnPeer: peerLogger(env),
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return redis.NewReceiver(settings) }), nil
}
