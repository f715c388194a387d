package nats

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultSubject  = "logging" // the name of Logbook's queue
	DefaultDurable  = "logbook-tray"
	DefaultPrefetch = 512
	DefaultAckWait  = time.Minute
	DefaultWindow   = 1000
	DefaultLinger   = 5 * time.Second
	DefaultTimeout  = 30 * time.Second
)

// Options are the settings of a [Receiver] or [Sender]. URI is required.
type Options struct {
	// URI is "nats://user:password@host:4222", "nats://token@host:4222", or tls: for TLS.
	URI string
	// Subject is what a sender publishes to and a receiver subscribes to, which may use
	// wildcards then: "logs.>". Empty means DefaultSubject.
	Subject string
	// Stream is the stream of JetStream that keeps the records. It is made for the
	// subject when there is none of that name. Empty means that nothing is kept.
	Stream string
	// Durable is the name of the consumer of a stream. Receivers of the same name share
	// the records; others each get all. Empty means DefaultDurable.
	Durable string
	// Group makes receivers of the same name share the records of a subject: each gets a
	// part of them. Empty means that the receiver gets all. Those of a stream share by
	// Durable instead.
	Group string
	// Prefetch is how many messages the server sends ahead of their
	// acknowledgement; 0 means DefaultPrefetch.
	Prefetch int
	// AckWait is how long a message of a stream may be without acknowledgement before
	// the server sends it again; 0 means DefaultAckWait.
	AckWait time.Duration
	// Window is how many records a sender publishes ahead of their confirmation;
	// 0 means DefaultWindow.
	Window int
	// Linger is how long Close of a sender waits for confirmations; 0 means
	// DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// TLS is used with tls: and when the server requires it; nil means the authorities
	// of the system.
	TLS *tls.Config
	// Credentials is the path of a file of NATS with a token and a key; empty: none.
	Credentials string
	// Timeout bounds an attempt to connect, and each request; 0 means DefaultTimeout.
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

// CheckSender is Check for a sender, which cannot publish to wildcards.
func (o Options) CheckSender() error {
	if strings.ContainsAny(o.Subject, "*>") {
		return fmt.Errorf("the subject %q has wildcards: nothing can be published to it", o.Subject)
	}
	return o.Check()
}

// withDefaults returns o with the defaults filled in, and what its URI says.
func (o Options) withDefaults() (Options, *url.URL, error) {
	uri, err := url.Parse(o.URI)
	if quoting, ok := errors.AsType[*url.Error](err); ok { // the URI, in which there is a password
		err = quoting.Err
	}
	if err == nil && uri.Scheme != "nats" && uri.Scheme != "tls" {
		err = errors.New("it must begin with nats:// or tls://")
	}
	if err == nil && uri.Host == "" {
		err = errors.New("it has no host")
	}
	if err != nil {
		return o, nil, fmt.Errorf("the URI of the server is not valid (nats://user:password@host:4222): %w", err)
	}
	o.Subject = cmp.Or(o.Subject, DefaultSubject)
	o.Durable = cmp.Or(o.Durable, DefaultDurable)
	o.Prefetch = cmp.Or(o.Prefetch, DefaultPrefetch)
	o.AckWait = cmp.Or(o.AckWait, DefaultAckWait)
	o.Window = cmp.Or(o.Window, DefaultWindow)
	o.Linger = cmp.Or(o.Linger, DefaultLinger)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	if strings.ContainsAny(o.Subject, " \t\r\n") {
		return o, nil, fmt.Errorf("the subject %q is not valid: there is a blank in it", o.Subject)
	}
	if o.Group != "" && o.Stream != "" {
		return o, nil, fmt.Errorf("the group %q is not valid: receivers of a stream share its records by the name of their consumer", o.Group)
	}
	for what, name := range map[string]string{"stream": o.Stream, "durable": o.Durable, "group": o.Group} {
		if strings.ContainsAny(name, " \t\r\n.*>/\\") {
			return o, nil, fmt.Errorf("the %s name %q is not valid: letters, digits, - and _ are", what, name)
		}
	}
	if o.Decoder == nil {
		if o.Decoder, err = wire.NewDecoder(wire.Options{}); err != nil {
			return o, nil, err
		}
	}
	return o, uri, nil
}

// name returns the address without user and password.
func (o *Options) name(uri *url.URL) string {
	s := fmt.Sprintf("%s://%s subject %s", uri.Scheme, uri.Host, o.Subject)
	if o.Stream != "" {
		s += " stream " + o.Stream
	}
	if o.Group != "" {
		s += " group " + o.Group
	}
	return s
}
