package pipe_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// soon are options for those who do not want to wait long.
var soon = pipe.SenderOptions{Lines: true, Linger: 20 * time.Second, RetryMin: time.Millisecond, RetryMax: 10 * time.Millisecond}

func program(t *testing.T, o pipe.SenderOptions, arguments ...string) *pipe.ProgramSender {
	t.Helper()
	s, err := pipe.NewProgramSender(pipe.Program{Arguments: arguments}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func send(t *testing.T, s queue.Sender, bodies ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, b := range bodies {
		if err := s.Send(ctx, []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !holds(); <-tick.C {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("it does not come to that: %s", what)
		}
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// numbers returns bodies from 0 to n.
func numbers(n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, fmt.Sprintf(`{"number": %d}`, i))
	}
	return bodies
}

// pythonReceivers are programs that write down what they get on their standard input: with
// Logbook's own subscriber, and with nothing but Python.
var pythonReceivers = map[string]string{
	"pickle": `
import sys, logbook
from multiprocessing.connection import Connection
from logbook.queues import MultiProcessingSubscriber
class Queue:
    connection = Connection(0, writable=False)
    def get(self, *args, **kwargs):
        return self.connection.recv()
subscriber = MultiProcessingSubscriber(Queue())
def records():
    while True:
        try:
            yield subscriber.recv()
        except EOFError:
            return
class Named(logbook.Handler):
    def emit(self, r):
        write(r.channel, r.level_name, r.message, r.extra, r.exception_name, r.func_name, r.time.microsecond)
def run():
    with Named().applicationbound():
        for r in records():
            subscriber.dispatch(r) if hasattr(subscriber, "dispatch") else logbook.dispatch_record(r)
`,
	"json": `
import json, sys
def run():
    for line in sys.stdin:
        r = json.loads(line)
        level = {14: "ERROR", 11: "INFO"}[r["level"]]
        write(r["channel"], level, r["message"], r["extra"], r["exception_name"], r["func_name"], int(r["time"][20:26]))
`,
}

const pythonReceiver = `
out = open(sys.argv[1], "w", encoding="utf-8")
def write(channel, level, message, extra, exception, function, microsecond):
    print(channel, level, message, extra.get("order"), exception, function, microsecond, file=out)
run()
print("bye", file=out)
out.close()
print("read all")
`

func TestAProgramOfPythonIsSentRecords(t *testing.T) {
	for encoding, source := range pythonReceivers {
		t.Run(encoding, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			s, err := pipe.NewProgramSender(pipe.Program{
				Arguments: []string{"/usr/bin/python3", "-c", source + pythonReceiver, out}, Env: []string{"PYTHONIOENCODING=utf-8"},
			}, pipe.SenderOptions{Lines: encoding == "json", Linger: 20 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			o := queue.HandlerOptions{Timeout: -1}
			if encoding == "pickle" {
				o.Encode = wire.AppendPickledDict
			}
			h := queue.NewHandler(s, o)
			at := time.Date(2026, 11, 21, 12, 0, 0, 42000, time.UTC)
			var want strings.Builder
			for i := range 2000 {
				r := &core.Record{
					Channel: "shop", Level: core.LevelInfo, Msg: "süß {0}\nline", Args: []any{i}, Time: at,
					Extra: core.Extra("order", i), Site: core.Site{File: "a.go", Function: "sell"},
				}
				fmt.Fprintf(&want, "shop INFO süß %d\nline %d None sell 42\n", i, i)
				if err := h.Handle(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			failed := &core.Record{
				Channel: "shop", Level: core.LevelError, Msg: strings.Repeat("x", 1<<20), Time: at, Exception: &core.Exception{Name: "shop.Declined"},
			}
			fmt.Fprintf(&want, "shop ERROR %s None shop.Declined None 42\nbye\n", failed.Msg)
			if err := errors.Join(h.Handle(t.Context(), failed), h.Close()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(content(t, out), "\n")); diff != "" {
				t.Error(diff)
			}
			if s.Sent() != 2001 || s.Lost() != 0 || s.Printed() != "read all" || s.Status().State != queue.StateClosed {
				t.Errorf("%d sent, %d lost, printed %q, %+v", s.Sent(), s.Lost(), s.Printed(), s.Status())
			}
		})
	}
}

// three is a program that reads three lines and no byte more, and ends with an error.
const (
	three     = readThree + `; [ $i -lt 3 ] || { echo "seen enough" >&2; exit 3; }`
	readThree = `i=0; while [ $i -lt 3 ] && read -r line; do echo "$line" >> "$1"; i=$((i+1)); done`
)

func TestAProgramThatEndsIsStartedAgainAndGetsWhatWasNotRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what was not read")
	}
	out := filepath.Join(t.TempDir(), "out")
	s := program(t, soon, "sh", "-c", three, "sh", out)
	want := numbers(30)
	send(t, s, want...)
	eventually(t, "all is read", func() bool { return s.Sent() == 30 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(strings.Join(want, "\n")+"\n", content(t, out)); diff != "" {
		t.Error(diff)
	}
	if s.Printed() != "seen enough" {
		t.Error(s.Printed())
	}
}

func TestHowAProgramEndedIsTold(t *testing.T) {
	told := make(chan queue.Peer, 100)
	o := soon
	o.Linger, o.RetryMin, o.RetryMax = -1, time.Hour, time.Hour
	o.OnPeer = func(p queue.Peer) { told <- p }
	s := program(t, o, "sh", "-c", "read -r line; exit 7")
	send(t, s, "a")
	for _, want := range []string{"connected ", "lost the connection was closed: the program has ended: exit status 7"} {
		if p := <-told; string(p.State)+" "+p.Err != want || p.Address != "sh" {
			t.Errorf("%+v, want %s", p, want)
		}
	}
	send(t, s, "b", "c") // are held
	if st := s.Status(); st.State != queue.StateLost || st.Err == nil {
		t.Errorf("%+v", st)
	}
}

func TestAProgramThatCannotBeRunIsTold(t *testing.T) {
	o := soon
	o.Linger = -1
	s := program(t, o, "/no/such/program")
	eventually(t, "it has failed", func() bool { return s.Status().State == queue.StateFailed })
	if err := s.Status().Err; !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "run /no/such/program: ") {
		t.Error(err)
	}
	send(t, s, "a")
	if err := s.Close(); err == nil || s.Lost() != 1 {
		t.Errorf("%v, %d lost", err, s.Lost())
	}
	if _, err := pipe.NewProgramSender(pipe.Program{}, soon); err == nil {
		t.Error("no program is one")
	}
}

func TestAProgramThatDoesNotReadHoldsUpNobodyForEver(t *testing.T) {
	o := soon
	o.Linger, o.Window = time.Millisecond, 3
	s := program(t, o, "sh", "-c", "echo started; trap '' INT TERM; while :; do read -r line || sleep 1000; sleep 1000; done")
	send(t, s, strings.Repeat("x", 1<<20)) // more than a pipe holds
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for {
		if err := s.Send(ctx, []byte("x")); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			break
		}
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "not confirmed") {
		t.Error(err)
	}
	if s.Sent() != 0 || s.Lost() == 0 {
		t.Errorf("%d sent, %d lost", s.Sent(), s.Lost())
	}
}

func TestAProgramIsAskedToEndByTheEndOfItsInput(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s := program(t, soon, "sh", "-c", `cat > "$1"; sleep 0.3; echo "the end" >> "$1"`, "sh", out)
	send(t, s, "a")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := content(t, out); got != "a\nthe end\n" {
		t.Errorf("%q", got)
	}
}

func TestWhatIsNoPipeIsNotWrittenTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := soon
	o.Linger = -1
	s := pipe.NewNamedSender(path, o)
	defer s.Close()
	send(t, s, "a")
	eventually(t, "it has failed", func() bool { return s.Status().State == queue.StateFailed })
	if err := s.Status().Err; !strings.Contains(err.Error(), "is not a named pipe; make one with mkfifo") {
		t.Error(err)
	}
	if got := content(t, path); got != "kept" {
		t.Error(got)
	}
}
