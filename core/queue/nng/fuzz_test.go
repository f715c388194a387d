package nng

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.nanomsg.org/mangos/v3/transport"
)

// FuzzPeer looks for what a peer can send that is given out as a message though it is too
// large or was not whole.
func FuzzPeer(f *testing.F) {
	for _, file := range []string{"raw-010-pub0-to-sub0.bin", "raw-012-nngcat-pub-ipc.bin"} {
		b, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, file == "raw-012-nngcat-pub-ipc.bin")
	}
	f.Add([]byte("\x00SP\x00\x00\x20\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"), false)
	f.Add([]byte("\x00SP\x00\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03{}"), false)
	f.Add([]byte("\x00SP\x00\x00\x20\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x02{}"), true)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), false)
	const limit = 2000
	f.Fuzz(func(t *testing.T, data []byte, ipc bool) {
		s := stream{scheme: "fuzz", network: "tcp", pipe: transport.NewConnPipe}
		overhead := 8
		if ipc {
			s.pipe, overhead = transport.NewConnPipeIPC, 9
		}
		e := end{stream: s, proto: Sub.info(), max: limit, life: t.Context()}
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() { _, _ = io.Copy(io.Discard, theirs); close(done) }()
		go func() {
			_, _ = theirs.Write(data) // it may be sent away before
			_ = theirs.Close()
		}()
		defer func() { _ = ours.Close(); <-done }()
		p, err := e.shake(ours)
		if err != nil {
			return
		}
		if err := ours.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		rest := data[8:] // what it has said of itself
		for {
			m, err := p.Recv()
			if err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
				return
			}
			body := append(bytes.Clone(m.Header), m.Body...)
			if len(body) > limit || len(body)+overhead > len(rest) || !bytes.Equal(body, rest[overhead:overhead+len(body)]) {
				t.Fatalf("%d bytes of %d", len(body), len(rest))
			}
			rest = rest[overhead+len(body):]
			m.Free()
		}
	})
}

// FuzzTopics looks for a message that loses more than what stands in front of its JSON.
func FuzzTopics(f *testing.F) {
	for _, m := range []string{`shop {"n":1}`, `{"n":1}`, `["a", {"n":1}]`, "plain", "", "\x80\x04}q\x00{"} {
		f.Add([]byte(m))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		body := withoutTopic(message)
		if !bytes.HasSuffix(message, body) || len(body) < len(message) && body[0] != '{' || len(message)-len(body) > maxTopic {
			t.Fatalf("%q is %q", message, body)
		}
	})
}
