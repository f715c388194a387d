package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// The times between two attempts to connect, as documented for Python's SocketHandler: the
// first, doubled each time, up to the last.
const (
	retryStart = time.Second
	retryMax   = 30 * time.Second
)

// connectTimeout bounds how long an attempt to connect may take.
const connectTimeout = 5 * time.Second

// writeTimeout bounds how long a peer may let a record wait whose context has no end.
const writeTimeout = 10 * time.Second

// ErrWaiting is wrapped by the error of [Sender.Send] for a record that was not sent because
// the peer could not be reached a short while ago.
var ErrWaiting = errors.New("waiting before connecting again")

// SenderOptions are the settings of a [Sender]. Address is required.
type SenderOptions struct {
	// Network is "tcp" or "unix" for a stream, "udp" or "unixgram" for datagrams;
	// empty: tcp.
	Network string
	// Address is HOST:PORT, or the path of a Unix socket.
	Address string
	// Lines puts a line feed behind each record, for JSON; otherwise its length stands
	// in front, which pickles need.
	Lines bool
	// TLS, if not nil, is used on a stream.
	TLS *tls.Config
	// Token, if not empty, is sent first on each connection, see [Options]. Receivers other
	// than ours do not understand it. It is as secret as the connection.
	Token string
}

// Sender sends records over a socket, as Python's SocketHandler and DatagramHandler do. With
// wire.AppendPickle as the encoding of its [queue.Handler], Python's receivers
// understand it. It connects when there is something to send. What cannot be sent is
// lost, and the error says so.
type Sender struct {
	opts SenderOptions

	turn   chan struct{} // held by the one who sends; capacity 1
	conn   net.Conn
	gone   chan struct{} // closed when the peer of conn has gone; nil for datagrams
	buf    []byte
	next   time.Time // of the next attempt to connect
	pause  time.Duration
	closed bool

	mu     sync.Mutex // guards status
	status queue.Status
}

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender returns a sender; it does not connect yet.
func NewSender(o SenderOptions) (*Sender, error) {
	switch o.Network {
	case "":
		o.Network = "tcp"
	case "tcp", "unix":
	case "udp", "unixgram":
		if o.TLS != nil {
			return nil, fmt.Errorf("there is no TLS over %s: use tcp", o.Network)
		}
		if o.Token != "" {
			return nil, fmt.Errorf("there is no token over %s: use tcp", o.Network)
		}
	default:
		return nil, fmt.Errorf("unknown network %q (tcp, unix, udp or unixgram)", o.Network)
	}
	if o.Address == "" {
		return nil, errors.New("no address: give HOST:PORT or the path of a socket")
	}
	return &Sender{opts: o, turn: make(chan struct{}, 1), status: queue.Status{State: queue.StateConnecting}}, nil
}

// String returns the network and the address.
func (s *Sender) String() string { return s.opts.Network + "://" + s.opts.Address }

// Status tells whether the peer could be reached last.
func (s *Sender) Status() queue.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *Sender) setStatus(state queue.State, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = queue.Status{State: state, Err: err, Detail: s.String()}
}

// Send implements [queue.Sender].
func (s *Sender) Send(ctx context.Context, body []byte) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.closed {
		return queue.ErrClosed
	}
	s.notice()
	if err := s.connect(ctx); err != nil {
		return err
	}
	s.buf = s.frame(s.buf[:0], body)
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(writeTimeout)
	}
	err := s.conn.SetWriteDeadline(deadline)
	if err == nil {
		_, err = s.conn.Write(s.buf)
	}
	if err != nil { // part of a frame may have gone out: nothing can follow it
		s.drop()
		s.setStatus(queue.StateLost, err)
		return fmt.Errorf("send to %s: %w", s, err)
	}
	return nil
}

// watch reads from a peer that says nothing, to learn that it has gone: the first record
// after that would be written without an error and be lost. It ends with the connection.
func (s *Sender) watch(c net.Conn) (gone chan struct{}) {
	gone = make(chan struct{})
	go func() {
		defer close(gone)
		_, err := io.Copy(io.Discard, c)
		if errors.Is(err, net.ErrClosed) {
			return // it was us
		}
		if err == nil {
			err = errGone
		}
		s.setStatus(queue.StateLost, handshake.Explain(err))
	}()
	return gone
}

