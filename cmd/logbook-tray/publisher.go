package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// defaultPushURI is where logbook-tray listens without a configuration.
const defaultPushURI = "tcp://127.0.0.1:5556"

// publisher sends records to a queue for the commands send, exec and demo.
type publisher struct {
	uri     string
	wait    time.Duration
	peer    func(context.Context) error // waits until somebody listens
	handler *queue.Handler
	ready   bool
}

// newPublisher returns a publisher that connects to a PULL socket at uri, or with
// bind publishes on a PUB socket there, and waits for wait until somebody listens. With unix:///PATH
// it connects to a Unix socket, and with unix:// to that of [control.RecordsSocket].
func newPublisher(uri string, bind bool, wait time.Duration) (*publisher, error) {
	if path, ok := strings.CutPrefix(uri, "unix://"); ok {
		return newSocketPublisher(path, bind, wait)
	}
	o := zeromq.Options{Addresses: []string{uri}, Pattern: zeromq.Push, Linger: 5 * time.Second}
	if bind {
		o.Pattern = zeromq.Pub
	}
	s, err := zeromq.NewSender(o)
	if err != nil {
		return nil, usageError{err}
	}
	return &publisher{uri: uri, wait: wait, peer: s.WaitPeer, handler: queue.NewHandler(s, queue.HandlerOptions{Timeout: -1})}, nil
}

func newSocketPublisher(path string, bind bool, wait time.Duration) (*publisher, error) {
	if bind {
		return nil, usagef("--bind publishes over ZeroMQ: give an address such as %s", defaultPushURI)
	}
	if path == "" {
		var err error
		if path, err = control.RecordsSocket(); err != nil {
			return nil, err
		}
	}
	s, err := socket.NewSender(socket.SenderOptions{Network: "unix", Address: path, Lines: true})
	if err != nil {
		return nil, usageError{err}
	}
	return &publisher{uri: "unix://" + path, wait: wait, peer: s.Connect, handler: queue.NewHandler(s, queue.HandlerOptions{Timeout: -1})}, nil
}

// publish sends one record. The first one waits until somebody listens.
func (p *publisher) publish(ctx context.Context, r *core.Record) error {
	if !p.ready {
		waiting, cancel := context.WithTimeout(ctx, p.wait)
		defer cancel()
		if err := p.peer(waiting); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("nobody listens on %s (waited %v): start logbook-tray, or name another address", p.uri, p.wait)
		}
		p.ready = true
	}
	return p.handler.Handle(ctx, r)
}

// close delivers what was sent and joins what went wrong there to err.
func (p *publisher) close(err error) error { return errors.Join(err, p.handler.Close()) }
