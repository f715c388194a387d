package pipe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// FuzzStream looks for an output of a program whose messages are neither records nor rejected
// with a reason, or that does not come to its end.
func FuzzStream(f *testing.F) {
	body := `{"level": "error", "message": "a"}`
	f.Add(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	f.Add([]byte(body + "\nplain\n\n  indented\nTraceback (most recent call last):\n  File \"x.py\", line 1\nKeyError: 'a'\nlast"))
	f.Add([]byte("\x00\x00\x00\x16!!cutelog!!format=json\x00\x00\x00\x0b{\"msg\":\"a\"}\x00\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader("fuzz", io.NopCloser(bytes.NewReader(data)), Options{MaxLine: 4000})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		size := 0
		buf := make([]queue.Message, 16)
		for {
			n, err := r.Receive(ctx, buf)
			for _, m := range buf[:n] {
				if size += len(m.Body); (m.Record == nil) == (m.Err == nil) {
					t.Fatalf("%+v", m)
				}
			}
			if errors.Is(err, queue.ErrClosed) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if size > len(data) {
			t.Fatalf("%d bytes of %d", size, len(data))
		}
	})
}
