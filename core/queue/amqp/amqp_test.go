package amqp_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
)

const sendAll = `
import sys
from logbook import Logger
from logbook.queues import MessageQueueHandler
handler = MessageQueueHandler(sys.argv[1], sys.argv[2])
log = Logger("shop")
with handler.applicationbound():
    log.warn("sold out: {0}", "tea", extra={"customer": 4711})
    try:
        {}["order"]
    except KeyError:
        log.exception("Grüße aus Köln ☃")
    log.debug("x" * 1000000)
    for i in range(int(sys.argv[3])):
        log.info("record {0}", i)
handler.close()
# The handler leaves the connection open. When that breaks off with the program, the broker
# forgets what it has not yet read; the answer to this says that it has read everything.
handler.queue.channel.close()
`

const receiveAll = `
import sys
from logbook.queues import MessageQueueSubscriber
s = MessageQueueSubscriber(sys.argv[1], sys.argv[2])
for i in range(int(sys.argv[3])):
    r = s.recv(timeout=80)
    print(r.channel, r.level_name, r.message[:40])
`

// arrived checks the records of sendAll.
func arrived(t *testing.T, s *queue.Subscriber, count int) {
	t.Helper()
	first, err := s.Recv(brokertest.Patience(t))
	if err != nil {
		t.Fatal(err)
	}
	if first.Channel != "shop" || first.Level != core.LevelWarning || first.Message() != "sold out: tea" ||
		first.Extra.Get("customer") != int64(4711) || first.Site.File != "<string>" {
		t.Errorf("%+v", first)
	}
	failed, err := s.Recv(brokertest.Patience(t))
	if err != nil {
		t.Fatal(err)
	}
	if failed.Exception == nil || failed.Exception.ShortName() != "KeyError" || failed.Message() != "Grüße aus Köln ☃" {
		t.Errorf("%+v %+v", failed, failed.Exception)
	}
	if got := brokertest.Next(t, s).Message(); len(got) != 1_000_000 {
		t.Errorf("%d bytes of 1 MB", len(got))
	}
	for i := range count {
		if got, want := brokertest.Next(t, s).Message(), fmt.Sprintf("record %d", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestATapGetsEveryRecordAndTakesNoneAway(t *testing.T) {
	const count = 1000
	o := options(t, shared.RabbitMQ(t))
	one, two := receive(t, o), receive(t, o) // before python, which declares the same
	brokertest.Python(t, sendAll, o.URI, o.Queue, fmt.Sprint(count))
	arrived(t, one, count)
	arrived(t, two, count)
	if got := strings.Count(brokertest.Python(t, receiveAll, o.URI, o.Queue, fmt.Sprint(count+3)), "\n"); got != count+3 {
		t.Errorf("python got %d", got)
	}
	if st := one.Stats(); st.Rejected != 0 || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

func TestTheQueueOfPythonIsConsumed(t *testing.T) {
	const count = 1000
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	brokertest.Python(t, sendAll, o.URI, o.Queue, fmt.Sprint(count)) // python declares first
	arrived(t, receive(t, o), count)
	brokertest.Await(t, "the acknowledgements", subscriber(t, o), func() bool { return ready(t, o) == 0 })
}

// ready returns how many messages wait in the queue.
func ready(t *testing.T, o amqp.Options) int {
	t.Helper()
	q, err := channel(t, o).QueueDeclarePassive(o.Queue, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Messages
}

func TestWhatTheBrokerRefusesIsSaid(t *testing.T) {
	b := shared.RabbitMQ(t)
	for uri, want := range map[string]string{
		"amqp://guest:wrong@" + b.Addr() + "/":          `the user "guest" or its password is wrong`,
		"amqp://guest:guest@" + b.Addr() + "/elsewhere": `the virtual host "elsewhere" does not exist`,
		"amqps://guest:guest@" + b.TLSAddr() + "/":      "certificate",
	} {
		o := options(t, b)
		o.URI = uri
		s := subscriber(t, o)
		brokertest.Failed(t, s, want)
		if text := fmt.Sprint(s.Status(), s.Name()); strings.Contains(text, "wrong@") || strings.Contains(text, "guest:guest") {
			t.Errorf("there is a password in %s", text)
		}
	}
}

func TestTLS(t *testing.T) {
	b := shared.RabbitMQ(t)
	o := options(t, b)
	o.URI = "amqps://guest:guest@" + b.TLSAddr() + "/"
	o.TLS = brokertest.Trusting(t, b, "")
	s := receive(t, o)
	if err := sender(t, o).Send(brokertest.Patience(t), []byte(`{"channel":"c","level":11,"msg":"m"}`)); err != nil {
		t.Fatal(err)
	}
	if got := brokertest.Next(t, s).Message(); got != "m" {
		t.Error(got)
	}
}

func TestAnExchangeThatIsDeclaredDifferentlyIsUsedAsItIs(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	ch := channel(t, o)
	if err := ch.ExchangeDeclare(o.Queue, amqp091.ExchangeFanout, false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	s := receive(t, o)
	if st := s.Status(); st.Err == nil || !strings.Contains(st.Err.Error(), "PRECONDITION_FAILED") {
		t.Errorf("%+v", st)
	}
	err := ch.PublishWithContext(t.Context(), o.Queue, "", false, false, amqp091.Publishing{Body: []byte(`{"channel":"c","level":11,"msg":"m"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := brokertest.Next(t, s).Message(); got != "m" {
		t.Error(got)
	}
}

func TestABrokerThatIsNotThereIsWaitedFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	o := amqp.Options{URI: "amqp://" + address, Linger: -1}
	r, to := subscriber(t, o), sender(t, o)
	brokertest.Await(t, "an error", r, func() bool { return r.Status().Err != nil && to.Status().Err != nil })
	if st := r.Status(); st.State != queue.StateConnecting || !strings.Contains(st.Err.Error(), "connection refused") {
		t.Errorf("%+v", st)
	}
}

func TestAnAddressThatIsNoneIsAnErrorWithoutThePassword(t *testing.T) {
	for _, uri := range []string{"", "http://localhost", "amqp://guest:hush hush@localhost", "amqp://guest:hush@local host:x"} {
		_, err := amqp.NewReceiver(amqp.Options{URI: uri})
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "amqp://user") {
			t.Errorf("%q: %v", uri, err)
		}
	}
}
