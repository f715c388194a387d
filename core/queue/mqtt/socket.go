package mqtt

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/eclipse/paho.golang/paho/log"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// keepAlive is how long, in seconds, nothing may come from us before the broker takes us for
// dead.
const keepAlive = 30

// headroom is what a message has besides its body: topic, properties, a header.
const headroom = 128 << 10

// socket is the connection as the library wants it: several may write, a packet each. It
// refuses packets that are too large before there is memory for them, writes each at once,
// and notices that nobody is there any more, though not while nobody reads.
type socket struct {
	net.Conn

	in      *bufio.Reader
	max     int          // bytes of a packet
	idle    atomic.Int64 // a [time.Duration]: how long nothing may come in; 0: for ever
	timeout time.Duration

	// Of the one who reads: where in a packet it is.
	header int // bytes of the header that were read
	length int // what the header says
	left   int // bytes of the body that are to be read

	mu   sync.Mutex // of those who write
	out  *bufio.Writer
	fail error
}

// dial connects for as long as ctx allows.
func dial(ctx context.Context, uri *url.URL, o *Options) (*socket, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", uri.Host)
	if err != nil {
		return nil, err
	}
	if uri.Scheme == secure {
		config := o.TLS.Clone()
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		if config.ServerName == "" {
			config.ServerName = uri.Hostname()
		}
		t := tls.Client(handshake.HearOut(c), config)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, err
		}
		c = t
	}
	s := &socket{Conn: c, max: o.MaxMessageSize + headroom, timeout: o.Timeout}
	s.idle.Store(int64(keepAlive * time.Second * 3 / 2))
	s.in, s.out = bufio.NewReaderSize(source{s}, 64<<10), bufio.NewWriterSize(c, 16<<10)
	return s, nil
}

// source is where a socket reads from.
type source struct{ *socket }

// Read reads from the connection, for as long as something may take to come in.
func (s source) Read(p []byte) (int, error) {
	var limit time.Time
	if idle := time.Duration(s.idle.Load()); idle > 0 {
		limit = time.Now().Add(idle)
	}
	if err := s.SetReadDeadline(limit); err != nil {
		return 0, err
	}
	return s.Conn.Read(p)
}

// The header of a packet is its type and its length, with seven bits a byte.
const maxHeader = 5

// Read implements [net.Conn].
func (s *socket) Read(p []byte) (int, error) {
	if s.left > 0 {
		n, err := s.in.Read(p[:min(len(p), s.left)])
		s.left -= n
		return n, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	b, err := s.in.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	if s.header++; s.header > 1 {
		s.length |= int(b&0x7f) << (7 * (s.header - 2))
		switch {
		case b&0x80 != 0 && s.header == maxHeader || s.length > s.max:
			return 0, fmt.Errorf("%w: a packet of %d bytes", errTooLarge, s.length)
		case b&0x80 == 0:
			s.header, s.length, s.left = 0, 0, s.length
		}
	}
	return 1, nil
}

// Write implements [net.Conn]. Who writes has the lock.
func (s *socket) Write(p []byte) (int, error) {
	if s.fail != nil {
		return 0, s.fail
	}
	n, err := s.out.Write(p)
	s.fail = err
	return n, err
}

// Lock implements [sync.Locker]: the library has it while it writes a packet.
func (s *socket) Lock() {
	s.mu.Lock()
	_ = s.SetWriteDeadline(time.Now().Add(s.timeout)) // writing fails too, then
}

// Unlock implements [sync.Locker]. It sends the packet.
func (s *socket) Unlock() {
	if s.fail == nil {
		s.fail = s.out.Flush()
	}
	if s.fail != nil {
		_ = s.Close() // which ends the one who reads
	}
	s.mu.Unlock()
}

// pinger shows the broker that we are there. That the broker is there the socket sees.
type pinger struct{ to *socket }

var _ paho.Pinger = pinger{}

// Run implements [paho.Pinger].
func (p pinger) Run(ctx context.Context, _ net.Conn, seconds uint16) error {
	every := time.Duration(seconds) * time.Second
	p.to.idle.Store(int64(every * 3 / 2))
	if every == 0 {
		return nil // the broker wants none
	}
	tick := time.NewTicker(every / 2)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := packets.NewControlPacket(packets.PINGREQ).WriteTo(p.to); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// PacketSent implements [paho.Pinger].
func (pinger) PacketSent() {}

// PacketReceived implements [paho.Pinger].
func (pinger) PacketReceived() {}

// PingResp implements [paho.Pinger].
func (pinger) PingResp() {}

// SetDebug implements [paho.Pinger].
func (pinger) SetDebug(log.Logger) {}
