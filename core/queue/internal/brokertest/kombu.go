package brokertest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/peertest"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// Kombu is a transport that Python speaks by means of kombu.
type Kombu struct {
	Transport

	URI, Queue string // as Python is told
	// Takes: kombu has the broker remove a message before it has it itself, and connects
	// again without a word. It loses such a message with the broker, which is therefore
	// killed while kombu asks for none.
	Takes bool
}

// Python runs a program to its end, with Debian's Logbook and kombu, and returns what it has
// printed.
func Python(t *testing.T, program string, args ...string) string {
	t.Helper()
	return e2e.Run(t, os.Environ(), nil, "/usr/bin/python3", append([]string{"-c", program}, args...)...)
}

// kombuSends logs what a record can have, tells it, and then numbers.
const kombuSends = `
import json, sys
from logbook import Logger
from logbook.queues import MessageQueueHandler

class Handler(MessageQueueHandler):
    telling = True
    def export_record(self, record):
        exported = super().export_record(record)
        if self.telling:
            print(json.dumps(exported))
        return exported

uri, queue, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
handler = Handler(uri, queue, level="TRACE")
log = Logger("shop.Köln")
with handler.applicationbound():
    for level in "TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL":
        try:
            {}["Grüße ☃"]
        except KeyError:
            log.log(level, "Grüße {0} aus {ort} ☃ 🛒\n\tnext", level, ort="Köln", exc_info=True,
                    extra={"kunde": "Jürgen", "count": 1 << 40, "ratio": 1.5, "none": None, "list": [1, "zwei", True]})
    log.info("no more")
    handler.telling = False
    log.debug("ü" * 500000)
    for i in range(count):
        log.info("{0}", i)
handler.close()
# The handler leaves the connection open. When that breaks off with the program, RabbitMQ
# forgets what it has not yet read; the answer to this says that it has read everything.
handler.queue.channel.close()
`

// kombuReceives tells the first records and looks at the numbers of the others.
const kombuReceives = `
import json, sys
from logbook.queues import MessageQueueSubscriber
uri, queue, told, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
subscriber = MessageQueueSubscriber(uri, queue)
for _ in range(told):
    print(json.dumps(subscriber.recv(timeout=80).to_dict(json_safe=True)))
print(len(subscriber.recv(timeout=80).message))
for i in range(count):
    record = subscriber.recv(timeout=80)
    assert record.message == str(i), (i, record.message)
`

// RunKombu checks both directions with the real Logbook and kombu. start starts a
// transport for each test.
func RunKombu(t *testing.T, start func(t *testing.T) Kombu) {
	t.Helper()
	t.Run("python_sends", func(t *testing.T) { pythonSends(t, start(t)) })
	t.Run("python_receives", func(t *testing.T) { pythonReceives(t, start(t)) })
}

func pythonSends(t *testing.T, k Kombu) {
	count := k.count(2000, 100_000)
	s := k.receive(t)
	records := make(chan *core.Record, 8)
	failed := make(chan string, 1)
	go func() { // while Python sends
		defer close(records)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Minute)
		defer cancel()
		for i := -9; i < count; i++ {
			r, err := s.Recv(ctx)
			if err != nil {
				return
			}
			if i < 0 {
				records <- r
			} else if r.Message() != strconv.Itoa(i) || Marked(r) {
				failed <- fmt.Sprintf("got %.60q, marked %v, want %d", r.Message(), Marked(r), i)
				return
			}
		}
	}()
	started := time.Now()
	said := Python(t, kombuSends, k.URI, k.Queue, strconv.Itoa(count))
	asTold(t, said, func() *core.Record { return <-records })
	if _, more := <-records; more {
		t.Error("Python has told too little")
	}
	t.Logf("%d in %v", count, time.Since(started).Round(time.Millisecond))
	select {
	case why := <-failed:
		t.Error(why)
	default:
	}
	if st := s.Stats(); st.Rejected != 0 || st.Dropped != 0 || st.Received != uint64(count)+9 {
		t.Errorf("%+v", st)
	}
}

// asTold checks that the records before the numbers are those that kombuSends has told.
func asTold(t *testing.T, said string, next func() *core.Record) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(said)) {
		want := peertest.ReadLogbook(t, line)
		if d := cmp.Diff(want, peertest.LogbookDict(next()), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%v (-python +ours):\n%s", want["level"], d)
		}
	}
	if n := len([]rune(next().Message())); n != 500_000 {
		t.Errorf("%d characters of 1 MB", n)
	}
}

// KombuTaps checks that each of two receivers gets whatever Python sends, and that Python
// receives all of it as well. They are closed when it returns.
func KombuTaps(t *testing.T, k Kombu) {
	t.Helper()
	count := k.count(1000, 10_000)
	taps := []*queue.Subscriber{k.receive(t), k.receive(t)}
	said := Python(t, kombuSends, k.URI, k.Queue, strconv.Itoa(count))
	for _, s := range taps {
		asTold(t, said, func() *core.Record { return Next(t, s) })
		for i := range count {
			if r := Next(t, s); Number(t, r) != i || Marked(r) {
				t.Fatalf("got %s, marked %v, want %d", r.Message(), Marked(r), i)
			}
		}
		if st := s.Stats(); st.Rejected != 0 || st.Dropped != 0 {
			t.Errorf("%+v", st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	told := strconv.Itoa(strings.Count(said, "\n"))
	if got := Python(t, kombuReceives, k.URI, k.Queue, told, strconv.Itoa(count)); !strings.HasSuffix(got, "\n500000\n") {
		t.Errorf("Python got %.1000s", got)
	}
}

func pythonReceives(t *testing.T, k Kombu) {
	count := k.count(2000, 100_000)
	to := k.sender(t, defaults())
	h := queue.NewHandler(to, queue.HandlerOptions{Timeout: -1})
	sent := everything()
	for _, r := range sent {
		if err := h.Handle(Patience(t), r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range count {
		r := &core.Record{Channel: "shop", Level: core.LevelInfo, Msg: "{0}", Args: []any{i}, Time: sent[0].Time}
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	Await(t, "the confirmations", to, func() bool { return to.Sent() == uint64(count+len(sent)) })
	started := time.Now()
	lines := strings.Split(Python(t, kombuReceives, k.URI, k.Queue, strconv.Itoa(len(sent)-1), strconv.Itoa(count)), "\n")
	t.Logf("%d in %v", count, time.Since(started).Round(time.Millisecond))
	for i, r := range sent[:len(sent)-1] {
		if d := cmp.Diff(peertest.LogbookDict(r), peertest.ReadLogbook(t, lines[i]), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%v (-ours +python):\n%s", r.Level, d)
		}
	}
	if got := lines[len(sent)-1]; got != "500000" {
		t.Errorf("%s characters of 1 MB", got)
	}
}
