package zeromq_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// python is an interpreter that has python3-logbook and python3-zmq.
const python = "/usr/bin/python3"

// script is a running Python program.
type script struct {
	tb    testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	ended bool
}

// run starts a program; it is killed at the end of the test if it still runs.
func run(tb testing.TB, program string, args ...string) *script {
	tb.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), python, append([]string{"-u", "-c", program}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("python3-logbook and python3-zmq are needed: %v", err)
	}
	s := &script{tb: tb, cmd: cmd, in: in, out: bufio.NewReader(out)}
	tb.Cleanup(s.kill)
	return s
}

func (s *script) kill() {
	if !s.ended {
		s.ended = true
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// line returns the next line of output.
func (s *script) line() string {
	s.tb.Helper()
	text, err := s.out.ReadString('\n')
	if err != nil {
		s.tb.Fatalf("python: %v", err)
	}
	return strings.TrimSuffix(text, "\n")
}

// wait waits for the end of the program.
func (s *script) wait() {
	s.tb.Helper()
	s.ended = true
	if err := s.cmd.Wait(); err != nil {
		s.tb.Errorf("python: %v", err)
	}
}

// receiver makes a receiver that the test closes at its end.
func receiver(tb testing.TB, o zeromq.Options) *zeromq.Receiver {
	tb.Helper()
	if len(o.Addresses) == 0 {
		o.Addresses = []string{"tcp://127.0.0.1:0"}
	}
	r, err := zeromq.NewReceiver(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// soon bounds how long a test waits for something that should happen at once.
func soon(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

// next returns the message of the next record.
func next(tb testing.TB, s *queue.Subscriber) string {
	tb.Helper()
	r, err := s.Recv(soon(tb))
	if err != nil {
		tb.Fatalf("%v; status %+v; %+v", err, s.Status(), s.Stats())
	}
	return r.Message()
}

// await polls a condition.
func await(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	ctx := soon(tb)
	for tick := time.NewTicker(5 * time.Millisecond); !condition(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("waited in vain for: %s", what)
		}
	}
}

const pushAll = `
import sys
from logbook import Logger
from logbook.queues import ZeroMQHandler
handler = ZeroMQHandler(sys.argv[1], multi=True)
log = Logger("shop")
with handler.applicationbound():
    log.warn("sold out: {0}", "tea", extra={"customer": 4711})
    try:
        {}["order"]
    except KeyError:
        log.exception("Grüße aus Köln ☃")
    for i in range(int(sys.argv[2])):
        log.info("record {0}", i)
handler.close(linger=-1)
handler.context.term()
`

func TestRecordsOfLogbooksMultiHandlerArriveInOrderAndNoneIsLost(t *testing.T) {
	const count = 20_000
	r := receiver(t, zeromq.Options{})
	s := queue.NewSubscriber(r, queue.Options{Name: "python"})
	p := run(t, pushAll, r.Addresses()[0], fmt.Sprint(count))

	first, err := s.Recv(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if first.Channel != "shop" || first.Level != core.LevelWarning || first.Message() != "sold out: tea" ||
		first.Extra.Get("customer") != int64(4711) || first.Process.ID != p.cmd.Process.Pid || first.Source.Name != "python" {
		t.Errorf("%+v", first)
	}
	failed, err := s.Recv(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if failed.Exception == nil || failed.Exception.ShortName() != "KeyError" || failed.Message() != "Grüße aus Köln ☃" ||
		!strings.HasPrefix(failed.Exception.Traceback, "Traceback (most recent call last)") {
		t.Errorf("%+v %+v", failed, failed.Exception)
	}
	for i := range count {
		if got, want := next(t, s), fmt.Sprintf("record %d", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	p.wait()
	if st := s.Stats(); st.Received != count+2 || st.Rejected != 0 {
		t.Errorf("%+v", st)
	}
}

const publish = `
import sys
from logbook import Logger
from logbook.queues import ZeroMQHandler
with ZeroMQHandler(sys.argv[1]).applicationbound():
    print("ready")
    for line in sys.stdin:
        Logger("server").info(line.strip())
`

// freeAddress returns an address that nobody listens on.
func freeAddress(tb testing.TB) string {
	tb.Helper()
	r, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	return r.Addresses()[0]
}

func TestASubscriberWaitsForAServerAndSurvivesItsRestart(t *testing.T) {
	uri := freeAddress(t)
	r := receiver(t, zeromq.Options{Addresses: []string{uri}, Pattern: zeromq.Sub})
	s := queue.NewSubscriber(r, queue.Options{})
	if st := s.Status(); st.State != queue.StateConnecting {
		t.Errorf("before: %+v", st)
	}
	for _, life := range []string{"first", "second"} {
		p := run(t, publish, uri)
		p.line()
		await(t, "connected", func() bool { return s.Status().State == queue.StateConnected })
		// The subscription is on its way: publish until it has arrived.
		go func() {
			for range 500 {
				if _, err := fmt.Fprintln(p.in, life); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		await(t, "a record of the "+life+" server", func() bool { return next(t, s) == life })
		p.kill()
		await(t, "lost", func() bool { return s.Status().State == queue.StateLost })
	}
}

const subscribe = `
import json, sys
from logbook.queues import ZeroMQSubscriber
s = ZeroMQSubscriber(sys.argv[1], multi=sys.argv[2] == "pull")
print("ready")
for _ in range(int(sys.argv[3])):
    r = s.recv()
    print(json.dumps([r.channel, r.level_name, r.message, r.exception_name]))
s.close()
`

func TestLogbooksSubscriberReadsWhatWeSend(t *testing.T) {
	for _, pattern := range []zeromq.Pattern{zeromq.Push, zeromq.Pub} {
		t.Run(string(pattern), func(t *testing.T) {
			uri := freeAddress(t)
			sender, err := zeromq.NewSender(zeromq.Options{Addresses: []string{uri}, Pattern: pattern})
			if err != nil {
				t.Fatal(err)
			}
			h := queue.NewHandler(sender, queue.HandlerOptions{})
			mode := map[zeromq.Pattern]string{zeromq.Push: "pull", zeromq.Pub: "sub"}[pattern]
			p := run(t, subscribe, uri, mode, "2")
			p.line()
			if err := sender.WaitPeer(soon(t)); err != nil {
				t.Fatal(err)
			}
			ctx, end := core.Bind(t.Context(), core.Binding{Handler: h})
			log := core.NewLogger("go")
			_ = log.Log(ctx, core.LevelNotice, "hé {} ☃", 7)
			log.ExceptionContext(ctx, errors.New("broken"), "failed")
			if err := end(); err != nil {
				t.Error(err)
			}
			for _, want := range [][]any{
				{"go", "NOTICE", "hé 7 ☃", nil},
				{"go", "ERROR", "failed", "*errors.errorString"},
			} {
				var got []any
				if err := json.Unmarshal([]byte(p.line()), &got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
			p.wait()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

const pushHostile = `
import sys, zmq
ctx = zmq.Context()
def push(*bodies):
    s = ctx.socket(zmq.PUSH)
    s.connect(sys.argv[1])
    for b in bodies:
        s.send_multipart(b) if isinstance(b, list) else s.send(b)
    s.close(linger=5000)
good = open(sys.argv[2], "rb").read()
push(b"", b"\x00\xff\xfe", b"{", b"[" * 100000, b"null", good)
big = ctx.socket(zmq.PUSH)
big.connect(sys.argv[1])
big.send(b"x" * (100 << 20))
print("sent")
sys.stdin.readline()
big.close(linger=0)
push([b"topic", good], [b"a", b"b", good])
ctx.term()
`

func TestGarbageAndMessagesOf100MBStopNothing(t *testing.T) {
	var refused []string
	r := receiver(t, zeromq.Options{})
	s := queue.NewSubscriber(r, queue.Options{Reject: func(r queue.Rejection) { refused = append(refused, r.Reason) }})
	p := run(t, pushHostile, r.Addresses()[0], "testdata/record.json")
	const text = "payment of 49.90 EUR accepted for the order of a regular customer"
	if got := next(t, s); got != text {
		t.Errorf("%q", got)
	}
	if len(refused) != 5 {
		t.Errorf("refused: %q", refused)
	}
	p.line()
	await(t, "the sender of 100 MB is disconnected", func() bool {
		for _, peer := range s.Status().Peers {
			if peer.State == queue.StateLost {
				return true
			}
		}
		return false
	})
	if _, err := fmt.Fprintln(p.in); err != nil {
		t.Fatal(err)
	}
	for range 2 { // of several parts, the last is the record
		if got := next(t, s); got != text {
			t.Errorf("%q", got)
		}
	}
	p.wait()
}
