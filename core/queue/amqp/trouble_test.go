package amqp_test

import (
	"bytes"
	"compress/zlib"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/amqp"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestABrokerWithoutRoomSaysSoAndGoesOnWhenItHas(t *testing.T) {
	const count = 3000 // more than may be without confirmation
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	s, to := receive(t, o), sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(0))
	if r := brokertest.Next(t, s); r.Message() != "0" {
		t.Error(r.Message())
	}
	shared.Control(t, "set_disk_free_limit", "1000000GB")
	defer shared.Control(t, "set_disk_free_limit", "1MB")
	blocked := func() bool {
		st := to.Status()
		return st.State == queue.StateConnected && st.Err != nil && strings.Contains(st.Err.Error(), "free its disk") && strings.Contains(st.Err.Error(), "low on disk")
	}
	brokertest.SendAll(t, to, 1, count) // only who publishes is told
	brokertest.Await(t, "the alarm", to, blocked)
	shared.Control(t, "set_disk_free_limit", "1MB")
	for i := 1; i < count; i++ {
		if r := brokertest.Next(t, s); brokertest.Number(t, r) != i || brokertest.Marked(r) {
			t.Fatalf("got %s, marked %v, want %d", r.Message(), brokertest.Marked(r), i)
		}
	}
	brokertest.Await(t, "the end of the alarm", to, func() bool { return to.Status().Err == nil && to.Sent() == count })
}

