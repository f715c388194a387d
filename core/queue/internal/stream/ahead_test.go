package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// serve starts a server whose connections are read by serve, and connects to it.
func serve(t *testing.T, serve func(*stream.Conn) error) (*stream.Server, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := stream.New("test", l, stream.Options{}, serve)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return s, c
}

// lines puts in every line of a connection and sends how it ended.
func lines(ended chan<- error, take func(c *stream.Conn, m []byte) bool) func(*stream.Conn) error {
	return func(c *stream.Conn) error {
		r := frame.NewReader(c, frame.Lines(100), 100)
		err := c.Each(r.Next, func(m []byte) bool { return take(c, m) })
		ended <- err
		return err
	}
}

func put(c *stream.Conn, m []byte) bool {
	c.Put(queue.Message{Body: m})
	return true
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// receive returns the next n bodies.
func receive(t *testing.T, s *stream.Server, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got []string
	buf := make([]queue.Message, 16)
	for len(got) < n {
		k, err := s.Receive(ctx, buf)
		if err != nil {
			t.Fatalf("after %d: %v", len(got), err)
		}
		for _, m := range buf[:k] {
			got = append(got, string(m.Body))
		}
	}
	return got
}

func TestEachGivesOutAllMessagesInOrderUntilTheEnd(t *testing.T) {
	ended := make(chan error, 1)
	s, c := serve(t, lines(ended, put))
	const count = 5000
	go func() {
		for i := range count {
			_, _ = fmt.Fprintf(c, "%d\n", i)
		}
		_ = c.Close()
	}()
	for i, got := range receive(t, s, count) {
		if want := fmt.Sprint(i); got != want {
			t.Fatalf("message %d is %s", i, got)
		}
	}
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("ended with %v", err)
	}
}

func TestEachDoesNotKeepAMessageUntilTheNextOneComes(t *testing.T) {
	s, c := serve(t, lines(make(chan error, 1), put))
	for _, text := range []string{"one", "two"} {
		write(t, c, text+"\n")
		if got := receive(t, s, 1); got[0] != text {
			t.Fatalf("received %q", got)
		}
	}
}

func TestEachTellsWhatCameBeforeAnErrorAndTheError(t *testing.T) {
	ended := make(chan error, 1)
	s, c := serve(t, lines(ended, put))
	write(t, c, "good\n")
	write(t, c, string(make([]byte, 200)))
	if got := receive(t, s, 1); got[0] != "good" {
		t.Fatalf("received %q", got)
	}
	if err := <-ended; !errors.Is(err, frame.ErrTooLarge) {
		t.Errorf("ended with %v", err)
	}
}

func TestEachEndsTheConnectionWhenNothingMoreIsTaken(t *testing.T) {
	ended := make(chan error, 1)
	_, c := serve(t, lines(ended, func(*stream.Conn, []byte) bool { return false }))
	write(t, c, "first\n") // the sender goes on and keeps the connection
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still there: %v", err)
	}
}

func TestClosingEndsAConnectionThatIsReadAheadOfAReceiverThatDoesNotReceive(t *testing.T) {
	ended := make(chan error, 1)
	s, c := serve(t, lines(ended, put))
	stop := make(chan struct{})
	go func() { // more than all buffers hold
		defer close(stop)
		for {
			if _, err := io.WriteString(c, "line\n"); err != nil {
				return
			}
		}
	}()
	receive(t, s, 1)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-stop
	if len(ended) != 1 {
		t.Error("Close has not waited for the connection")
	}
}
