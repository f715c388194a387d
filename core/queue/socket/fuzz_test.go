package socket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
)

// pair is a listener that has one connection, whose other end is in memory.
type pair struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pair) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pair) Close() error   { close(p.closed); return nil }
func (p *pair) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// inMemory is a connection in memory that, as one of the system, has deadlines also when the
// other end is closed.
type inMemory struct{ net.Conn }

func (c inMemory) SetReadDeadline(at time.Time) error {
	if err := c.Conn.SetReadDeadline(at); !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}

// told is what came of a connection.
func told(t *testing.T, o Options, chunks ...[]byte) (all []queue.Message) {
	t.Helper()
	l := &pair{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	ours, theirs := net.Pipe()
	l.conns <- inMemory{ours}
	gone := make(chan struct{})
	s := stream.New("fuzz", l, stream.Options{FirstTimeout: time.Minute, OnPeer: func(p queue.Peer) {
		if p.State == queue.StateLost {
			close(gone)
		}
	}}, o.serve)
	go func() {
		defer theirs.Close()
		for _, c := range chunks {
			if _, err := theirs.Write(c); err != nil {
				return // it was sent away
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() {
		select {
		case <-gone:
			s.Drain()
		case <-ctx.Done():
		}
	}()
	buf := make([]queue.Message, 16)
	for {
		n, err := s.Receive(ctx, buf)
		all = append(all, buf[:n]...)
		if errors.Is(err, queue.ErrClosed) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// FuzzConnection looks for a stream that is read otherwise when it comes in other pieces, or
// whose messages are neither records nor rejected with a reason.
func FuzzConnection(f *testing.F) {
	files, err := filepath.Glob("../../wire/testdata/cutelog/*.stream")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint16(len(data)/2), false)
	}
	for _, s := range []string{
		"{\"msg\": \"a\", \"level\": \"info\"}\n\r\nplain\nWARNING: no line feed", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x00\x00\x00\x02}q", "\x7f\xff\xff\xff",
		"!!logbook-tray!!token=t\nhello\n", "\x00\x00\x00\x17!!logbook-tray!!token=t\x00\x00\x00\x16!!cutelog!!format=json\x00\x00\x00\x0b{\"msg\":\"a\"}",
	} {
		f.Add([]byte(s), uint16(len(s)-3), s[:2] == "!!" || len(s) > 40)
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint16, token bool) {
		o, err := Options{MaxMessageSize: 4000}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		if token {
			o.Token = "t"
		}
		cut := min(int(at), len(data))
		one, two := told(t, o, data), told(t, o, data[:cut], data[cut:])
		if len(one) != len(two) {
			t.Fatalf("%d messages at once, %d in two pieces", len(one), len(two))
		}
		for i := range one {
			if (one[i].Record == nil) == (one[i].Err == nil) {
				t.Fatalf("%+v", one[i])
			}
			if (one[i].Err == nil) != (two[i].Err == nil) || one[i].Record != nil && one[i].Record.Message() != two[i].Record.Message() {
				t.Fatalf("%+v at once, %+v in two pieces", one[i], two[i])
			}
		}
	})
}