func TestCloseDoesNotWaitForeverForABrokerWithoutRoom(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	o.Linger = -1
	to, err := amqp.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Send(t, to, brokertest.Numbered(0))
	brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
	shared.Control(t, "set_disk_free_limit", "1000000GB")
	defer shared.Control(t, "set_disk_free_limit", "1MB")
	const count = 100
	for i := range count {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	brokertest.Await(t, "the alarm", to, func() bool { return to.Status().Err != nil })
	if err := to.Close(); err == nil || to.Lost() == 0 || to.Lost()+to.Sent() != count+1 {
		t.Errorf("%v, %d lost, %d sent", err, to.Lost(), to.Sent())
	}
}

func TestAQueueThatIsDeclaredDifferentlyIsUsedAsItIs(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	ch := channel(t, o)
	if err := ch.ExchangeDeclare(o.Queue, amqp091.ExchangeDirect, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(o.Queue, true, false, false, false, amqp091.Table{"x-max-length": int64(10)}); err != nil {
		t.Fatal(err)
	}
	s, to := receive(t, o), sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	for _, who := range []queue.Statuser{s, to} {
		if st := who.Status(); st.State != queue.StateConnected || st.Err == nil || !strings.Contains(st.Err.Error(), "PRECONDITION_FAILED") || !strings.Contains(st.Err.Error(), "choose another queue") {
			t.Errorf("%+v", st)
		}
	}
}

func TestWhoDeclaresItDifferentlyAfterUsIsRefusedAndWeGoOn(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	s, to := receive(t, o), sender(t, o)
	brokertest.Connected(t, to)
	_, err := channel(t, o).QueueDeclare(o.Queue, false, false, false, false, nil)
	if refused, ok := errors.AsType[*amqp091.Error](err); !ok || refused.Code != amqp091.PreconditionFailed {
		t.Errorf("%v", err)
	}
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	if st := s.Status(); st.Err != nil {
		t.Errorf("%+v", st)
	}
}

func TestAQueueOfSomebodyElseAloneIsWaitedFor(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	conn, err := amqp091.Dial(o.URI)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(o.Queue, true, false, true, false, nil); err != nil {
		t.Fatal(err)
	}
	s := subscriber(t, o)
	brokertest.Failed(t, s, "another program has the queue for itself")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	brokertest.Connected(t, s)
}

func TestAQueueThatIsDeletedIsMadeAgain(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	told := make(chan queue.Peer, 100)
	o.OnPeer = func(p queue.Peer) { told <- p }
	s := receive(t, o)
	if p := <-told; p.State != queue.StateConnected {
		t.Errorf("%+v", p)
	}
	if _, err := channel(t, o).QueueDelete(o.Queue, false, false, false); err != nil {
		t.Fatal(err)
	}
	if p := <-told; p.State != queue.StateLost || !strings.Contains(p.Err, "the queue was deleted") {
		t.Errorf("%+v", p)
	}
	brokertest.Connected(t, s)
	brokertest.Send(t, sender(t, o), brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
}

func TestAUserWhoMayNotIsToldWhat(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	shared.Control(t, "add_user", "reader", "hush")
	shared.Control(t, "set_permissions", "reader", "^$", "^$", ".*")
	o.URI = strings.Replace(o.URI, "guest:guest", "reader:hush", 1)
	o.Consume = true
	brokertest.Failed(t, subscriber(t, o), `the user "reader" may not`)
	o.Linger = -1
	brokertest.Failed(t, sender(t, o), `the user "reader" may not`)
}

func TestCertificatesThatDoNotHoldAreSaid(t *testing.T) {
	b := shared.RabbitMQ(t)
	expired, authority := services.ListenExpired(t)
	for _, c := range []struct {
		uri  string
		tls  *tls.Config
		want string
	}{
		{"amqps://guest:guest@" + b.TLSAddr() + "/", nil, "name the file of that authority (tls_ca)"},
		{"amqps://guest:guest@" + expired + "/", &tls.Config{RootCAs: authority}, "has expired"},
		{"amqps://guest:guest@" + b.TLSAddr() + "/", brokertest.Trusting(t, b, "other.example"), "for another name"},
		{"amqps://guest:guest@" + b.Addr() + "/", brokertest.Trusting(t, b, ""), "does not speak TLS at this port"},
	} {
		o := options(t, b)
		o.URI, o.TLS, o.Linger = c.uri, c.tls, -1
		brokertest.Failed(t, subscriber(t, o), c.want)
		brokertest.Failed(t, sender(t, o), c.want)
	}
	o := options(t, b)
	o.URI = "amqp://guest:guest@" + b.TLSAddr() + "/"
	s := subscriber(t, o)
	brokertest.Await(t, "the advice", s, func() bool { st := s.Status(); return st.Err != nil && strings.Contains(st.Err.Error(), "amqps:") })
}

const compressed = `
import sys, kombu
with kombu.Connection(sys.argv[1]) as c:
    q = c.SimpleQueue(sys.argv[2])
    for how in "zlib", "bzip2", None:
        q.put({"channel": "c", "level": 11, "msg": how or "pickle"}, compression=how, serializer="json" if how else "pickle")
`

func TestCompressedAndPickledMessagesOfKombuAreRead(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	s := receive(t, o)
	brokertest.Python(t, compressed, o.URI, o.Queue)
	for _, want := range []string{"zlib", "bzip2", "pickle"} {
		if got := brokertest.Next(t, s).Message(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhatIsTooLargeIsCountedAndDoesNotComeAgain(t *testing.T) {
	o := options(t, shared.RabbitMQ(t))
	o.Consume = true
	s := receive(t, o)
	ch := channel(t, o)
	publish := func(compression string, body []byte) {
		t.Helper()
		headers := amqp091.Table{}
		if compression != "" {
			headers["compression"] = compression
		}
		err := ch.PublishWithContext(t.Context(), o.Queue, o.Queue, false, false, amqp091.Publishing{ContentType: "application/json", Headers: headers, Body: body})
		if err != nil {
			t.Fatal(err)
		}
	}
	large, err := json.Marshal(map[string]any{"channel": "c", "level": 11, "msg": strings.Repeat("x", wire.DefaultMaxSize)})
	if err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	w := zlib.NewWriter(&bomb)
	if _, err := io.Copy(w, strings.NewReader(string(large))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	publish("", large)
	publish("application/x-gzip", bomb.Bytes())
	publish("application/x-brotli", []byte("?"))
	publish("application/x-gzip", []byte("no gzip"))
	publish("", brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	if st := s.Stats(); st.Rejected != 4 || st.Reasons[wire.ReasonTooLarge] != 2 || st.Reasons[wire.ReasonMalformed] != 2 {
		t.Errorf("%+v", st)
	}
	brokertest.Await(t, "their end", s, func() bool { return ready(t, o) == 0 })
	if text := fmt.Sprint(s.Status()); !strings.Contains(text, "4 messages rejected") {
		t.Error(text)
	}
}
