package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultMaxMessageSize = 16 << 20
	DefaultMaxConnections = 512
	DefaultFirstTimeout   = 30 * time.Second
)

// drainTime is how long nothing may have come in on a connection after Drain,
// for everything to be read that the sender believes to have delivered.
const drainTime = 100 * time.Millisecond

// Options are the settings of a [Receiver]. Address is required.
type Options struct {
	// Network is "tcp" or "unix"; empty: tcp.
	Network string
	// Address is HOST:PORT, or the path of a Unix socket.
	Address string
	// Decoder reads records; nil: a decoder with its defaults.
	Decoder *wire.Decoder
	// Channel is that of plain lines; empty: the address of the peer.
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
	opts     Options
	listener net.Listener
	inbox    *inbox.Inbox
	ended    chan struct{} // closed when everything has ended
	drain    sync.Once
	closing  sync.Once

	mu       sync.Mutex
	conns    map[net.Conn]*queue.Peer
	draining bool
	refused  int
	err      error
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
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
	r := &Receiver{
		opts: o, listener: l, inbox: inbox.New(), ended: make(chan struct{}),
		conns: make(map[net.Conn]*queue.Peer),
	}
	go r.accept()
	return r, nil
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
	if o.MaxConnections <= 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.FirstTimeout <= 0 {
		o.FirstTimeout = DefaultFirstTimeout
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

// String returns the network and the address.
func (r *Receiver) String() string { return r.opts.Network + "://" + r.Addr().String() }

// Addr returns the address that is listened on, with the port that was chosen.
func (r *Receiver) Addr() net.Addr { return r.listener.Addr() }

// Receive implements [queue.Receiver].
func (r *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return r.inbox.Receive(ctx, buf)
}

// Dropped returns how many messages were read and not received before Close.
func (r *Receiver) Dropped() uint64 { return r.inbox.Lost() }

// Status lists the peers that are connected.
func (r *Receiver) Status() queue.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := queue.Status{State: queue.StateListening, Err: r.err, Detail: "listening on " + r.String()}
	for _, p := range r.conns {
		s.Peers = append(s.Peers, *p)
		s.State = queue.StateConnected
	}
	slices.SortFunc(s.Peers, func(a, b queue.Peer) int { return a.Since.Compare(b.Since) })
	if r.refused > 0 {
		s.Detail += fmt.Sprintf("; %d peers refused", r.refused)
	}
	if r.draining {
		s.State = queue.StateClosed
	}
	return s
}

// acceptPause is how long accepting pauses after an error such as too many
// open files.
const acceptPause = 100 * time.Millisecond

// accept is the goroutine that owns all others.
func (r *Receiver) accept() {
	defer close(r.ended)
	defer r.inbox.Finish()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := r.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			r.note(fmt.Errorf("accept a connection: %w", err))
			pause := time.NewTimer(acceptPause)
			<-pause.C
			continue
		}
		if !r.add(c) {
			_ = c.Close()
			continue
		}
		wg.Go(func() {
			defer r.remove(c)
			if err := r.serve(c); err != nil {
				r.note(fmt.Errorf("%s: %w", peerName(c), err))
			}
		})
	}
}

func (r *Receiver) isDraining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

func (r *Receiver) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// peerName returns the address of the other end.
func peerName(c net.Conn) string {
	if a := c.RemoteAddr().String(); a != "" && a != "@" {
		return a
	}
	return "unix" // the clients of a Unix socket have no name
}

func (r *Receiver) add(c net.Conn) bool {
	p := queue.Peer{Address: peerName(c), State: queue.StateConnected, Since: time.Now()}
	r.mu.Lock()
	ok := !r.draining && len(r.conns) < r.opts.MaxConnections
	if ok {
		r.conns[c] = &p
	} else {
		r.refused++
	}
	r.mu.Unlock()
	if ok && r.opts.OnPeer != nil {
		r.opts.OnPeer(p)
	}
	return ok
}

func (r *Receiver) remove(c net.Conn) {
	r.mu.Lock()
	p := *r.conns[c]
	delete(r.conns, c)
	r.mu.Unlock()
	_ = c.Close()
	if r.opts.OnPeer != nil {
		p.State, p.Since = queue.StateLost, time.Now()
		r.opts.OnPeer(p)
	}
}

// Drain implements [queue.Drainer]: nobody can connect any more, and what the
// peers have sent is read.
func (r *Receiver) Drain() {
	r.drain.Do(func() {
		_ = r.listener.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.draining = true
		for c := range r.conns {
			_ = c.SetReadDeadline(time.Now().Add(drainTime))
		}
	})
}

// Close implements [queue.Receiver]. It waits until all connections are
// closed.
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		r.Drain()
		r.inbox.Discard()
		r.mu.Lock()
		for c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		<-r.ended
		r.inbox.Close()
	})
	return nil
}

// quiet reports whether err is an ordinary end of a connection.
func quiet(err error) bool {
	var timeout net.Error
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &timeout) && timeout.Timeout()
}
