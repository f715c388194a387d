package zeromq

import (
	"errors"
	"fmt"
	"sync"
	"time"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// Pattern is the kind of a socket.
type Pattern string

// The patterns that move records.
const (
	Sub  Pattern = "sub"  // receives from publishers
	Pull Pattern = "pull" // receives from pushing senders; Logbook's multi
	Pub  Pattern = "pub"  // sends to all subscribers, and loses what they do not take
	Push Pattern = "push" // sends to one of the receivers, and waits for it; Logbook's multi
)

// Side says which end waits for the other at an address.
type Side string

// The sides of a connection.
const (
	// Natural is Bind for [Pull] and [Pub], Connect for [Sub] and [Push], as with
	// Logbook.
	Natural Side = ""
	Bind    Side = "bind"
	Connect Side = "connect"
)

// The defaults of [Options].
const (
	// DefaultReceiveQueue is for [Sub], where what does not fit is lost. DefaultPullQueue is
	// for [Pull], where senders wait instead; no more than the caches of a
	// processor hold, which is 6 % faster.
	DefaultReceiveQueue   = 100_000
	DefaultPullQueue      = 20_000
	DefaultSendQueue      = 10_000
	DefaultMaxMessageSize = 16 << 20
	DefaultLinger         = time.Second
	DefaultReconnectMin   = 100 * time.Millisecond
	DefaultReconnectMax   = 5 * time.Second
	DefaultHandshake      = 10 * time.Second
)

// Options are the settings of a [Receiver] or [Sender]. Addresses is required.
type Options struct {
	// Addresses are URIs: "tcp://127.0.0.1:5556", "tcp://[::1]:5556", "tcp://*:5556" and
	// port 0 for any (both only where the socket binds), "ipc:///run/user/1000/log.sock",
	// "inproc://name".
	Addresses []string
	// Pattern is [Sub] or [Pull] for a receiver, [Pub] or [Push] for a sender. Empty
	// means Pull or Push.
	Pattern Pattern
	// Side says who binds.
	Side Side
	// Topics are the prefixes that a [Sub] receiver takes; none means everything.
	// Logbook publishes without a topic.
	Topics []string
	// Topic, if not empty, is sent by a [Pub] sender in front of each record, as
	// a part of its own.
	Topic string
	// Queue is how many messages libzmq holds for each peer (the high-water mark); 0
	// means DefaultReceiveQueue, DefaultPullQueue or DefaultSendQueue.
	Queue int
	// MaxMessageSize is the largest message in bytes that a receiver takes. A
	// peer that sends a larger one is disconnected. 0 means DefaultMaxMessageSize.
	MaxMessageSize int64
	// Linger is how long Close waits for messages that are not sent yet; 0 means
	// DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// ReconnectMin and ReconnectMax bound the time between two attempts to
	// connect; it doubles from one to the next. 0 means the defaults.
	ReconnectMin, ReconnectMax time.Duration
	// Curve encrypts and authenticates; nil means plain text.
	Curve *Curve
	// AllowPlain allows to bind to an address that other computers can reach
	// without Curve.
	AllowPlain bool
	// Context shares inproc addresses with other sockets; nil means a context of
	// its own.
	Context *Context
	// OnPeer, if not nil, is told when the state of a peer changes. It is
	// called by a goroutine of the receiver or sender and must not block.
	OnPeer func(queue.Peer)
}

// Context is a space in which inproc addresses are known. Several receivers and
// senders can share it. Close it after them.
type Context struct {
	zmq *zmq.Context

	mu   sync.Mutex
	auth *authenticator // nil unless a socket has a list of clients
}

// NewContext returns a new context.
func NewContext() (*Context, error) {
	c, err := zmq.NewContext()
	if err != nil {
		return nil, fmt.Errorf("zeromq context: %w", err)
	}
	// Sockets are closed on time here; a forgotten one must not hang the end.
	if err := c.SetBlocky(false); err != nil {
		return nil, fmt.Errorf("zeromq context: %w", err)
	}
	return &Context{zmq: c}, nil
}

// Close releases the context. It waits until its sockets are closed.
func (c *Context) Close() error { return c.zmq.Term() }

// withDefaults returns o with the defaults of a receiver or a sender filled in.
func (o Options) withDefaults(pattern Pattern, queueSize int) (Options, error) {
	if len(o.Addresses) == 0 {
		return o, errors.New("no address: give one such as tcp://127.0.0.1:5556")
	}
	setDefault(&o.Pattern, pattern)
	setDefault(&o.Queue, queueSize)
	setDefault(&o.MaxMessageSize, DefaultMaxMessageSize)
	setDefault(&o.Linger, DefaultLinger)
	setDefault(&o.ReconnectMin, DefaultReconnectMin)
	setDefault(&o.ReconnectMax, DefaultReconnectMax)
	o.Linger = max(o.Linger, 0)
	if o.Side == Natural {
		o.Side = Connect
		if o.Pattern == Pull || o.Pattern == Pub {
			o.Side = Bind
		}
	}
	if o.Side != Bind && o.Side != Connect {
		return o, fmt.Errorf("unknown side %q (bind or connect)", o.Side)
	}
	return o, nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// setting is one option of a socket.
type setting struct {
	name string
	set  func() error
}

// configure sets what both directions have in common.
func (o *Options) configure(s *zmq.Socket) error {
	return apply([]setting{
		{"linger", func() error { return s.SetLinger(o.Linger) }},
		{"queue", func() error { return errors.Join(s.SetRcvhwm(o.Queue), s.SetSndhwm(o.Queue)) }},
		{"max message size", func() error { return s.SetMaxmsgsize(o.MaxMessageSize) }},
		{"reconnect interval", func() error { return s.SetReconnectIvl(o.ReconnectMin) }},
		{"reconnect interval", func() error { return s.SetReconnectIvlMax(o.ReconnectMax) }},
		// A peer that connects and says nothing is dropped.
		{"handshake timeout", func() error { return s.SetHandshakeIvl(DefaultHandshake) }},
		// Finds out that a peer is gone whose computer was switched off. ZMTP's own
		// heartbeats would do so too, but old peers do not answer them.
		{"keep-alive", func() error { return s.SetTcpKeepalive(1) }},
		{"keep-alive", func() error { return s.SetTcpKeepaliveIdle(30) }},
		{"keep-alive", func() error { return s.SetTcpKeepaliveIntvl(10) }},
		{"keep-alive", func() error { return s.SetTcpKeepaliveCnt(3) }},
		{"curve", func() error { return o.Curve.configure(s) }},
	})
}

func apply(settings []setting) error {
	for _, e := range settings {
		if err := e.set(); err != nil {
			return fmt.Errorf("set %s: %w", e.name, err)
		}
	}
	return nil
}
