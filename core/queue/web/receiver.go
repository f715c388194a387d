package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultMaxBody    = 16 << 20
	DefaultMaxRecords = 10_000
)

// Limits of time for a request: Python's HTTPHandler waits for the answer, and a
// peer that sends its request slowly holds a connection.
const (
	DefaultHeaderTimeout = 10 * time.Second
	DefaultBodyTimeout   = time.Minute

	idleTimeout = 2 * time.Minute
)

// DefaultMaxConnections is how many clients may be connected at once where [Options] say
// nothing.
const DefaultMaxConnections = 512

// Options are the settings of a [Receiver]. Address is required.
type Options struct {
	// Address is HOST:PORT.
	Address string
	// Decoder reads records; nil: a decoder with its defaults.
	Decoder *wire.Decoder
	// Channel is that of records that name none.
	Channel string
	// Token, if not empty, must come with each request: as "Authorization: Bearer
	// TOKEN", or as the password of HTTPHandler's credentials.
	Token string
	// Hosts are the names, besides those of this computer, by which requests may
	// reach us.
	Hosts []string
	// MaxBody is the largest body of a request in bytes, before and after
	// decompression; 0 means DefaultMaxBody.
	MaxBody int64
	// MaxRecords is how many records a request may hold; 0 means
	// DefaultMaxRecords.
	MaxRecords int
	// MaxConnections is how many clients may be connected at once; 0 means
	// DefaultMaxConnections. Others are disconnected.
	MaxConnections int
	// HeaderTimeout and BodyTimeout bound how long the header of a request, and all of it,
	// may take to come in; 0 means the defaults.
	HeaderTimeout, BodyTimeout time.Duration
	// TLS, if not nil, is what https is served with.
	TLS *tls.Config
	// AllowPlain allows addresses that other computers can reach without TLS and
	// Token.
	AllowPlain bool
}

// Receiver is a web server that takes records.
type Receiver struct {
	opts     Options
	listener net.Listener
	server   *http.Server
	inbox    *inbox.Inbox
	running  sync.WaitGroup
	requests atomic.Uint64
	refused  atomic.Uint64
	repeated atomic.Uint64 // that had been answered before
	answers  answers
	drain    sync.Once
	closing  sync.Once
	ended    chan struct{} // closed when no request runs any more

	mu  sync.Mutex
	err error
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReceiver listens and serves.
func NewReceiver(o Options) (*Receiver, error) {
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.MaxRecords <= 0 {
		o.MaxRecords = DefaultMaxRecords
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.HeaderTimeout <= 0 {
		o.HeaderTimeout = DefaultHeaderTimeout
	}
	if o.BodyTimeout <= 0 {
		o.BodyTimeout = DefaultBodyTimeout
	}
	if o.Decoder == nil {
		d, err := wire.NewDecoder(wire.Options{})
		if err != nil {
			return nil, fmt.Errorf("decoder: %w", err)
		}
		o.Decoder = d
	}
	l, err := listen.Stream(context.Background(), "tcp", o.Address, listen.Options{
		Public: o.TLS != nil && o.Token != "" || o.AllowPlain,
	})
	if err != nil {
		return nil, err
	}
	l = &limited{Listener: l, free: make(chan struct{}, o.MaxConnections)}
	if o.TLS != nil {
		l = tls.NewListener(l, o.TLS)
	}
	r := &Receiver{opts: o, listener: l, inbox: inbox.New(), ended: make(chan struct{})}
	r.server = &http.Server{
		Handler:           r.handler(),
		ReadHeaderTimeout: o.HeaderTimeout,
		ReadTimeout:       o.BodyTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // what clients do wrong in TLS is not for our stderr
	}
	r.running.Go(func() {
		if err := r.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.err = err
		}
	})
	return r, nil
}

// String returns the URL of the server.
func (r *Receiver) String() string {
	scheme := "http"
	if r.opts.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Addr().String()
}

// Addr returns the address that is listened on, with the port that was chosen.
func (r *Receiver) Addr() net.Addr { return r.listener.Addr() }

// Receive implements [queue.Receiver].
func (r *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return r.inbox.Receive(ctx, buf)
}

// Dropped returns how many records were taken and not received before Close.
func (r *Receiver) Dropped() uint64 { return r.inbox.Lost() }

// Status counts the requests; HTTP has no lasting peers.
func (r *Receiver) Status() queue.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := queue.Status{
		State: queue.StateListening, Err: r.err,
		Detail: fmt.Sprintf("listening on %s; %d requests, %d refused", r, r.requests.Load(), r.refused.Load()),
	}
	if n := r.repeated.Load(); n > 0 {
		s.Detail += fmt.Sprintf(", %d sent again", n)
	}
	select {
	case <-r.ended:
		s.State = queue.StateClosed
	default:
	}
	return s
}

// shutdownTimeout is how long requests that run may take after Drain.
const shutdownTimeout = 5 * time.Second

// Drain implements [queue.Drainer]: nobody can connect any more, and requests
// that run are answered.
func (r *Receiver) Drain() {
	r.drain.Do(func() {
		r.running.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
			defer cancel()
			if r.server.Shutdown(ctx) != nil {
				_ = r.server.Close() // a request that does not end
			}
		})
		go func() {
			r.running.Wait()
			r.inbox.Finish()
			close(r.ended)
		}()
	})
}

// Close implements [queue.Receiver].
func (r *Receiver) Close() error {
	r.closing.Do(func() {
		r.inbox.Discard()
		_ = r.server.Close()
		r.Drain()
		<-r.ended
		r.inbox.Close()
	})
	return nil
}

// put hands the records of a request over, all or none; it waits as long as there is no room,
// and so does the client.
func (r *Receiver) put(peer string, messages []queue.Message) bool {
	for i := range messages {
		messages[i].Peer = peer
		if rec := messages[i].Record; rec != nil && rec.Channel == "" {
			rec.Channel = r.opts.Channel
		}
	}
	return r.inbox.Put(messages)
}

// reject counts a request that holds no record.
func (r *Receiver) reject(peer string, body []byte, format string, err error) {
	r.inbox.Put([]queue.Message{{Body: body, Format: format, Err: err, Peer: peer}})
}

// formFormat is the [queue.Message].Format of a form. Others are JSON.
const formFormat = "form"

// Decode implements [queue.Decoder].
func (r *Receiver) Decode(m queue.Message) (rec *core.Record, err error) {
	if m.Format == formFormat {
		rec, err = r.opts.Decoder.DecodeForm(string(m.Body))
	} else {
		rec, err = r.opts.Decoder.Decode(m.Body)
	}
	if err == nil && rec.Channel == "" {
		rec.Channel = r.opts.Channel
	}
	return rec, err
}

// limited is a listener that bounds how many connections there are at once.
type limited struct {
	net.Listener

	free chan struct{} // its capacity is the limit
}

// Accept implements [net.Listener]. Connections above the limit are closed at once.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &limitedConn{Conn: c, done: sync.OnceFunc(func() { <-l.free })}, nil
		default:
			_ = c.Close()
		}
	}
}

type limitedConn struct {
	net.Conn

	done func()
}

// Close implements [net.Conn].
func (c *limitedConn) Close() error {
	c.done()
	return c.Conn.Close()
}
