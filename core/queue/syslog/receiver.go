package syslog

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/packet"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// DefaultMaxMessageSize is the largest message in bytes where [Options] say nothing.
const DefaultMaxMessageSize = 1 << 20

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
type Receiver struct{ server }

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
)

// NewReceiver listens. A Unix socket that a program has left behind is replaced.
func NewReceiver(o Options) (*Receiver, error) {
	if o.Network == "" {
		o.Network = "udp"
	}
	if o.MaxMessageSize <= 0 {
		o.MaxMessageSize = DefaultMaxMessageSize
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
		return &Receiver{packet.New(name+c.LocalAddr().String(), c, o.datagram)}, nil
	case "tcp", "unix":
		l, err := listen.Stream(context.Background(), o.Network, o.Address, allow)
		if err != nil {
			return nil, err
		}
		if o.TLS != nil {
			l = tls.NewListener(l, o.TLS)
		}
		return &Receiver{stream.New(name+l.Addr().String(), l, stream.Options{
			MaxConnections: o.MaxConnections, OnPeer: o.OnPeer,
		}, o.stream)}, nil
	}
	return nil, fmt.Errorf("unknown network %q (udp, tcp, unixgram or unix)", o.Network)
}

func (o Options) message(text []byte) queue.Message {
	r, err := o.parse(text, time.Now())
	return queue.Message{Body: text, Record: r, Err: err}
}

func (o Options) datagram(data []byte) []queue.Message {
	return []queue.Message{o.message(data)}
}

// stream reads a connection to its end.
func (o Options) stream(c *stream.Conn) error {
	in := bufio.NewReader(c)
	first, err := in.Peek(1)
	if err != nil {
		return err
	}
	split := separated(o.MaxMessageSize)
	if first[0] >= '0' && first[0] <= '9' {
		split = counted(o.MaxMessageSize)
	}
	messages := frame.NewReader(in, split, o.MaxMessageSize)
	for !c.Gone() {
		m, err := messages.Next()
		if errors.Is(err, frame.ErrTooLarge) {
			c.Put(queue.Message{Err: &wire.RejectError{Reason: wire.ReasonTooLarge, Detail: err.Error()}})
		}
		if errors.Is(err, errCount) {
			c.Put(queue.Message{Err: &wire.RejectError{Reason: wire.ReasonMalformed, Detail: err.Error()}})
		}
		if err != nil {
			return err
		}
		c.Put(o.message(m))
	}
	return nil
}
