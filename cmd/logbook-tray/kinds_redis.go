package main

import (
	"context"
	"errors"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
)

type redisOptions struct {
	clientTLS
	decoding

	URI        config.Secret `yaml:"uri,required"`
	Mode       string        `yaml:"mode"`
	Queue      string        `yaml:"queue"`
	Newest     bool          `yaml:"newest_first"`
	Group      string        `yaml:"group"`
	Consumer   string        `yaml:"consumer"`
	ClaimAfter time.Duration `yaml:"claim_after"`
	MaxLength  int           `yaml:"max_length"`
	Timeout    time.Duration `yaml:"timeout"`
}

func newRedis(env *pipeline.Env, o *redisOptions) (pipeline.Opener, error) {
	uri, err := brokerURI(o.URI, "redis", "rediss", "unix")
	secure, terr := o.configFor(o.URI.Reveal(), "rediss")
	d, derr := o.decoder(0)
	err = errors.Join(err, terr, derr, oneOf("mode", o.Mode, "tap", "consume", "list", "channel", "stream"), notNegative("max_length", o.MaxLength))
	if o.ClaimAfter != 0 && o.Mode != "stream" {
		err = errors.Join(err, config.At("claim_after", "only a stream remembers who has what: set mode: stream"))
	}
	if err != nil {
		return nil, err
	}
	settings := redis.Options{
		URI: uri, Mode: redis.Mode(o.Mode), Queue: o.Queue, Newest: o.Newest, Group: o.Group, Consumer: o.Consumer,
		ClaimAfter: o.ClaimAfter, MaxLength: int64(o.MaxLength), Decoder: d, TLS: secure, Timeout: o.Timeout, OnPeer: peerLogger(env),
	}
	if err := blameRedis(settings.Check()); err != nil {
		return nil, err
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return redis.NewReceiver(settings) }), nil
}

func blameRedis(err error) error {
	return blame(err, "the URI", "uri", "the claim time", "claim_after", "the flush threshold", "flush_threshold")
}

type redisSendOptions struct {
	confirmed
	clientTLS

	URI            config.Secret  `yaml:"uri,required"`
	Mode           string         `yaml:"mode"`
	Queue          string         `yaml:"queue"`
	Newest         bool           `yaml:"newest_first"`
	MaxLength      int            `yaml:"max_length"`
	Encoding       string         `yaml:"encoding"`
	ExtraFields    map[string]any `yaml:"extra_fields"`
	FlushThreshold int            `yaml:"flush_threshold"`
	FlushTime      time.Duration  `yaml:"flush_time"`
}

func defaultRedisSend() *redisSendOptions { return &redisSendOptions{confirmed: defaultConfirmed()} }

// redisSendModes are the values of the option mode.
func redisSendModes() map[string]redis.Mode {
	return map[string]redis.Mode{
		"": redis.Tap, "queue": redis.Tap, "list": redis.List, "channel": redis.Channel, "stream": redis.Stream,
	}
}

func newRedisSender(env *pipeline.Env, o *redisSendOptions) (core.Handler, error) {
	uri, err := brokerURI(o.URI, "redis", "rediss", "unix")
	secure, terr := o.configFor(o.URI.Reveal(), "rediss")
	mode := redisSendModes()[o.Mode]
	err = errors.Join(err, terr, oneOf("mode", o.Mode, "queue", "list", "channel", "stream"), notNegative("max_length", o.MaxLength),
		notNegative("window", o.Window), notNegative("flush_threshold", o.FlushThreshold), oneOf("encoding", o.Encoding, "short", "json"))
	plain := mode == redis.List || mode == redis.Channel
	short := plain && o.Encoding != "json"
	if o.FlushTime != 0 && o.FlushThreshold < 2 {
		err = errors.Join(err, config.At("flush_time", "no record waits for others: set flush_threshold, too"))
	}
	switch {
	case o.Newest && mode != redis.List:
		err = errors.Join(err, config.At("newest_first", "only a list has an order to choose: set mode: list"))
	case o.Encoding == "short" && !plain:
		err = errors.Join(err, config.At("encoding", "short is for the modes list and channel"))
	case len(o.ExtraFields) > 0 && !short:
		err = errors.Join(err, config.At("extra_fields", "are for the encoding short, of the modes list and channel"))
	}
	if err != nil {
		return nil, err
	}
	settings := redis.Options{
		URI: uri, Mode: mode, Queue: o.Queue, Newest: o.Newest, MaxLength: int64(o.MaxLength), Window: o.Window, Linger: o.Linger,
		FlushThreshold: o.FlushThreshold, FlushTime: o.FlushTime, TLS: secure, OnPeer: peerLogger(env),
	}
	var encode func([]byte, *core.Record) ([]byte, error)
	if short {
		var fields core.Fields
		for name, value := range o.ExtraFields {
			fields.Set(name, value)
		}
		encode = redis.Encoder(fields)
	}
	if err := blameRedis(settings.Check()); err != nil {
		return nil, err
	}
	return sendToBroker(env, &o.sending, encode, func() (*redis.Sender, error) { return redis.NewSender(settings) })
}
