package socket

import (
	"context"
	"crypto/tls"
	"fmt"
	"io/fs"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultMaxMessageSize = 16 << 20
	DefaultMaxConnections = stream.DefaultMaxConnections
	DefaultFirstTimeout   = stream.DefaultFirstTimeout
)

// Options are the settings of a [Receiver]. Address is required.
type Options struct {
	// Network is "tcp" or "unix"; empty: tcp.
	Network string
	// Address is HOST:PORT, or the path of a Unix socket.
	Address string
	// Decoder reads records; nil: a decoder with its defaults.
	Decoder *wire.Decoder
	// Channel is that of lines that name none. If it is empty, plain lines have the address
	// of the peer.
	Channel string
	// Level is that of plain lines that name none; 0 means INFO.
	Level core.Level
	// MaxMessageSize is the largest message in bytes; a connection with a larger
	// one is closed. 0 means DefaultMaxMessageSize.
	MaxMessageSize int
	// MaxConnections is how many peers may be connected at once; more are
	// closed at once. 0 means DefaultMaxConnections.
	MaxConnections int
	// FirstTimeout is how long a peer that has connected may stay silent; 0
	// means DefaultFirstTimeout. Later it may be silent as long as it likes.
	FirstTimeout time.Duration
	// TLS, if not nil, is required of every peer.
	TLS *tls.Config
	// Token, if not empty, must be sent by every peer as its first line or frame:
	// "!!logbook-tray!!token=" and the token. Who does not is disconnected. It is as secret as
	// the connection.
	Token string
	// AllowPlain allows addresses that other computers can reach without TLS.
	AllowPlain bool
	// Mode is the mode of a Unix socket; 0 means 0600, the owner alone.
	Mode fs.FileMode
	// OnPeer, if not nil, is told when a peer connects and leaves. It must not
	// block.
	OnPeer func(queue.Peer)
}

// Receiver is a server for stream sockets.
type Receiver struct {
	*stream.Server

	opts Options
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReceiver listens. A Unix socket that a program has left behind is replaced.
func NewReceiver(o Options) (*Receiver, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	l, err := listen.Stream(context.Background(), o.Network, o.Address, listen.Options{
		Public: o.TLS != nil || o.AllowPlain, Mode: o.Mode,
	})
	if err != nil {
		return nil, err
	}
	if o.TLS != nil {
		l = tls.NewListener(l, o.TLS)
	}
	return &Receiver{stream.New(o.Network+"://"+l.Addr().String(), l, stream.Options{
		MaxConnections: o.MaxConnections, FirstTimeout: o.FirstTimeout, OnPeer: o.OnPeer,
	}, o.serve), o}, nil
}

// Decode implements [queue.Decoder]: lines are never rejected, so that it is a frame.
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	return r.opts.Decoder.DecodeFrame(m.Body, m.Format)
}

func (o Options) withDefaults() (Options, error) {
	if o.Network == "" {
		o.Network = "tcp"
	}
	if o.Network != "tcp" && o.Network != "unix" {
		return o, fmt.Errorf("unknown network %q (tcp or unix)", o.Network)
	}
	if o.Level == core.LevelNotSet {
		o.Level = core.LevelInfo
	}
	if o.MaxMessageSize <= 0 {
		o.MaxMessageSize = DefaultMaxMessageSize
	}
	if o.Decoder == nil {
		d, err := wire.NewDecoder(wire.Options{MaxSize: o.MaxMessageSize})
		if err != nil {
			return o, fmt.Errorf("decoder: %w", err)
		}
		o.Decoder = d
	}
	return o, nil
}