// notice drops a connection whose peer has gone.
func (s *Sender) notice() {
	if s.conn == nil || s.gone == nil {
		return
	}
	select {
	case <-s.gone:
		s.drop()
		if handshake.Refused(s.Status().Err) { // it has let us in before it has looked at our certificate
			s.putOff()
		}
	default:
	}
}

var errGone = errors.New("the peer has closed the connection")

// drop closes the connection.
func (s *Sender) drop() {
	_ = s.conn.Close() // what was written is on its way, or lost
	if s.gone != nil {
		<-s.gone
	}
	s.conn, s.gone = nil, nil
}

// connectPause is the time between two attempts of [Sender.Connect].
const connectPause = 50 * time.Millisecond

// Connect connects if that has not been done, and tries again until it succeeds or ctx is
// done, without the pauses of [Sender.Send]. The error is that of the last attempt.
func (s *Sender) Connect(ctx context.Context) error {
	tick := time.NewTicker(connectPause)
	defer tick.Stop()
	for {
		err := s.connectNow(ctx)
		if err == nil || errors.Is(err, queue.ErrClosed) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

func (s *Sender) connectNow(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case s.closed:
		return queue.ErrClosed
	case s.conn != nil:
		return nil
	}
	return s.dial(ctx)
}

// connect connects if that has not been done, and it is time to try.
func (s *Sender) connect(ctx context.Context) error {
	if s.conn != nil {
		return nil
	}
	if wait := time.Until(s.next); wait > 0 {
		wait = wait.Round(time.Millisecond)
		if err := s.Status().Err; err != nil {
			return fmt.Errorf("send to %s: %w, for %v, after: %w", s, ErrWaiting, wait, err)
		}
		return fmt.Errorf("send to %s: %w, for %v", s, ErrWaiting, wait)
	}
	return s.dial(ctx)
}

// dial connects, and says when to try again if it fails.
func (s *Sender) dial(ctx context.Context) error {
	d := net.Dialer{Timeout: connectTimeout}
	dial := d.DialContext
	if s.opts.TLS != nil {
		dial = (&tls.Dialer{NetDialer: &d, Config: s.opts.TLS}).DialContext
	}
	c, err := dial(ctx, s.opts.Network, s.opts.Address)
	if err != nil {
		err = handshake.Explain(err)
		s.putOff()
		s.setStatus(queue.StateConnecting, err)
		return fmt.Errorf("connect to %s: %w", s, err)
	}
	if err := s.introduce(c); err != nil {
		_ = c.Close()
		s.setStatus(queue.StateConnecting, err)
		return fmt.Errorf("connect to %s: %w", s, err)
	}
	s.conn, s.pause = c, 0
	s.setStatus(queue.StateConnected, nil)
	if s.opts.Network == "tcp" || s.opts.Network == "unix" {
		s.gone = s.watch(c)
	}
	return nil
}

// putOff puts off the next attempt to connect.
func (s *Sender) putOff() {
	s.pause = min(max(2*s.pause, retryStart), retryMax)
	s.next = time.Now().Add(s.pause)
}

// introduce sends the token, if there is one.
func (s *Sender) introduce(c net.Conn) error {
	if s.opts.Token == "" {
		return nil
	}
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := c.Write(s.frame(nil, []byte(tokenPrefix+s.opts.Token)))
	return err
}

// frame appends a message to dst with what tells it from the next one.
func (s *Sender) frame(dst, body []byte) []byte {
	if s.opts.Lines {
		return append(append(dst, body...), '\n')
	}
	return append(frame.AppendLength(dst, len(body)), body...)
}

// Close implements [queue.Sender].
func (s *Sender) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.closed {
		return nil
	}
	s.closed = true
	defer s.setStatus(queue.StateClosed, nil) // after the last word of watch
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	if s.gone != nil {
		<-s.gone
	}
	if err != nil {
		return fmt.Errorf("close %s: %w", s, err)
	}
	return nil
}
