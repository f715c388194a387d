package main

import (
	"context"
	"errors"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
)

// mongodbShared are the options of both directions.
type mongodbShared struct {
	clientTLS

	URI   config.Secret `yaml:"uri,required"`
	Queue string        `yaml:"queue"`
}

func (o *mongodbShared) settings(env *pipeline.Env) (mongodb.Options, error) {
	uri, err := brokerURI(o.URI, "mongodb", "mongodb+srv")
	secure, terr := o.config()
	return mongodb.Options{URI: uri, Queue: o.Queue, TLS: secure, OnPeer: peerLogger(env)}, errors.Join(err, terr)
}

func blameMongoDB(err error) error {
	return blame(err, "the URI", "uri", "the queue", "queue", "the poll interval", "poll_interval")
}

type mongodbOptions struct {
	mongodbShared
	decoding

	Consume      bool          `yaml:"consume"`
	MaxLength    int           `yaml:"max_length"`
	PollInterval time.Duration `yaml:"poll_interval"`
	Timeout      time.Duration `yaml:"timeout"`
}

func newMongoDB(env *pipeline.Env, o *mongodbOptions) (pipeline.Opener, error) {
	settings, err := o.settings(env)
	d, derr := o.decoder(0)
	err = errors.Join(err, derr, notNegative("max_length", o.MaxLength))
	if err == nil {
		settings.Consume, settings.MaxLength, settings.PollInterval = o.Consume, int64(o.MaxLength), o.PollInterval
		settings.Timeout, settings.Decoder = o.Timeout, d
		err = blameMongoDB(settings.Check())
	}
	if err != nil {
		return nil, err
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return mongodb.NewReceiver(settings) }), nil
}

type mongodbSendOptions struct {
	mongodbShared
	confirmed
}

func defaultMongoDBSend() *mongodbSendOptions {
	return &mongodbSendOptions{confirmed: defaultConfirmed()}
}

func newMongoDBSender(env *pipeline.Env, o *mongodbSendOptions) (core.Handler, error) {
	settings, err := o.settings(env)
	if err = errors.Join(err, notNegative("window", o.Window)); err == nil {
		settings.Window, settings.Linger = o.Window, o.Linger
		err = blameMongoDB(settings.Check())
	}
	if err != nil {
		return nil, err
	}
	return sendToBroker(env, &o.sending, nil, func() (*mongodb.Sender, error) { return mongodb.NewSender(settings) })
}
