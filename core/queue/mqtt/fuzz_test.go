package mqtt

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// FuzzPackets looks for what a broker can send that costs more than the largest packet that is
// allowed, or that is read as something else than what came.
func FuzzPackets(f *testing.F) {
	for _, s := range []string{
		"\x20\x03\x00\x00\x00", "\x20\x03\x00\x8a\x00\xe0\x01\x8b", "\x90\x04\x00\x01\x00\x01", "\x30\xff\xff\xff\x7f", "\x30\xff\xff\xff\xff\xff",
		"\x32\x10\x00\x07logging\x00\x01\x00{}x", "\x30\x0b\x00\x07logging\x00", "\xd0\x00\xd0\x80\x00", "\x32\x1b\x00\x07logging\x00\x02\x0a\x26\x00\x02ab\x00\x03cde{}xx",
	} {
		f.Add([]byte(s))
	}
	const limit = 2000
	f.Fuzz(func(t *testing.T, data []byte) {
		// connected returns the connection to a broker that sends data.
		connected := func() *socket {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = theirs.Write(data) // it may be left before
				_ = theirs.Close()
			}()
			t.Cleanup(func() { _ = ours.Close() })
			s := &socket{Conn: ours, max: limit}
			s.in = bufio.NewReader(source{s})
			return s
		}
		got, err := io.ReadAll(connected())
		if !bytes.HasPrefix(data, got) || err == nil && len(got) != len(data) {
			t.Fatalf("%q is read as %q, %v", data, got, err)
		}
		o, _, err := Options{URI: "mqtt://localhost", MaxMessageSize: limit}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		r := &Receiver{opts: o}
		for s := connected(); ; {
			p, err := packets.ReadPacket(s)
			if err != nil {
				return
			}
			if publish, ok := p.Content.(*packets.Publish); ok {
				if m := r.message(paho.PublishFromPacketPublish(publish)); len(m.Body) > limit || (m.Record == nil) == (m.Err == nil) {
					t.Fatalf("%+v", m)
				}
			}
		}
	})
}
