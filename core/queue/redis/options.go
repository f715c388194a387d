package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// Mode says where the records are.
type Mode string

// The modes.
const (
	Tap     Mode = "tap"     // a copy of kombu's queue
	Consume Mode = "consume" // kombu's queue itself, competing with others
	List    Mode = "list"    // the list of Logbook's RedisHandler, competing with others
	Channel Mode = "channel" // what is published, while we listen
	Stream  Mode = "stream"  // a stream, as a member of a group that shares it
)

// The defaults of [Options].
const (
	DefaultQueue      = "logging" // of MessageQueueHandler
	DefaultKey        = "redis"   // of RedisHandler
	DefaultGroup      = "logbook-tray"
	DefaultClaimAfter = time.Minute
	DefaultMaxLength  = 100_000
	DefaultWindow     = 1000
	DefaultFlushTime  = time.Second
	DefaultLinger     = 5 * time.Second
	DefaultTimeout    = 10 * time.Second
)

// minClaimAfter is the least time that makes sense: a Redis is asked several times within it.
const minClaimAfter = 100 * time.Millisecond

// Options are the settings of a [Receiver] or [Sender]. URI is required.
type Options struct {
	// URI is "redis://user:password@host:6379/0", "rediss://..." for TLS, or
	// "unix://user:password@/path?db=0".
	URI string
	// Mode says where the records are; empty means [Tap]. A sender takes Tap and Consume
	// for the same.
	Mode Mode
	// Queue is the name of the queue, list, channel or stream; empty means DefaultQueue,
	// or DefaultKey for List and Channel.
	Queue string
	// Newest says that the list has the newest record first, as RedisHandler makes it
	// with push_method="lpush".
	Newest bool
	// Group and Consumer are the names in a stream; empty means DefaultGroup and the
	// name of this computer. What a consumer has not acknowledged comes again when
	// one of the same name connects.
	Group, Consumer string
	// ClaimAfter is how long an entry of a stream may be with another consumer of the
	// group, without a sign from it, before it counts as left by one that has died: it is
	// taken over, marked as redelivered. A Receiver gives such a sign for what it holds. 0
	// means DefaultClaimAfter, less than 0 never; otherwise it is 100 ms or more.
	ClaimAfter time.Duration
	// MaxLength bounds the list of a tap and the stream of a sender; the oldest are
	// dropped. 0 means DefaultMaxLength.
	MaxLength int64
	// Window is how many records a sender holds that Redis has not confirmed; 0 means
	// DefaultWindow.
	Window int
	// FlushThreshold is how many records a sender gathers before it sends them together;
	// 0 or 1: each is sent at once, with those that are at hand. It is at most Window.
	// Those of RedisHandler are 128 records and 1 s.
	FlushThreshold int
	// FlushTime is how long a record waits at most for others to be sent with; 0 means
	// DefaultFlushTime.
	FlushTime time.Duration
	// Linger is how long Close of a sender waits for confirmations; 0 means
	// DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// TLS is used with rediss; nil means the authorities of the system.
	TLS *tls.Config
	// Timeout bounds an attempt to connect, and a command; 0 means DefaultTimeout.
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
func (o Options) withDefaults() (Options, *goredis.Options, error) {
	client, err := goredis.ParseURL(o.URI)
	if err != nil { // without the URI, in which there is a password
		if quoting, ok := errors.AsType[*url.Error](err); ok {
			err = quoting.Err
		}
		return o, nil, fmt.Errorf("the URI of Redis is not valid (redis://user:password@host:6379/0): %w", err)
	}
	if o.Mode == "" {
		o.Mode = Tap
	}
	switch o.Mode {
	case Tap, Consume, Stream:
		setDefault(&o.Queue, DefaultQueue)
	case List, Channel:
		setDefault(&o.Queue, DefaultKey)
	default:
		return o, nil, fmt.Errorf("unknown mode %q (tap, consume, list, channel or stream)", o.Mode)
	}
	setDefault(&o.Group, DefaultGroup)
	if o.Consumer == "" {
		if o.Consumer, err = os.Hostname(); err != nil {
			return o, nil, fmt.Errorf("choose a name for the consumer: %w", err)
		}
	}
	setDefault(&o.ClaimAfter, DefaultClaimAfter)
	if o.ClaimAfter > 0 && o.ClaimAfter < minClaimAfter {
		return o, nil, fmt.Errorf("the claim time is less than %v", minClaimAfter)
	}
	setDefault(&o.MaxLength, DefaultMaxLength)
	setDefault(&o.Window, DefaultWindow)
	setDefault(&o.FlushTime, DefaultFlushTime)
	if o.FlushThreshold > o.Window {
		return o, nil, fmt.Errorf("the flush threshold is larger than the window, of %d records without confirmation", o.Window)
	}
	setDefault(&o.Linger, DefaultLinger)
	setDefault(&o.Timeout, DefaultTimeout)
	if o.Decoder == nil {
		if o.Decoder, err = wire.NewDecoder(wire.Options{}); err != nil {
			return o, nil, err
		}
	}
	o.configure(client)
	return o, client, nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// configure makes the client try once: trying again is up to us, who tell about it.
func (o *Options) configure(c *goredis.Options) {
	logging.Disable() // it would write to standard error what is in the status, at each attempt
	c.MaxRetries, c.DialerRetries = -1, 1
	c.DialTimeout, c.ReadTimeout, c.WriteTimeout = o.Timeout, o.Timeout, o.Timeout
	c.ContextTimeoutEnabled = true
	c.DisableIdentity = true
	c.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	c.ClientName = "logbook-tray"
	if c.TLSConfig != nil && o.TLS != nil {
		name := c.TLSConfig.ServerName
		c.TLSConfig = o.TLS.Clone()
		if c.TLSConfig.ServerName == "" {
			c.TLSConfig.ServerName = name
		}
	}
}

// newClient returns a client whose connections end with ctx: the library waits for an
// answer whatever becomes of the context of a command.
func newClient(ctx context.Context, settings goredis.Options) *goredis.Client {
	dialing(ctx, &settings)
	c := goredis.NewClient(&settings)
	c.AddHook(naming{})
	return c
}

func dialing(ctx context.Context, c *goredis.Options) {
	security := c.TLSConfig
	c.TLSConfig = nil
	timeout := c.DialTimeout
	c.Dialer = func(dial context.Context, network, addr string) (net.Conn, error) {
		dial, cancel := context.WithTimeout(dial, timeout)
		defer cancel()
		stop := context.AfterFunc(ctx, cancel)
		defer stop()
		var d net.Dialer
		conn, err := d.DialContext(dial, network, addr)
		if err != nil {
			return nil, err
		}
		if security != nil {
			secure := tls.Client(handshake.HearOut(conn), security)
			if err := secure.HandshakeContext(dial); err != nil {
				_ = conn.Close() // the first error tells more
				if errors.Is(err, context.DeadlineExceeded) {
					err = fmt.Errorf("the server does not answer as one that speaks TLS at this port: %w", err)
				}
				return nil, err
			}
			conn = secure
		}
		c := &bound{Conn: conn}
		c.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
		return c, nil
	}
}

// bound is a connection that a context closes.
type bound struct {
	net.Conn
	stop func() bool
}

// Close closes the connection; the context does not any more.
func (b *bound) Close() error {
	b.stop()
	return b.Conn.Close()
}

// name returns the address without user and password.
func name(c *goredis.Options, o *Options) string {
	scheme := "redis"
	switch {
	case c.Network == "unix":
		scheme = "unix"
	case c.TLSConfig != nil:
		scheme = "rediss"
	}
	return fmt.Sprintf("%s://%s/%d %s %s", scheme, c.Addr, c.DB, o.Mode, o.Queue)
}
