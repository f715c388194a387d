package socket_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// receiving is Python's receiver for a SocketHandler or DatagramHandler.
const receiving = `
import json, logging, pickle, socket, struct, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
s = socket.socket(socket.AF_INET, kind)
s.bind(("127.0.0.1", 0))
if kind == socket.SOCK_STREAM:
    s.listen(1)
print(s.getsockname()[1], flush=True)
if kind == socket.SOCK_STREAM:
    f = s.accept()[0].makefile("rb")
for _ in range(2):
    if kind == socket.SOCK_STREAM:
        data = f.read(struct.unpack(">L", f.read(4))[0])
    else:
        data = s.recv(65536)[4:]
    r = logging.makeLogRecord(pickle.loads(data))
    print(json.dumps([r.name, r.levelname, r.getMessage(), r.exc_text and r.exc_text.splitlines()[0]]), flush=True)
`

func TestPythonUnderstandsWhatWeSend(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			cmd := exec.Command("/usr/bin/python3", "-c", receiving, network)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			port, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			s, err := socket.NewSender(socket.SenderOptions{Network: network, Address: "127.0.0.1:" + strings.TrimSpace(port)})
			if err != nil {
				t.Fatal(err)
			}
			h := queue.NewHandler(s, queue.HandlerOptions{Encode: wire.AppendPickle})
			ctx, end := core.Bind(t.Context(), core.Binding{Handler: h})
			log := core.NewLogger("go")
			log.WarnContext(ctx, "sold out: {}", "tea ☃")
			if st := h.Status(); st.State != queue.StateConnected {
				t.Errorf("%+v", st)
			}
			log.ExceptionContext(ctx, errors.New("broken"), "failed") // the last one that it waits for
			if err := end(); err != nil {
				t.Error(err)
			}
			for _, want := range [][]any{
				{"go", "WARNING", "sold out: tea ☃", nil},
				{"go", "ERROR", "failed", "*errors.errorString: broken"},
			} {
				text, err := lines.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				var got []any
				if err := json.Unmarshal([]byte(text), &got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			if err := errors.Join(h.Close(), cmd.Wait()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatASenderSendsComesBackInLinesAndFrames(t *testing.T) {
	for _, lines := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "s")
		r, s := server(t, socket.Options{Network: "unix", Address: path})
		sender, err := socket.NewSender(socket.SenderOptions{Network: "unix", Address: r.Addr().String(), Lines: lines})
		if err != nil {
			t.Fatal(err)
		}
		h := queue.NewHandler(sender, queue.HandlerOptions{})
		if err := h.Handle(t.Context(), (&core.Record{Level: core.LevelNotice, Msg: "two\nlines", Time: time.Now()}).Pull()); err != nil {
			t.Fatal(err)
		}
		if got := next(t, s); got.Message() != "two\nlines" || got.Level != core.LevelNotice {
			t.Errorf("%+v", got)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := sender.Send(t.Context(), []byte("x")); !errors.Is(err, queue.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestASenderWaitsLongerAndLongerBeforeItConnectsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := socket.NewSender(socket.SenderOptions{Network: "unix", Address: "/no/such/socket"})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var attempts []time.Duration
		for len(attempts) < 8 {
			err := s.Send(t.Context(), []byte("x"))
			if !errors.Is(err, socket.ErrWaiting) {
				if _, ok := errors.AsType[*net.OpError](err); !ok {
					t.Fatal(err)
				}
				attempts = append(attempts, time.Since(start))
			}
			time.Sleep(100 * time.Millisecond)
		}
		var want []time.Duration
		for _, seconds := range []int{0, 1, 3, 7, 15, 31, 61, 91} {
			want = append(want, time.Duration(seconds)*time.Second)
		}
		if diff := cmp.Diff(want, attempts); diff != "" {
			t.Error(diff)
		}
		if st := s.Status(); st.State != queue.StateConnecting || st.Err == nil {
			t.Errorf("%+v", st)
		}
	})
}

func TestASenderDoesNotWaitLongerThanItsContext(t *testing.T) {
	_, s := server(t, socket.Options{}) // nobody receives
	sender, err := socket.NewSender(socket.SenderOptions{Address: strings.TrimPrefix(s.Name(), "tcp://"), Lines: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	body := []byte(strings.Repeat("x", 100_000))
	for err == nil {
		err = sender.Send(ctx, body)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if st := sender.Status(); st.State != queue.StateLost {
		t.Errorf("%+v", st)
	}
	if err := sender.Close(); err != nil {
		t.Error(err)
	}
}
