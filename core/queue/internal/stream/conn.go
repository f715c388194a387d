package stream

import (
	"net"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// Conn is one connection.
type Conn struct {
	server *Server
	conn   net.Conn
	peer   string
	batch  []queue.Message
	gone   bool
	spoken bool   // something has come in
	asked  bool   // the peer has yet to say who it is
	ahead  *ahead // reads, if another goroutine does; see Each
}

// run serves one connection.
func (s *Server) run(nc net.Conn) error {
	c := &Conn{server: s, conn: nc, peer: peerName(nc), batch: s.inbox.New()}
	defer c.flush()
	if err := c.deadline(time.Now().Add(s.opts.FirstTimeout)); err != nil {
		return err
	}
	return s.serve(c)
}

// Peer returns the address of the other end.
func (c *Conn) Peer() string { return c.peer }

// Ask makes the time until something must have come in hold until [Conn.Admit] is called: a
// peer that has to say who it is cannot take longer by sending a part of it. It is called
// before anything is read.
func (c *Conn) Ask() { c.asked = true }

// Admit lets a peer be silent for as long as it likes.
func (c *Conn) Admit() error {
	c.asked = false
	return c.deadline(time.Time{})
}

// Gone reports whether nobody receives any more.
func (c *Conn) Gone() bool { return c.gone }

// deadline sets the time until which something must come in, unless Drain has
// set one.
func (c *Conn) deadline(t time.Time) error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.draining {
		return nil
	}
	return c.conn.SetReadDeadline(t)
}

// Read hands over what there is before it waits for more. While the server
// drains, a connection ends when nothing has come in for a moment.
func (c *Conn) Read(p []byte) (int, error) {
	if c.ahead != nil {
		c.ahead.hand()
	} else {
		c.flush()
	}
	if c.server.isDraining() {
		if err := c.conn.SetReadDeadline(time.Now().Add(drainTime)); err != nil {
			return 0, err
		}
	}
	n, err := c.conn.Read(p)
	if n > 0 && !c.spoken && !c.asked {
		c.spoken = true
		if err := c.deadline(time.Time{}); err != nil {
			return n, err
		}
	}
	return n, err
}

// Put hands a message over, at the latest when Read is called the next time.
func (c *Conn) Put(m queue.Message) {
	m.Peer = c.peer
	c.batch = append(c.batch, m)
	if len(c.batch) == mostAtOnce {
		c.flush()
	}
}

func (c *Conn) flush() {
	if len(c.batch) > 0 {
		c.gone = !c.server.inbox.Put(c.batch)
		c.batch = c.server.inbox.New()
	}
}
