// Package packet serves datagram sockets, for the transports that differ only in what
// they read from a datagram.
package packet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
)

// maxDatagram is the largest datagram: UDP has 65507 bytes at most, a Unix socket as many
// as its buffer.
const maxDatagram = 256 << 10

// ahead is how many datagrams wait for the subscriber.
const ahead = 4096

// drainTime is how long nothing may have come in after Drain, for everything to be in.
const drainTime = 100 * time.Millisecond

// receiveBuffer is how much the system is asked to hold for us.
const receiveBuffer = 4 << 20

// Server is a [queue.Receiver] for datagrams.
type Server struct {
	name    string
	conn    net.PacketConn
	file    string // to be removed at the end
	waits   bool   // senders wait for us, so that we may wait
	decode  func(data []byte) []queue.Message
	inbox   *inbox.Inbox
	ended   chan struct{}
	drain   sync.Once
	closing sync.Once
	drained atomic.Bool

	mu  sync.Mutex
	err error
}

var (
	_ queue.Receiver = (*Server)(nil)
	_ queue.Drainer  = (*Server)(nil)
	_ queue.Statuser = (*Server)(nil)
	_ queue.Dropper  = (*Server)(nil)
)

// New serves the datagrams of c, which it owns. name is shown to people; decode makes
// messages of a datagram, which it may retain.
func New(name string, c net.PacketConn, decode func(data []byte) []queue.Message) *Server {
	s := &Server{name: name, conn: c, decode: decode, inbox: inbox.Sized(ahead), ended: make(chan struct{})}
	if a, ok := c.LocalAddr().(*net.UnixAddr); ok {
		s.waits = true
		if !strings.HasPrefix(a.Name, "@") {
			s.file = a.Name
		}
	}
	if b, ok := c.(interface{ SetReadBuffer(bytes int) error }); ok {
		_ = b.SetReadBuffer(receiveBuffer) // the system's limit may be lower; then it is that
	}
	go s.read()
	return s
}

// String returns the name.
func (s *Server) String() string { return s.name }

// Addr returns the address that is listened on, with the port that was chosen.
func (s *Server) Addr() net.Addr { return s.conn.LocalAddr() }

// Receive implements [queue.Receiver].
func (s *Server) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return s.inbox.Receive(ctx, buf)
}

// Dropped returns how many datagrams came in that there was no room for. Those that the
// system has dropped before are not known.
func (s *Server) Dropped() uint64 { return s.inbox.Lost() }

// Status says that we listen; datagrams have no connections.
func (s *Server) Status() queue.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := queue.Status{State: queue.StateListening, Err: s.err, Detail: "listening on " + s.name}
	if s.drained.Load() {
		st.State = queue.StateClosed
	}
	return st
}

// read is the goroutine that reads.
func (s *Server) read() {
	defer close(s.ended)
	defer s.inbox.Finish()
	buf := make([]byte, maxDatagram)
	for {
		if s.drained.Load() {
			_ = s.conn.SetReadDeadline(time.Now().Add(drainTime)) // closed: reading says so
		}
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			if s.drained.Load() || errors.Is(err, net.ErrClosed) {
				return
			}
			s.note(fmt.Errorf("read: %w", err)) // such as an ICMP message about an earlier answer
			continue
		}
		messages := s.decode(append([]byte(nil), buf[:n]...))
		for i := range messages {
			messages[i].Peer = peerName(from)
		}
		if len(messages) == 0 {
			continue
		}
		if s.waits {
			s.inbox.Put(messages)
		} else {
			s.inbox.TryPut(messages)
		}
	}
}

func (s *Server) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func peerName(a net.Addr) string {
	if a == nil || a.String() == "" || a.String() == "@" {
		return "unix" // the clients of a Unix socket have no name
	}
	return a.String()
}

// Drain implements [queue.Drainer]: what the system holds is read, and then the socket
// closed by Close.
func (s *Server) Drain() {
	s.drain.Do(func() {
		s.drained.Store(true)
		_ = s.conn.SetReadDeadline(time.Now().Add(drainTime)) // wakes the reader
	})
}

// Close implements [queue.Receiver].
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.drained.Store(true)
		s.inbox.Discard()
		if s.file != "" { // while it is ours: once it is closed another program may take it over
			_ = os.Remove(s.file) // somebody else may have done so
		}
		_ = s.conn.Close()
		<-s.ended
		s.inbox.Close()
	})
	return nil
}
