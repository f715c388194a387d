package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/packet"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// DefaultMaxMessageSize is the largest message in bytes where [Options] say nothing.
const DefaultMaxMessageSize = 1 << 20

// DefaultJoin is how long a line waits for more of its record where [Options] say nothing.
const DefaultJoin = 100 * time.Millisecond

// Options are the settings of a [Receiver]. Address is required.
type Options struct {
	// Network is "udp", "tcp", "unixgram" or "unix"; empty: udp.
	Network string
	// Address is HOST:PORT, or the path of a Unix socket.
	Address string
	// Decoder reads messages that are JSON; nil: a decoder with its defaults.
	Decoder *wire.Decoder
	// Zone is that of times without one; nil: the local one.
	Zone *time.Location
	// MaxMessageSize is the largest message on a stream in bytes; a connection with a
	// larger one is closed. 0 means DefaultMaxMessageSize.
	MaxMessageSize int
	// MaxConnections is how many peers may be connected at once; 0 means 512.
	MaxConnections int
	// TLS, if not nil, is required on TCP (RFC 5425).
	TLS *tls.Config
	// AllowPlain allows addresses that other computers can reach without TLS.
	AllowPlain bool
	// Mode is the mode of a Unix socket; 0 means 0600, the owner alone.
	Mode fs.FileMode
	// Join is how long the last line of a peer waits for lines that belong to it; 0 means
	// DefaultJoin, less than 0: each line is a record.
	Join time.Duration
	// OnPeer, if not nil, is told when a peer connects and leaves. It must not block.
	OnPeer func(queue.Peer)
}

// server is what streams and datagrams have in common.
type server interface {
	queue.Receiver
	queue.Drainer
	queue.Statuser
	queue.Dropper
	fmt.Stringer
	Addr() net.Addr
}

// Receiver is a syslog server.
type Receiver struct {
	server
	opts Options
	in   []queue.Message // used by Receive alone

	mu     sync.Mutex
	joiner joiner
	closed bool
	lost   uint64 // left in joiner when it was closed
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReceiver listens. A Unix socket that a program has left behind is replaced.
func NewReceiver(o Options) (*Receiver, error) {
	if o.Network == "" {
		o.Network = "udp"
	}
	if o.MaxMessageSize <= 0 {
		o.MaxMessageSize = DefaultMaxMessageSize
	}
	if o.Join == 0 {
		o.Join = DefaultJoin
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Decoder == nil {
		d, err := wire.NewDecoder(wire.Options{})
		if err != nil {
			return nil, fmt.Errorf("decoder: %w", err)
		}
		o.Decoder = d
	}
	allow := listen.Options{Public: o.TLS != nil || o.AllowPlain, Mode: o.Mode}
	name := "syslog+" + o.Network + "://"
	switch o.Network {
	case "udp", "unixgram":
		if o.TLS != nil {
			return nil, fmt.Errorf("there is no TLS over %s: use tcp", o.Network)
		}
		c, err := listen.Packet(context.Background(), o.Network, o.Address, allow)
		if err != nil {
			return nil, err
		}
		return newReceiver(packet.New(name+c.LocalAddr().String(), c, datagram), o), nil
	case "tcp", "unix":
		l, err := listen.Stream(context.Background(), o.Network, o.Address, allow)
		if err != nil {
			return nil, err
		}
		if o.TLS != nil {
			l = tls.NewListener(l, o.TLS)
		}
		return newReceiver(stream.New(name+l.Addr().String(), l, stream.Options{
			MaxConnections: o.MaxConnections, OnPeer: o.OnPeer,
		}, o.stream), o), nil
	}
	return nil, fmt.Errorf("unknown network %q (udp, tcp, unixgram or unix)", o.Network)
}

// batch is how many messages are taken apart at once.
const batch = 256

func newReceiver(s server, o Options) *Receiver {
	return &Receiver{server: s, opts: o, in: make([]queue.Message, batch), joiner: newJoiner(o)}
}

// Receive implements [queue.Receiver].
func (r *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	for {
		if n := r.take(buf); n > 0 {
			return n, nil
		}
		n, err := r.more(ctx)
		r.add(r.in[:n])
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			r.expire(time.Now())
		case ctx.Err() != nil:
			r.expire(time.Now())
			if n := r.take(buf); n > 0 {
				return n, nil
			}
			return 0, err
		default: // there will be no more
			r.expire(forever)
			if n := r.take(buf); n > 0 {
				return n, nil
			}
			return 0, err
		}
	}
}

// more waits for messages, no longer than a line waits for the next one.
func (r *Receiver) more(ctx context.Context) (int, error) {
	r.mu.Lock()
	until, ok := r.joiner.deadline()
	r.mu.Unlock()
	if ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	return r.server.Receive(ctx, r.in)
}

// take moves records that are complete to buf.
func (r *Receiver) take(buf []queue.Message) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.joiner.take(buf)
}

// add takes messages apart and puts those together that belong together.
func (r *Receiver) add(messages []queue.Message) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range messages {
		r.joiner.add(messages[i], now)
		messages[i] = queue.Message{}
	}
}

func (r *Receiver) expire(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.joiner.expire(now)
}

// Dropped returns how many messages were read and not received before Close.
func (r *Receiver) Dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.server.Dropped() + r.lost
}

// Close implements [queue.Receiver].
func (r *Receiver) Close() error {
	err := r.server.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.joiner.expire(forever)
		r.lost = uint64(len(r.joiner.ready))
	}
	return err
}

// Decode implements [queue.Decoder]. It does not join lines.
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	return r.opts.parse(m.Body, time.Now())
}

// datagram makes a message of a datagram. It is taken apart when it is received.
func datagram(data []byte) []queue.Message { return []queue.Message{{Body: data}} }

// stream reads a connection to its end.
func (o Options) stream(c *stream.Conn) error {
	messages := frame.NewReader(c, cut(o.MaxMessageSize), o.MaxMessageSize)
	for !c.Gone() {
		m, err := messages.Next()
		if err != nil {
			if cut, ok := stream.CutShort(err, messages.Rest(), errCount); ok {
				c.Put(cut)
			}
			return err
		}
		c.Put(queue.Message{Body: m})
	}
	return nil
}
