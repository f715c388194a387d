package pipe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// child is the environment variable that turns the test binary into a program that logs
// through its standard output; it names the encoding.
const child = "LOGBOOK_TRAY_CHILD"

// childRecords is how many records it logs before the last one.
const childRecords = 500

func TestMain(m *testing.M) {
	if encoding := os.Getenv(child); encoding != "" {
		if err := childMain(encoding); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func childMain(encoding string) error {
	o := queue.HandlerOptions{Timeout: -1}
	switch encoding {
	case "pickle":
		o.Encode = wire.AppendPickle
	case "dict":
		o.Encode = wire.AppendPickledDict
	}
	h := queue.NewHandler(pipe.NewSender("stdout", os.Stdout, encoding == "lines"), o)
	log := core.NewLogger("child")
	err := core.Do(context.Background(), core.Binding{Handler: h}, func(ctx context.Context) error {
		for i := range childRecords {
			log.WarnContext(ctx, "record {0}", i)
		}
		log.ErrorContext(ctx, "süß ☃", core.Kw("n", 7), core.Extra("big", strings.Repeat("x", 1<<20-1000)))
		return nil
	})
	return errors.Join(err, h.Close())
}

func TestAChildOfGoLogsToItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"json", "lines", "pickle", "dict"} {
		t.Run(encoding, func(t *testing.T) {
			t.Setenv(child, encoding)
			c, err := pipe.NewCommand(t.Context(), []string{self}, pipe.Options{MaxLine: 2 << 20})
			s := subscribe(t, c, err)
			for i := range childRecords {
				if r := next(t, s); r.Channel != "child" || r.Level != core.LevelWarning || r.Message() != fmt.Sprint("record ", i) {
					t.Fatalf("number %d: %+v", i, r)
				}
			}
			if r := next(t, s); r.Level != core.LevelError || r.Message() != "süß ☃" || len(fmt.Sprint(r.Extra.Get("big"))) != 1<<20-1000 {
				t.Errorf("%v %q %d", r.Level, r.Message(), len(fmt.Sprint(r.Extra.Get("big"))))
			}
			if code := c.Wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// pythonChildren are programs that log through Logbook's own handlers into what crosses
// to a process that is not of Python.
var pythonChildren = map[string]string{
	// multiprocessing.Queue is a pipe, and this is what it does with it.
	"MultiProcessingHandler": `
from multiprocessing.connection import Connection
class Queue:
    connection = Connection(1, readable=False)
    put_nowait = connection.send
from logbook.queues import MultiProcessingHandler
handler = MultiProcessingHandler(Queue())
log(handler)
`,
	// A gateway of execnet with a worker that logs; its parent passes on what it gets.
	"ExecnetChannelHandler": `
import execnet, struct
worker = """
import logbook, sys
from logbook.queues import ExecnetChannelHandler
exec(channel.receive())
log(ExecnetChannelHandler(channel))
"""
channel = execnet.makegateway("popen//python=/usr/bin/python3").remote_exec(worker)
channel.send(source)
out = sys.stdout.buffer
for record in channel:
    data = execnet.dumps(record)
    out.write(struct.pack("!i", len(data)) + data)
out.flush()
execnet.default_group.terminate(timeout=5)
`,
	"JSON": `
import json
class Lines(logbook.Handler):
    def emit(self, record):
        print(json.dumps(record.to_dict(json_safe=True)), flush=True)
log(Lines())
`,
}

const pythonSource = `
import sys, logbook
source = '''
def log(handler):
    with handler.applicationbound():
        logger = logbook.Logger("shop")
        logger.info("sold {0} {1}", 3, "teas ☃", extra={"order": 4711})
        try:
            {}["order"]
        except KeyError:
            logger.exception("failed")
        for i in range(500):
            logger.debug("record {0}", i)
'''
exec(source)
`

func TestChildrenOfPythonLogThroughLogbooksHandlers(t *testing.T) {
	for name, program := range pythonChildren {
		t.Run(name, func(t *testing.T) {
			c, err := pipe.NewCommand(t.Context(), []string{"/usr/bin/python3", "-c", pythonSource + program}, pipe.Options{Stderr: os.Stderr})
			s := subscribe(t, c, err)
			first := next(t, s)
			if first.Channel != "shop" || first.Level != core.LevelInfo || first.Message() != "sold 3 teas ☃" || first.Msg != "sold {0} {1}" ||
				first.Extra.Get("order") != int64(4711) || first.Site.Function != "log" || first.Process.ID == 0 {
				t.Errorf("%+v", first)
			}
			if failed := next(t, s); failed.Exception == nil || failed.Exception.ShortName() != "KeyError" || failed.Level != core.LevelError {
				t.Errorf("%+v", failed)
			}
			for i := range 500 {
				if got := next(t, s).Message(); got != fmt.Sprint("record ", i) {
					t.Fatalf("got %q, want number %d", got, i)
				}
			}
			if code := c.Wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if n := s.Stats(); n.Rejected != 0 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// parent is a program of Python that receives from a child.
const parent = `
import subprocess, sys, logbook
from multiprocessing.connection import Connection
from logbook.queues import MultiProcessingSubscriber
child = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE)
class Queue:
    connection = Connection(child.stdout.fileno(), writable=False)
    def get(self, *args, **kwargs):
        return self.connection.recv()
subscriber = MultiProcessingSubscriber(Queue())
handler = logbook.TestHandler()
with handler.applicationbound():
    for i in range(int(sys.argv[2]) + 1):
        subscriber.dispatch_once()
for r in (handler.records[0], handler.records[-2], handler.records[-1]):
    print(r.channel, r.level_name, r.message, len(r.extra["big"]), r.time.year > 2000, r.func_name is not None)
assert [r.message for r in handler.records[:-1]] == ["record %d" % i for i in range(int(sys.argv[2]))]
sys.exit(child.wait())
`

func TestAParentOfPythonReceivesFromAChildOfGo(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/python3", "-c", parent, self, fmt.Sprint(childRecords))
	cmd.Env = append(os.Environ(), child+"=dict", "PYTHONIOENCODING=utf-8")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("child WARNING record 0 0 True True\nchild WARNING record %d 0 True True\nchild ERROR süß ☃ %d True True\n", childRecords-1, 1<<20-1000)
	if string(out) != want {
		t.Errorf("%q, want %q", out, want)
	}
}

func TestAPipeThatNobodyReadsDoesNotHoldUpItsWriter(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := pipe.NewSender("pipe", w, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := make([]byte, 1<<20)
	if err := s.Send(ctx, body); !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a context that is done: %v", err)
	}
	for { // on a slow machine the time may be over before a part of the record is written
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := s.Send(ctx, body)
		cancel()
		if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a full pipe: %v", err)
		}
		if err := s.Send(t.Context(), []byte("x")); err != nil {
			if !strings.HasPrefix(err.Error(), "send to pipe: ") {
				t.Errorf("after a part of a record: %v", err)
			}
			break
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if err := s.Send(t.Context(), nil); !errors.Is(err, queue.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Error(err)
	}
}
