// Package stream serves the connections of stream sockets, one goroutine for each, for the
// transports that differ only in what they read from them.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
)

// The defaults of [Options].
const (
	DefaultMaxConnections = 512
	DefaultFirstTimeout   = 30 * time.Second
)

// drainTime is how long nothing may have come in on a connection after Drain,
// for everything to be read that the sender believes to have delivered.
const drainTime = 100 * time.Millisecond

// Options are the settings of a [Server].
type Options struct {
	MaxConnections int              // peers at once; 0 means DefaultMaxConnections
	FirstTimeout   time.Duration    // how long a new peer may be silent; 0 means DefaultFirstTimeout
	OnPeer         func(queue.Peer) // is told about changes, if not nil
}

// Server is a [queue.Receiver] for what the connections of a listener bring.
type Server struct {
	name     string
	serve    func(*Conn) error
	opts     Options
	listener net.Listener
	inbox    *inbox.Inbox
	ended    chan struct{} // closed when everything has ended
	drain    sync.Once
	closing  sync.Once

	mu       sync.Mutex
	conns    map[net.Conn]*queue.Peer
	freed    chan struct{} // a peer has gone, or nobody is let in any more; capacity 1
	draining bool
	refused  int
	err      error
}

var (
	_ queue.Receiver = (*Server)(nil)
	_ queue.Drainer  = (*Server)(nil)
	_ queue.Statuser = (*Server)(nil)
	_ queue.Dropper  = (*Server)(nil)
)

// New serves the connections of l, which it owns. name is shown to people; serve reads
// one connection to its end.
func New(name string, l net.Listener, o Options, serve func(*Conn) error) *Server {
	if o.MaxConnections <= 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.FirstTimeout <= 0 {
		o.FirstTimeout = DefaultFirstTimeout
	}
	s := &Server{
		name: name, serve: serve, opts: o, listener: l, inbox: inbox.New(), ended: make(chan struct{}),
		conns: make(map[net.Conn]*queue.Peer), freed: make(chan struct{}, 1),
	}
	go s.accept()
	return s
}

// String returns the name.
func (s *Server) String() string { return s.name }

// Addr returns the address that is listened on, with the port that was chosen.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Receive implements [queue.Receiver].
func (s *Server) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return s.inbox.Receive(ctx, buf)
}

// Dropped returns how many messages were read and not received before Close.
func (s *Server) Dropped() uint64 { return s.inbox.Lost() }

// Status lists the peers that are connected.
func (s *Server) Status() queue.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := queue.Status{State: queue.StateListening, Err: s.err, Detail: "listening on " + s.name}
	for _, p := range s.conns {
		st.Peers = append(st.Peers, *p)
		st.State = queue.StateConnected
	}
	slices.SortFunc(st.Peers, func(a, b queue.Peer) int { return a.Since.Compare(b.Since) })
	if s.refused > 0 {
		st.Detail += fmt.Sprintf("; %d peers refused", s.refused)
	}
	if s.draining {
		st.State = queue.StateClosed
	}
	return st
}

// acceptPause is how long accepting pauses after an error such as too many
// open files.
const acceptPause = 100 * time.Millisecond

// accept is the goroutine that owns all others.
func (s *Server) accept() {
	defer close(s.ended)
	defer s.inbox.Finish()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.note(fmt.Errorf("accept a connection: %w", err))
			pause := time.NewTimer(acceptPause)
			<-pause.C
			continue
		}
		s.awaitRoom()
		if !s.add(c) {
			_ = c.Close()
			continue
		}
		wg.Go(func() {
			err := s.run(c)
			if quiet(err) {
				err = nil
			} else {
				s.note(fmt.Errorf("%s: %w", peerName(c), err))
			}
			s.remove(c, err)
		})
	}
}

// roomTime is how long a peer is kept waiting when as many are connected as may be: that one
// has gone which has sent a record and closed at once is only seen a little later.
const roomTime = time.Second

// awaitRoom waits until another peer may connect, for roomTime at most.
func (s *Server) awaitRoom() {
	patience := time.NewTimer(roomTime)
	defer patience.Stop()
	for {
		s.mu.Lock()
		full := len(s.conns) >= s.opts.MaxConnections && !s.draining
		s.mu.Unlock()
		if !full {
			return
		}
		select {
		case <-s.freed:
		case <-patience.C:
			return
		}
	}
}

// free says that there may be room.
func (s *Server) free() {
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

func (s *Server) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

func (s *Server) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// peerName returns the address of the other end.
func peerName(c net.Conn) string {
	if a := c.RemoteAddr().String(); a != "" && a != "@" {
		return a
	}
	return "unix" // the clients of a Unix socket have no name
}

func (s *Server) add(c net.Conn) bool {
	p := queue.Peer{Address: peerName(c), State: queue.StateConnected, Since: time.Now()}
	s.mu.Lock()
	ok := !s.draining && len(s.conns) < s.opts.MaxConnections
	if ok {
		s.conns[c] = &p
	} else {
		s.refused++
	}
	s.mu.Unlock()
	if ok && s.opts.OnPeer != nil {
		s.opts.OnPeer(p)
	}
	return ok
}

// remove forgets a peer; why is nil if it left in good order.
func (s *Server) remove(c net.Conn, why error) {
	s.mu.Lock()
	p := *s.conns[c]
	delete(s.conns, c)
	s.mu.Unlock()
	s.free()
	_ = c.Close()
	if s.opts.OnPeer != nil {
		p.State, p.Since = queue.StateLost, time.Now()
		if why != nil {
			p.Err = why.Error()
		}
		s.opts.OnPeer(p)
	}
}

// Drain implements [queue.Drainer]: nobody can connect any more, and what the
// peers have sent is read.
func (s *Server) Drain() {
	s.drain.Do(func() {
		_ = s.listener.Close()
		defer s.free()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.draining = true
		for c := range s.conns {
			_ = c.SetReadDeadline(time.Now().Add(drainTime))
		}
	})
}

// Close implements [queue.Receiver]. It waits until all connections are
// closed.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.Drain()
		s.inbox.Discard()
		s.mu.Lock()
		for c := range s.conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		<-s.ended
		s.inbox.Close()
	})
	return nil
}

// quiet reports whether err is an ordinary end of a connection.
func quiet(err error) bool {
	var timeout net.Error
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &timeout) && timeout.Timeout()
}
