package nng

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/transport"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// The transports of the library wait for ever for a peer that connects and does not say who it
// is. These do not, and otherwise are the same.

// handshakeTime is how long a peer may take to say who it is.
var handshakeTime = 10 * time.Second //nolint:gochecknoglobals // tests have no time

// maxHandshakes is how many peers of a listener may be about to do so; more have to wait.
const maxHandshakes = 64

// timely is put in front of the scheme of an address for our transports.
const timely = "timely+"

// secure is the scheme of TLS.
const secure = "tls+tcp"

// The names of options of our own.
const (
	optionContext  = "LOGBOOK-TRAY-CONTEXT"  // the life of the socket
	optionListener = "LOGBOOK-TRAY-LISTENER" // what a listener accepts from
	optionTLS      = "LOGBOOK-TRAY-TLS"      // the settings of TLS
	optionReport   = "LOGBOOK-TRAY-REPORT"   // is told how attempts to make a connection end
)

func init() { //nolint:gochecknoinits // the library finds transports by their names
	transport.RegisterTransport(stream{scheme: timely + "tcp", network: "tcp", pipe: transport.NewConnPipe})
	transport.RegisterTransport(stream{scheme: timely + secure, network: "tcp", pipe: transport.NewConnPipe, tls: true})
	transport.RegisterTransport(stream{scheme: timely + "ipc", network: "unix", pipe: transport.NewConnPipeIPC})
}

// stream is a transport.
type stream struct {
	scheme, network string
	pipe            func(net.Conn, transport.ProtocolInfo) transport.ConnPipe
	tls             bool
}

var _ transport.Transport = stream{}

// Scheme implements [transport.Transport].
func (s stream) Scheme() string { return s.scheme }

// NewDialer implements [transport.Transport].
func (s stream) NewDialer(uri string, socket mangos.Socket) (transport.Dialer, error) {
	address, err := transport.StripScheme(s, uri)
	return &dialer{end{stream: s, address: address, proto: socket.Info()}}, err
}

// NewListener implements [transport.Transport].
func (s stream) NewListener(uri string, socket mangos.Socket) (transport.Listener, error) {
	address, err := transport.StripScheme(s, uri)
	return &listener{
		end:   end{stream: s, address: address, proto: socket.Info()},
		ready: make(chan transport.Pipe), closed: make(chan struct{}), slots: make(chan struct{}, maxHandshakes),
	}, err
}

// end is what dialers and listeners have in common. Options are set before it is used.
type end struct {
	stream

	address string
	proto   transport.ProtocolInfo
	max     int
	life    context.Context //nolint:containedctx // the library takes none
	from    net.Listener
	secure  *tls.Config
	report  func(peer string, err error)
}

// SetOption implements [transport.Dialer] and [transport.Listener].
func (e *end) SetOption(name string, value any) error {
	ok := false
	switch name {
	case mangos.OptionMaxRecvSize:
		e.max, ok = value.(int)
	case optionContext:
		e.life, ok = value.(context.Context)
	case optionListener:
		e.from, ok = value.(net.Listener)
	case optionTLS:
		e.secure, ok = value.(*tls.Config)
	case optionReport:
		e.report, ok = value.(func(string, error))
	default:
		return mangos.ErrBadOption
	}
	if !ok {
		return mangos.ErrBadValue
	}
	return nil
}

// GetOption implements [transport.Dialer] and [transport.Listener].
func (e *end) GetOption(string) (any, error) { return nil, mangos.ErrBadOption }

// client returns a connection to speak TLS over.
func (e *end) client(c net.Conn) net.Conn {
	if !e.tls {
		return c
	}
	config := e.secure
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(e.address)
	}
	return tls.Client(handshake.HearOut(c), config)
}

// server is client for the other end.
func (e *end) server(c net.Conn) net.Conn {
	if !e.tls {
		return c
	}
	return tls.Server(c, e.secure)
}

// shake makes a pipe of a connection, if the peer is what it should be.
func (e *end) shake(c net.Conn) (transport.Pipe, error) {
	stop := context.AfterFunc(e.life, func() { _ = c.Close() })
	defer stop()
	if err := c.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		_ = c.Close()
		return nil, err
	}
	p := e.pipe(c, e.proto)
	p.SetOption(mangos.OptionMaxRecvSize, e.max)
	h := transport.NewConnHandshaker()
	h.Start(p)
	done, err := h.Wait()
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return done, nil
}

// dialer connects to an address, once with each call.
type dialer struct{ end }

// Dial implements [transport.Dialer].
func (d *dialer) Dial() (transport.Pipe, error) {
	ctx, cancel := context.WithTimeout(d.life, handshakeTime)
	defer cancel()
	var dial net.Dialer
	c, err := dial.DialContext(ctx, d.network, d.address)
	var p transport.Pipe
	if err == nil {
		p, err = d.shake(d.client(c))
	}
	d.report(d.address, handshake.Explain(err))
	return p, err
}

// listener accepts connections.
type listener struct {
	end

	ready   chan transport.Pipe
	closed  chan struct{}
	slots   chan struct{} // those who are about to say who they are
	closing sync.Once
	running sync.WaitGroup
}

// Address implements [transport.Listener].
func (l *listener) Address() string {
	return strings.TrimPrefix(l.scheme, timely) + "://" + l.from.Addr().String()
}

// Listen implements [transport.Listener].
func (l *listener) Listen() error {
	life, cancel := context.WithCancel(l.life)
	l.life = life
	l.running.Go(func() {
		var shaking sync.WaitGroup
		l.accept(&shaking)
		cancel()
		shaking.Wait()
	})
	return nil
}

// acceptAgain is how long after an error, such as too many open files, accepting is tried
// again.
const acceptAgain = 50 * time.Millisecond

// accept accepts until the listener is closed.
func (l *listener) accept(shaking *sync.WaitGroup) {
	for {
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return
		}
		c, err := l.from.Accept()
		if err != nil {
			<-l.slots
			select {
			case <-l.closed:
				return
			case <-time.After(acceptAgain):
				continue
			}
		}
		shaking.Go(func() {
			p, err := l.shake(l.server(c))
			<-l.slots
			if err != nil {
				if !quiet(err) {
					l.report(c.RemoteAddr().String(), err)
				}
				return
			}
			select {
			case l.ready <- p:
			case <-l.closed:
				_ = p.Close()
			}
		})
	}
}

// Accept implements [transport.Listener].
func (l *listener) Accept() (transport.Pipe, error) {
	select {
	case p := <-l.ready:
		return p, nil
	case <-l.closed:
		return nil, mangos.ErrClosed
	}
}

// Close implements [transport.Listener].
func (l *listener) Close() error {
	l.closing.Do(func() {
		close(l.closed)
		_ = l.from.Close()
		l.running.Wait()
	})
	return nil
}

// quiet reports whether a peer went before it had said who it is, or was too slow.
func quiet(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || ok && timeout.Timeout()
}
