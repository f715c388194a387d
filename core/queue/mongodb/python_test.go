package mongodb_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// python runs a program to its end and returns what it has printed.
func python(t *testing.T, program string, args ...string) string {
	t.Helper()
	return e2e.Run(t, os.Environ(), nil, "/usr/bin/python3", append([]string{"-W", "ignore", "-c", program}, args...)...)
}

// sendAll numbers its messages from 0: the driver begins anywhere, and what has the numbers
// before and after it begins anew would be out of order, for kombu's consumer as well.
const sendAll = `
import sys
from bson.objectid import ObjectId
from logbook import Logger
from logbook.queues import MessageQueueHandler
ObjectId._inc = 0
handler = MessageQueueHandler(sys.argv[1])
log = Logger("shop")
with handler.applicationbound():
    for level in "trace", "debug", "info", "notice", "warning", "error", "critical":
        getattr(log, level)("level {0} {sign}", level, sign="\u2603", extra={"customer": 4711, "names": ["Jürgen", None]})
    try:
        try:
            {}["order"]
        except KeyError as e:
            raise ValueError("Grüße aus Köln") from e
    except ValueError:
        log.exception("it failed")
    log.debug("ü" * 500000)
    for i in range(int(sys.argv[2])):
        log.info("record {0}", i)
handler.close()
`

// sent is how many records sendAll sends beside the numbered ones.
const sent = 9

const receiveAll = `
import sys
from logbook.queues import MessageQueueSubscriber
s = MessageQueueSubscriber(sys.argv[1])
for i in range(int(sys.argv[2])):
    r = s.recv(timeout=80)
    print(r.channel, r.level_name, r.message[:40].replace("\n", "|"), dict(r.extra), r.exception_name)
`

// arrived checks the records of sendAll.
func arrived(t *testing.T, s *queue.Subscriber, count int) {
	t.Helper()
	for _, level := range []core.Level{
		core.LevelTrace, core.LevelDebug, core.LevelInfo, core.LevelNotice, core.LevelWarning, core.LevelError, core.LevelCritical,
	} {
		r := brokertest.Next(t, s)
		want := fmt.Sprintf("level %s ☃", strings.ToLower(level.String()))
		names, _ := r.Extra.Get("names").([]any)
		if r.Channel != "shop" || r.Level != level || r.Message() != want || r.Extra.Get("customer") != int64(4711) ||
			len(names) != 2 || names[0] != "Jürgen" || r.Process.ID == 0 || time.Since(r.Time) > time.Hour {
			t.Errorf("want %q, got %+v", want, r)
		}
	}
	r := brokertest.Next(t, s)
	if r.Exception == nil || r.Exception.Name != "builtins.ValueError" || r.Exception.Message != "Grüße aus Köln" ||
		!strings.Contains(r.Exception.Traceback, "KeyError: 'order'") {
		t.Errorf("%+v %+v", r, r.Exception)
	}
	if r := brokertest.Next(t, s); r.Message() != strings.Repeat("ü", 500_000) {
		t.Errorf("%d bytes of 1 MB", len(r.Message()))
	}
	for i := range count {
		if r, want := brokertest.Next(t, s), fmt.Sprintf("record %d", i); r.Message() != want || brokertest.Marked(r) {
			t.Fatalf("got %q, marked %v, want %q", r.Message(), brokertest.Marked(r), want)
		}
	}
}

// receive returns a subscriber that is connected.
func receive(t *testing.T, o mongodb.Options) *queue.Subscriber {
	t.Helper()
	s := subscriber(t, o)
	brokertest.Connected(t, s)
	return s
}

func subscriber(t *testing.T, o mongodb.Options) *queue.Subscriber {
	t.Helper()
	r, err := mongodb.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	return brokertest.Subscriber(t, r)
}

