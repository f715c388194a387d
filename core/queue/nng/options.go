package nng

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"time"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol"
	_ "go.nanomsg.org/mangos/v3/transport/ipc" // makes the transport known, for Windows

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
)

// Pattern is the kind of a socket.
type Pattern string

// The patterns that move records, with their numbers in the protocol.
const (
	Sub  Pattern = "sub"  // receives from publishers
	Pull Pattern = "pull" // receives from those who push
	Pub  Pattern = "pub"  // sends to all subscribers, and loses what they do not take
	Push Pattern = "push" // sends to one of those who pull, and waits for it
)

// Side says which end waits for the other at an address.
type Side string

// The sides of a connection.
const (
	// Natural is Listen for a receiver and Dial for a sender, as in the cookbook.
	Natural Side = ""
	Listen  Side = "listen"
	Dial    Side = "dial"
)

// The defaults of [Options].
const (
	DefaultQueue          = 10_000
	DefaultMaxMessageSize = 16 << 20
	DefaultLinger         = time.Second
	DefaultReconnectMin   = 100 * time.Millisecond
	DefaultReconnectMax   = 5 * time.Second
)

// Options are the settings of a [Receiver] or [Sender]. Addresses is required.
type Options struct {
	// Addresses are URIs: "tcp://127.0.0.1:13232", port 0 for any where the socket
	// listens, "tls+tcp://" for the same over TLS, and "ipc:///run/user/1000/log.sock".
	Addresses []string
	// Pattern is [Sub] or [Pull] for a receiver, [Pub] or [Push] for a sender. Empty
	// means Sub or Push.
	Pattern Pattern
	// Side says who listens.
	Side Side
	// Topics are what the messages begin with that a [Sub] receiver takes; none means
	// everything. The cookbook's handler sends no topics.
	Topics []string
	// Topic is put by a [Pub] sender in front of each record. What is in front of
	// a JSON record is not a part of it for the receiver.
	Topic string
	// Queue is how many records a sender holds, a [Pub] sender for each subscriber; 0 means
	// DefaultQueue.
	Queue int
	// MaxMessageSize is the largest message in bytes that a receiver takes. A
	// peer that sends a larger one is disconnected. 0 means DefaultMaxMessageSize.
	MaxMessageSize int
	// Linger is how long Close of a sender waits for records that are not sent
	// yet; 0 means DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// ReconnectMin and ReconnectMax bound the time between two attempts to
	// connect. 0 means the defaults.
	ReconnectMin, ReconnectMax time.Duration
	// TLS is used at addresses of tls+tcp; who listens there must have a certificate in it.
	// Who dials checks that the server's is for the host of the address, unless it has a
	// ServerName; nil means the authorities of the system.
	TLS *tls.Config
	// AllowPlain allows to listen at an address that other computers can reach. Over TLS that
	// wants a certificate of every client it is allowed without.
	AllowPlain bool
	// Mode is the mode of a Unix socket that is listened on; 0 means 0600, the owner alone.
	Mode fs.FileMode
	// OnPeer, if not nil, is told when a peer connects and leaves. It is called by a
	// goroutine of the receiver or sender and must not block.
	OnPeer func(queue.Peer)
}

