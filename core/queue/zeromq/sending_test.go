package zeromq_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// subscribeMany receives with Logbook's subscriber and says when something is out of order.
const subscribeMany = `
import sys
from logbook.queues import ZeroMQSubscriber
s = ZeroMQSubscriber(sys.argv[1], multi=sys.argv[2] == "pull")
count = int(sys.argv[3])
print("ready")
for i in range(count):
    r = s.recv()
    if r.extra["n"] != i:
        sys.exit("got number %r, want %d" % (r.extra["n"], i))
    if i % 10000 == 0 and r.message != "größer ☃ " * 100000:
        sys.exit("number %d has %d characters" % (i, len(r.message)))
print(count)
s.close()
`

func TestLogbooksSubscriberGetsEverythingThatIsSentInOrder(t *testing.T) {
	large := strings.Repeat("größer ☃ ", 100_000) // more than a megabyte
	for pattern, c := range map[zeromq.Pattern]struct {
		mode  string
		count int
	}{
		zeromq.Push: {"pull", 100_000},
		zeromq.Pub:  {"sub", 5000}, // as many as fit into the queue: PUB does not wait
	} {
		t.Run(string(pattern), func(t *testing.T) {
			uri := freeAddress(t)
			s, err := zeromq.NewSender(zeromq.Options{Addresses: []string{uri}, Pattern: pattern, Linger: 20 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			h := queue.NewHandler(s, queue.HandlerOptions{Timeout: -1})
			p := run(t, subscribeMany, uri, c.mode, fmt.Sprint(c.count))
			p.line()
			if err := s.WaitPeer(soon(t)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for i := range c.count {
				r := &core.Record{Channel: "go", Level: core.LevelInfo, Msg: "small", Extra: core.Extra("n", i), Time: time.Now()}
				if i%10_000 == 0 {
					r.Msg = large
				}
				if err := h.Handle(ctx, r); err != nil {
					t.Fatal(i, err)
				}
			}
			if got := p.line(); got != fmt.Sprint(c.count) {
				t.Errorf("got %s", got)
			}
			p.wait()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			if st := h.Stats(); st.Sent != uint64(c.count) || st.Dropped != 0 || s.Lost() != 0 {
				t.Errorf("%+v, %d lost", st, s.Lost())
			}
		})
	}
}

// pushMany sends what Logbook's handler makes of a record, with its number.
const pushMany = `
import json, sys
from logbook import Logger
from logbook.queues import ZeroMQHandler
handler = ZeroMQHandler(sys.argv[1], multi=True)
made = []
class Socket:
    def send(self, body):
        made.append(json.loads(body))
    def close(self, **how):
        pass
real, handler.socket = handler.socket, Socket()
with handler.applicationbound():
    Logger("shop").info("small")
small = made[0]
for i in range(int(sys.argv[2])):
    small["extra"] = {"n": i}
    small["message"] = "x" * (1 << 20) if i % 10000 == 0 else "small"
    real.send(json.dumps(small).encode())
real.close(linger=-1)
handler.context.term()
`

func TestEverythingThatIsPushedArrivesInOrder(t *testing.T) {
	const count = 100_000
	r := receiver(t, zeromq.Options{})
	s := queue.NewSubscriber(r, queue.Options{})
	p := run(t, pushMany, r.Addresses()[0], fmt.Sprint(count))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range count {
		got, err := s.Recv(ctx)
		if err != nil {
			t.Fatal(i, err)
		}
		if got.Extra.Get("n") != int64(i) || (i%10_000 == 0) != (len(got.Message()) == 1<<20) {
			t.Fatalf("got number %v with %d bytes, want %d", got.Extra.Get("n"), len(got.Message()), i)
		}
	}
	p.wait()
	if st := s.Stats(); st.Received != count || st.Rejected != 0 {
		t.Errorf("%+v", st)
	}
}

func TestWhatNobodyTakesIsCountedAsDropped(t *testing.T) {
	s, err := zeromq.NewSender(zeromq.Options{Addresses: []string{freeAddress(t)}, Queue: 10, Linger: -1})
	if err != nil {
		t.Fatal(err)
	}
	h := queue.NewHandler(s, queue.HandlerOptions{Timeout: time.Millisecond})
	const count = 1000
	failed := 0
	for range count {
		if err := h.Handle(t.Context(), &core.Record{Msg: "x"}); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			failed++
		}
	}
	st := h.Stats()
	if failed == 0 || st.Dropped != uint64(failed) || st.Sent != uint64(count-failed) {
		t.Errorf("%d failed; %+v", failed, st)
	}
	if err := h.Close(); err == nil || s.Sent()+s.Lost() != st.Sent {
		t.Errorf("%v; %d sent, %d lost, of %d", err, s.Sent(), s.Lost(), st.Sent)
	}
}

func TestWhatIsPublishedToNobodyIsCounted(t *testing.T) {
	s := sender(t, zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Pattern: zeromq.Pub})
	for range 3 {
		send(t, s, "x")
	}
	await(t, "the count", func() bool { return s.Unheard() == 3 && s.Sent() == 0 })
	r := receiver(t, zeromq.Options{Addresses: s.Addresses(), Pattern: zeromq.Sub})
	if err := s.WaitPeer(soon(t)); err != nil {
		t.Fatal(err)
	}
	send(t, s, "heard")
	if got := receiveBody(t, r); got != "heard" {
		t.Errorf("got %q", got)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "nobody to be there", func() bool {
		send(t, s, "y")
		return s.Unheard() > 3
	})
	if s.Lost() != 0 || s.Sent() == 0 {
		t.Errorf("%d sent, %d lost", s.Sent(), s.Lost())
	}
}

func TestADirectoryThatIsNotOursIsAnErrorThatSaysSo(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("the administrator may write everywhere: a directory that is none stands for it")
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		uri := "ipc://" + file + "/s"
		if _, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}}); err == nil || err.Error() != "listen on "+uri+": not a directory" {
			t.Error(err)
		}
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	uri := "ipc://" + dir + "/s"
	if _, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}}); err == nil || err.Error() != "listen on "+uri+": permission denied" {
		t.Error(err)
	}
}