func sender(t *testing.T, o mongodb.Options) *mongodb.Sender {
	t.Helper()
	s, err := mongodb.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTapsGetEveryRecordOfPythonAndTakeNoneAway(t *testing.T) {
	const count = 200
	o := options(services.StartFerretDB(t))
	one, two := receive(t, o), receive(t, o)
	python(t, sendAll, o.URI, fmt.Sprint(count))
	arrived(t, one, count)
	arrived(t, two, count)
	for _, s := range []*queue.Subscriber{one, two} {
		if st := s.Stats(); st.Rejected != 0 || st.Dropped != 0 || st.Received != count+sent {
			t.Errorf("%+v", st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	db := database(t, o)
	if left := find(t, db, "messages", ours()); len(left) != 0 {
		t.Errorf("%d messages are left behind", len(left))
	}
	if routes := find(t, db, "messages.routing", nil); len(routes) != 1 || routes[0]["queue"] != "logging" {
		t.Errorf("bound: %v", routes)
	}
	const some = 10 // of what Python finds there still; it looks through all for each
	lines := strings.Split(python(t, receiveAll, o.URI, fmt.Sprint(some)), "\n")
	if len(lines) != some+1 || !strings.HasPrefix(lines[0], "shop TRACE level trace ☃") || !strings.HasSuffix(lines[7], "builtins.ValueError") {
		t.Errorf("python got %q", lines)
	}
	if n := len(find(t, db, "messages", nil)); n != count+sent-some {
		t.Errorf("%d messages are there", n)
	}
}

func TestTheQueueOfPythonIsConsumed(t *testing.T) {
	const count = 50 // with one of 1 MB beside them, which is looked at for each that is claimed
	o := options(services.StartFerretDB(t))
	o.Consume = true
	python(t, sendAll, o.URI, fmt.Sprint(count))
	s := receive(t, o)
	arrived(t, s, count)
	db := database(t, o)
	brokertest.Await(t, "the messages to be removed", s, func() bool { return len(find(t, db, "messages", nil)) == 0 })
}

func TestPythonReceivesWhatWeSend(t *testing.T) {
	const count = 100
	o := options(services.StartFerretDB(t))
	to := sender(t, o)
	h := queue.NewHandler(to, queue.HandlerOptions{Timeout: services.Patience})
	levels := core.Levels()
	records := []*core.Record{{Channel: "large", Level: core.LevelInfo, Msg: strings.Repeat("x", 1_000_000), Time: time.Now().UTC()}}
	want := []string{"large INFO " + strings.Repeat("x", 40) + " {} None"}
	for i := range count {
		records = append(records, &core.Record{
			Channel: "go", Level: levels[i%len(levels)], Msg: "Zürich\n{0}", Args: []any{i}, Time: time.Now().UTC(),
			Extra: core.Fields{{Key: "ort", Value: "Köln ☃"}}, Exception: &core.Exception{Name: "shop.Closed", Message: "no"},
		})
		want = append(want, fmt.Sprintf("go %s Zürich|%d {'ort': 'Köln ☃'} shop.Closed", levels[i%len(levels)], i))
	}
	for _, r := range records {
		if err := h.Handle(brokertest.Patience(t), r); err != nil {
			t.Fatal(err)
		}
	}
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count+1 })
	got := python(t, receiveAll, o.URI, fmt.Sprint(count+1))
	if d := cmp.Diff(want, strings.Split(strings.TrimSuffix(got, "\n"), "\n")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// kombuSend publishes as another program may that has a consumer of Logbook's queue.
const kombuSend = `
import sys
from kombu import Connection
record = lambda m: {"channel": "c", "level": 11, "msg": m, "heavy_initialized": True, "extra": {}}
with Connection(sys.argv[1]) as c:
    q = c.SimpleQueue("logging")
    q.put(record("plain"))
    q.put(record("packed"), compression="zlib")
    q.put(record("pickled"), serializer="pickle")
    q.put(record("urgent"), priority=9)
    q.close()
`

func TestWhateverKombuMakesOfARecordIsRead(t *testing.T) {
	o := options(services.StartFerretDB(t))
	o.Consume = true
	python(t, kombuSend, o.URI)
	s := receive(t, o)
	for _, want := range []string{"urgent", "plain", "packed", "pickled"} {
		if r := brokertest.Next(t, s); r.Message() != want {
			t.Errorf("%s, want %s; %+v", r.Message(), want, s.Stats())
		}
	}
}