// withDefaults returns o with the defaults of a receiver or a sender filled in.
func (o Options) withDefaults(pattern Pattern, side Side) (Options, error) {
	if len(o.Addresses) == 0 {
		return o, errors.New("no address: give one such as tcp://127.0.0.1:13232")
	}
	for _, uri := range o.Addresses {
		if err := checkAddress(uri); err != nil {
			return o, err
		}
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	setDefault(&o.Pattern, pattern)
	setDefault(&o.Side, side)
	setDefault(&o.Queue, DefaultQueue)
	setDefault(&o.MaxMessageSize, DefaultMaxMessageSize)
	setDefault(&o.Linger, DefaultLinger)
	setDefault(&o.ReconnectMin, DefaultReconnectMin)
	setDefault(&o.ReconnectMax, max(DefaultReconnectMax, o.ReconnectMin))
	setDefault(&o.Mode, fs.FileMode(0o600))
	o.Linger = max(o.Linger, 0)
	if o.Side != Listen && o.Side != Dial {
		return o, fmt.Errorf("unknown side %q (listen or dial)", o.Side)
	}
	return o, nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

func checkAddress(uri string) error {
	scheme, rest, ok := strings.Cut(uri, "://")
	switch {
	case !ok:
		return fmt.Errorf("wrong address %q: it needs a transport in front, such as tcp://%s", uri, uri)
	case scheme != "tcp" && scheme != secure && scheme != "ipc":
		return fmt.Errorf("wrong address %q: unknown transport %q (one of tcp, %s, ipc)", uri, scheme, secure)
	case rest == "":
		return fmt.Errorf("wrong address %q: nothing follows %s://", uri, scheme)
	}
	return nil
}

// info returns what the socket says of itself, and expects of its peers.
func (p Pattern) info() protocol.Info {
	switch p {
	case Sub:
		return protocol.Info{Self: protocol.ProtoSub, Peer: protocol.ProtoPub, SelfName: "sub", PeerName: "pub"}
	case Pull:
		return protocol.Info{Self: protocol.ProtoPull, Peer: protocol.ProtoPush, SelfName: "pull", PeerName: "push"}
	case Pub:
		return protocol.Info{Self: protocol.ProtoPub, Peer: protocol.ProtoSub, SelfName: "pub", PeerName: "sub"}
	default:
		return protocol.Info{Self: protocol.ProtoPush, Peer: protocol.ProtoPull, SelfName: "push", PeerName: "pull"}
	}
}

// open opens all addresses. What is opened is closed with the socket.
func (o *Options) open(e *endpoint) error {
	for _, uri := range o.Addresses {
		if o.Side == Listen {
			if err := o.listen(e, uri); err != nil {
				return err
			}
			continue
		}
		options := map[string]any{
			mangos.OptionMaxRecvSize:      o.MaxMessageSize,
			mangos.OptionDialAsynch:       true,
			mangos.OptionReconnectTime:    o.ReconnectMin,
			mangos.OptionMaxReconnectTime: o.ReconnectMax,
			optionContext:                 e.life,
			optionTLS:                     o.TLS,
			optionReport:                  func(_ string, err error) { e.dialed(uri, err) },
		}
		address := timely + uri
		if runtime.GOOS == "windows" && strings.HasPrefix(uri, "ipc:") { // a named pipe
			for _, ours := range []string{optionContext, optionTLS, optionReport} {
				delete(options, ours)
			}
			address = uri
		}
		d, err := e.socket.NewDialer(address, options)
		if err == nil {
			e.ends = append(e.ends, d)
			err = d.Dial()
		}
		if err != nil {
			return fmt.Errorf("connect to %s: %w", uri, err)
		}
	}
	return nil
}

// listen opens an address to listen on.
func (o *Options) listen(e *endpoint, uri string) error {
	scheme, address, _ := strings.Cut(uri, "://")
	network := "tcp"
	if scheme == "ipc" {
		if runtime.GOOS == "windows" {
			return fmt.Errorf("listen on %s: Windows has named pipes instead, which are not supported; use tcp", uri)
		}
		network = "unix"
	}
	public := o.AllowPlain
	if scheme == secure {
		if len(o.TLS.Certificates) == 0 && o.TLS.GetCertificate == nil && o.TLS.GetConfigForClient == nil {
			return fmt.Errorf("listen on %s: TLS needs a certificate", uri)
		}
		public = public || o.TLS.ClientAuth == tls.RequireAndVerifyClientCert
	}
	// Takes a socket away from the dead, but not from the living, and says what is wrong.
	from, err := listen.Stream(context.Background(), network, address, listen.Options{Public: public, Mode: o.Mode})
	if err != nil {
		return err
	}
	l, err := e.socket.NewListener(timely+uri, map[string]any{
		mangos.OptionMaxRecvSize: o.MaxMessageSize, optionContext: e.life, optionListener: from, optionTLS: o.TLS, optionReport: e.turnedAway,
	})
	if err != nil {
		_ = from.Close()
	}
	if err == nil {
		e.ends = append(e.ends, l)
		err = l.Listen()
	}
	if err != nil {
		return fmt.Errorf("listen on %s: %w", uri, err)
	}
	e.bound = append(e.bound, l.Address())
	return nil
}
