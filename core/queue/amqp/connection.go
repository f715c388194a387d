package amqp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// heartbeat is how often either end shows that it is there.
const heartbeat = 10 * time.Second

// connection is a connection with one channel.
type connection struct {
	conn    *amqp091.Connection
	channel *amqp091.Channel
	// remark says that the broker has something else than what kombu declares.
	remark error
	socket net.Conn
	end    func() bool // the context of connect is not watched any more
}

// connect connects and opens a channel, for as long as ctx allows. When life ends, which
// is no sooner, the socket is closed, at any time until close.
func connect(ctx, life context.Context, uri amqp091.URI, o *Options) (*connection, error) {
	c := &connection{}
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	stop := func() bool { return true }
	config := amqp091.Config{
		Vhost: uri.Vhost, Heartbeat: heartbeat, Locale: "en_US",
		SASL:       []amqp091.Authentication{uri.PlainAuth()},
		Properties: amqp091.Table{"connection_name": "logbook-tray", "product": "logbook-tray"},
		Dial: func(network, addr string) (net.Conn, error) {
			var d net.Dialer
			socket, err := d.DialContext(limited, network, addr)
			if err != nil {
				return nil, err
			}
			c.socket = socket
			stop = context.AfterFunc(limited, func() { _ = socket.Close() })
			c.end = context.AfterFunc(life, func() { _ = socket.Close() })
			// The library lifts it when the broker has let us in.
			err = socket.SetDeadline(time.Now().Add(o.Timeout))
			if uri.Scheme == "amqps" {
				return handshake.HearOut(socket), err
			}
			return socket, err
		},
	}
	if uri.Scheme == "amqps" {
		config.TLSClientConfig = o.TLS.Clone()
		if config.TLSClientConfig == nil {
			config.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		if config.TLSClientConfig.ServerName == "" {
			config.TLSClientConfig.ServerName = uri.Host
		}
	}
	var err error
	if c.conn, err = amqp091.DialConfig(o.URI, config); err != nil {
		c.close()
		return nil, explain(err, uri)
	}
	if c.channel, err = c.conn.Channel(); err != nil {
		c.close()
		return nil, explain(err, uri)
	}
	if !stop() { // just now
		c.close()
		return nil, fmt.Errorf("connect: %w", context.Cause(limited))
	}
	return c, nil
}

// close closes the connection, and gives the broker a moment to take what was sent.
func (c *connection) close() {
	if c.end != nil {
		c.end()
	}
	if c.conn != nil {
		_ = c.conn.CloseDeadline(time.Now().Add(time.Second)) // it may be gone
	}
	if c.socket != nil {
		_ = c.socket.Close()
	}
}

// declare declares what kombu's SimpleQueue does: a direct exchange and a queue of the
// same name, both durable. Whoever comes first, python or we, the other finds what it
// expects. Where somebody has declared it differently, or we may not declare, it is
// used as it is.
func (c *connection) declare(queueName string, withQueue bool) error {
	err := c.try(func(ch *amqp091.Channel, passive bool) error {
		if passive {
			return ch.ExchangeDeclarePassive(queueName, amqp091.ExchangeDirect, true, false, false, false, nil)
		}
		return ch.ExchangeDeclare(queueName, amqp091.ExchangeDirect, true, false, false, false, nil)
	})
	if err != nil || !withQueue {
		return err
	}
	err = c.try(func(ch *amqp091.Channel, passive bool) error {
		declare := ch.QueueDeclare
		if passive {
			declare = ch.QueueDeclarePassive
		}
		_, err := declare(queueName, true, false, false, false, nil)
		return err
	})
	if err != nil {
		return err
	}
	return c.try(func(ch *amqp091.Channel, passive bool) error {
		if passive { // we may not bind: then it is as whoever may has left it
			return nil
		}
		return ch.QueueBind(queueName, queueName, queueName, false, nil)
	})
}

// try declares something, and if it exists differently or may not be declared, only
// checks that it is there.
func (c *connection) try(declare func(ch *amqp091.Channel, passive bool) error) error {
	err := declare(c.channel, false)
	refused, ok := errors.AsType[*amqp091.Error](err)
	if !ok || refused.Code != amqp091.PreconditionFailed && refused.Code != amqp091.AccessRefused {
		return err
	}
	// The broker has closed the channel.
	again, openErr := c.conn.Channel()
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	c.channel = again
	if passiveErr := declare(again, true); passiveErr != nil {
		return fmt.Errorf("%w (and %w)", err, passiveErr)
	}
	if refused.Code == amqp091.PreconditionFailed {
		c.remark = fmt.Errorf("somebody has declared it differently than kombu does, so that Python programs may fail; it is used as it is (delete it to have it made anew, or choose another queue): %s", refused.Reason)
	}
	return nil
}

// explain says what to do about an error of connecting.
func explain(err error, uri amqp091.URI) error {
	if handshake.Refused(err) {
		return fmt.Errorf("connect: %w", handshake.Explain(err))
	}
	if refused, ok := errors.AsType[*amqp091.Error](err); ok {
		switch refused.Code {
		case amqp091.AccessRefused:
			return fmt.Errorf("the user %q or its password is wrong: %w", uri.Username, err)
		case amqp091.NotAllowed:
			return fmt.Errorf("the virtual host %q does not exist, or the user %q may not use it: %w", uri.Vhost, uri.Username, err)
		case amqp091.FrameError, amqp091.SyntaxError:
			err = fmt.Errorf("the server does not speak AMQP at this port, or wants TLS (amqps:): %w", err)
		}
	}
	if uri.Scheme != "amqps" && errors.Is(err, io.EOF) {
		err = fmt.Errorf("the server hangs up: it may be no broker, or want TLS (amqps:): %w", err)
	}
	return fmt.Errorf("connect: %w", err)
}

// explainUse says what to do about an error that came later.
func explainUse(err error, uri amqp091.URI) error {
	refused, ok := errors.AsType[*amqp091.Error](err)
	if !ok {
		return err
	}
	switch refused.Code {
	case amqp091.AccessRefused:
		return fmt.Errorf("the user %q may not do this: give it permission to configure, write and read: %w", uri.Username, err)
	case amqp091.ResourceLocked:
		return fmt.Errorf("another program has the queue for itself: choose another queue, or end that program: %w", err)
	case amqp091.NotFound:
		return fmt.Errorf("somebody must make it first: %w", err)
	}
	return err
}

// isRefused reports whether the broker is there and does not want us.
func isRefused(err error) bool {
	if handshake.Refused(err) {
		return true
	}
	refused, ok := errors.AsType[*amqp091.Error](err)
	if !ok {
		return false
	}
	switch refused.Code {
	case amqp091.AccessRefused, amqp091.NotAllowed, amqp091.NotFound, amqp091.PreconditionFailed, amqp091.ResourceLocked:
		return true
	}
	return false
}

func orGone(err *amqp091.Error) error {
	if err == nil {
		return errors.New("the broker is gone")
	}
	return err
}
