package mongodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestBothDirectionsWithPython(t *testing.T) { brokertest.RunKombu(t, python3) }

func TestAServerThatIsKilledWhilePythonSendsAndReceives(t *testing.T) {
	brokertest.RunKombuCrash(t, python3)
}

// python3 has few records, since for each that kombu takes FerretDB looks through all.
func python3(t *testing.T) brokertest.Kombu {
	t.Helper()
	b := services.StartFerretDB(t)
	o := options(b)
	return brokertest.Kombu{URI: o.URI, Queue: "logging", Takes: true, Transport: brokertest.Transport{
		Broker: b, Part: 20,
		Receiver: func(brokertest.End) (queue.Receiver, error) { return mongodb.NewReceiver(o) },
		Sender:   func(brokertest.End) (brokertest.Sender, error) { return mongodb.NewSender(o) },
	}}
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

const sendNumbers = `
import sys
from logbook import Logger
from logbook.queues import MessageQueueHandler
with MessageQueueHandler(sys.argv[1]).applicationbound():
    for i in range(int(sys.argv[2])):
        Logger("shop").info(str(i))
`

const receiveNumbers = `
import sys
from logbook.queues import MessageQueueSubscriber
s = MessageQueueSubscriber(sys.argv[1])
print(*(s.recv(timeout=80).message for i in range(int(sys.argv[2]))))
`

// numbers checks that those come that sendNumbers sends.
func numbers(t *testing.T, s *queue.Subscriber, count int) {
	t.Helper()
	for i := range count {
		if r := brokertest.Next(t, s); brokertest.Number(t, r) != i || brokertest.Marked(r) {
			t.Fatalf("got %s, marked %v, want %d", r.Message(), brokertest.Marked(r), i)
		}
	}
}

func TestTapsGetEveryRecordOfPythonAndTakeNoneAway(t *testing.T) {
	const count = 100
	o := options(services.StartFerretDB(t))
	one, two := receive(t, o), receive(t, o)
	brokertest.Python(t, sendNumbers, o.URI, fmt.Sprint(count))
	for _, s := range []*queue.Subscriber{one, two} {
		numbers(t, s, count)
		if st := s.Stats(); st.Rejected != 0 || st.Dropped != 0 || st.Received != count {
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
	if got := strings.Fields(brokertest.Python(t, receiveNumbers, o.URI, fmt.Sprint(count))); len(got) != count || got[count-1] != fmt.Sprint(count-1) {
		t.Errorf("python got %q", got)
	}
}

func TestTheQueueOfPythonIsConsumed(t *testing.T) {
	const count = 100
	o := options(services.StartFerretDB(t))
	o.Consume = true
	brokertest.Python(t, sendNumbers, o.URI, fmt.Sprint(count))
	s := receive(t, o)
	numbers(t, s, count)
	db := database(t, o)
	brokertest.Await(t, "the messages to be removed", s, func() bool { return len(find(t, db, "messages", nil)) == 0 })
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
	brokertest.Python(t, kombuSend, o.URI)
	s := receive(t, o)
	for _, want := range []string{"urgent", "plain", "packed", "pickled"} {
		if r := brokertest.Next(t, s); r.Message() != want {
			t.Errorf("%s, want %s; %+v", r.Message(), want, s.Stats())
		}
	}
}
