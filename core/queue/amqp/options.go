package amqp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultQueue     = "logging" // Logbook's
	DefaultPrefetch  = 512
	DefaultTapLength = 100_000
	DefaultWindow    = 1000
	DefaultLinger    = 5 * time.Second
	DefaultTimeout   = 30 * time.Second
)

// Options are the settings of a [Receiver] or [Sender]. URI is required.
type Options struct {
	// URI is "amqp://user:password@host:5672/vhost", or amqps: for TLS. A path of nothing,
	// "/" or, as kombu writes it, "//" is the virtual host "/".
	URI string
	// Queue is the name of the queue, its exchange and its routing key; empty means
	// DefaultQueue.
	Queue string
	// Consume reads the queue itself instead of tapping its exchange.
	Consume bool
	// Prefetch is how many messages the broker sends ahead of their
	// acknowledgement; 0 means DefaultPrefetch.
	Prefetch int
	// TapLength is how many messages the broker holds for a tap at most; it drops the
	// oldest then. 0 means DefaultTapLength.
	TapLength int
	// Window is how many messages a sender publishes ahead of their confirmation;
	// 0 means DefaultWindow.
	Window int
	// Linger is how long Close of a sender waits for confirmations; 0 means
	// DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// TLS is used with amqps; nil means the authorities of the system.
	TLS *tls.Config
	// Timeout bounds an attempt to connect; 0 means DefaultTimeout.
	Timeout time.Duration
	// ReconnectMin and ReconnectMax bound the time between two attempts to
	// connect; it doubles from one to the next. 0 means 100 ms and 10 s.
	ReconnectMin, ReconnectMax time.Duration
	// Decoder makes records of messages; nil means one with the default options.
	Decoder *wire.Decoder
	// OnPeer, if not nil, is told when the state of the connection changes. It is
	// called by a goroutine of the receiver or sender and must not block.
	OnPeer func(queue.Peer)
}

// Check returns what is wrong with the options, as far as that can be told without the
// server; no password is in it.
func (o Options) Check() error {
	_, _, err := o.withDefaults()
	return err
}

// withDefaults returns o with the defaults filled in, and what its URI says.
func (o Options) withDefaults() (Options, amqp091.URI, error) {
	uri, err := amqp091.ParseURI(o.URI)
	if err != nil { // without the URI, in which there is a password
		return o, uri, fmt.Errorf("the URI of the broker is not valid (amqp://user:password@host:5672/vhost): %w", unquoted(err))
	}
	if uri.Vhost == "" {
		uri.Vhost = "/"
	}
	if o.Queue == "" {
		o.Queue = DefaultQueue
	}
	for _, e := range []struct {
		value     *int
		otherwise int
	}{{&o.Prefetch, DefaultPrefetch}, {&o.TapLength, DefaultTapLength}, {&o.Window, DefaultWindow}} {
		if *e.value <= 0 {
			*e.value = e.otherwise
		}
	}
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Decoder == nil {
		if o.Decoder, err = wire.NewDecoder(wire.Options{}); err != nil {
			return o, uri, err
		}
	}
	return o, uri, nil
}

// unquoted returns an error of a parser without the URI that it quotes.
func unquoted(err error) error {
	if quoting, ok := errors.AsType[*url.Error](err); ok {
		return quoting.Err
	}
	return err
}

// name returns the address without user and password.
func name(uri amqp091.URI, queueName string) string {
	vhost := uri.Vhost
	if vhost == "/" {
		vhost = ""
	}
	return fmt.Sprintf("%s://%s/%s queue %s", uri.Scheme, net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port)), vhost, queueName)
}
