package nats_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/nats"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those of a test, which waits for a server longer than for the next attempt.
func options(b *services.Broker) nats.Options {
	return nats.Options{URI: "nats://" + b.Addr(), ReconnectMax: 500 * time.Millisecond, Linger: services.Patience}
}

// kept are options with a stream.
func kept(b *services.Broker) nats.Options {
	o := options(b)
	o.Stream = "LOGS"
	return o
}

func subscriber(t *testing.T, o nats.Options) *queue.Subscriber {
	t.Helper()
	return brokertest.Subscribing(t, nats.NewReceiver, o)
}

// receive returns a subscriber that is connected.
func receive(t *testing.T, o nats.Options) *queue.Subscriber {
	t.Helper()
	return brokertest.Receiving(t, nats.NewReceiver, o)
}

func sender(t *testing.T, o nats.Options) *nats.Sender {
	t.Helper()
	return brokertest.Started(t, nats.NewSender, o)
}

// reach describes the transport over a server of Debian.
func reach(b *services.Broker, stream string) brokertest.Transport {
	with := func(e brokertest.End) nats.Options {
		o := options(b)
		o.Stream, o.AckWait = stream, 2*time.Second // what was on its way comes again then
		o.Linger, o.ReconnectMin, o.ReconnectMax, o.OnPeer = e.Linger, e.ReconnectMin, e.ReconnectMax, e.OnPeer
		return o
	}
	return brokertest.Transport{
		Broker:   b,
		Receiver: func(e brokertest.End) (queue.Receiver, error) { return nats.NewReceiver(with(e)) },
		Sender:   func(e brokertest.End) (brokertest.Sender, error) { return nats.NewSender(with(e)) },
	}
}

// roomy starts a server that takes messages of more than 1 MB, of which a record with a text of
// 1 MB is one.
func roomy(t *testing.T) *services.Broker {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte("max_payload: 8MB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return services.StartNATS(t, "--config", path)
}

func TestStream(t *testing.T) {
	brokertest.Run(t, brokertest.Promise{Keeps: true}, func(t *testing.T) brokertest.Transport {
		return reach(roomy(t), "LOGS")
	})
}

func TestSubject(t *testing.T) {
	brokertest.Run(t, brokertest.Promise{}, func(t *testing.T) brokertest.Transport {
		return reach(roomy(t), "")
	})
}

func TestARecordThatIsTooLargeForTheServerDoesNotHoldUpTheOthers(t *testing.T) {
	b := services.StartNATS(t)
	for _, o := range []nats.Options{options(b), kept(b)} {
		s, to := receive(t, o), sender(t, o)
		brokertest.Send(t, to, bytes.Repeat([]byte("x"), 2<<20))
		brokertest.Send(t, to, brokertest.Numbered(1))
		if r := brokertest.Next(t, s); r.Message() != "1" {
			t.Error(r.Message())
		}
		brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
		if st := to.Status(); to.Lost() != 1 || st.Err == nil || !strings.Contains(st.Err.Error(), "the server takes 1048576") {
			t.Errorf("%d lost, %+v", to.Lost(), st)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatCameInWhileItWasAwayIsReceivedLater(t *testing.T) {
	o := kept(services.StartNATS(t))
	first := receive(t, o)
	to := sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(0))
	if r := brokertest.Next(t, first); r.Message() != "0" {
		t.Error(r.Message())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, receive(t, o)); r.Message() != "1" || brokertest.Marked(r) {
		t.Errorf("%q, marked %v", r.Message(), brokertest.Marked(r))
	}
}

func TestASubjectMayHaveWildcards(t *testing.T) {
	b := services.StartNATS(t)
	o := options(b)
	o.Subject = "logs.>"
	s := receive(t, o)
	for _, subject := range []string{"metrics.cpu", "logs.shop.cart"} {
		o.Subject = subject
		to := sender(t, o)
		brokertest.Send(t, to, fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%s"}`, subject))
		brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
	}
	if r := brokertest.Next(t, s); r.Message() != "logs.shop.cart" {
		t.Error(r.Message())
	}
}

func TestThoseOfAGroupShareTheRecordsAndOthersGetAll(t *testing.T) {
	o := options(services.StartNATS(t))
	all := receive(t, o)
	o.Group = "trays"
	brokertest.Share(t, sender(t, o), all, []*queue.Subscriber{receive(t, o), receive(t, o)})
}

func TestThoseOfADurableShareAStreamAndOthersGetAll(t *testing.T) {
	o := kept(services.StartNATS(t))
	all := receive(t, o)
	o.Durable = "trays"
	brokertest.Share(t, sender(t, o), all, []*queue.Subscriber{receive(t, o), receive(t, o)})
}

func TestWhatTheServerRefusesIsSaid(t *testing.T) {
	b := services.StartNATS(t, "--user", "tray", "--pass", "secret")
	secure, expired := services.StartNATSTLS(t), services.StartNATSExpired(t)
	trusted := brokertest.Trusting(t, expired, "")
	right := "nats://tray:secret@" + b.Addr()
	first := nats.Options{URI: right, Stream: "LOGS", Subject: "logs.a"}
	receive(t, first)
	for want, o := range map[string]nats.Options{
		`the user "tray" or its password is wrong`: {URI: "nats://tray:hush@" + b.Addr()},
		`the user "" or its password is wrong`:     {URI: "nats://" + b.Addr()},
		`the stream "LOGS" is for the subjects`:    {URI: right, Stream: "LOGS", Subject: "other"},
		`overlap with an existing stream`:          {URI: right, Stream: "MORE", Subject: "logs.a"},
		`signed by unknown authority`:              {URI: "tls://" + secure.Addr()},
		`certificate has expired`:                  {URI: "tls://" + expired.Addr(), TLS: trusted},
		`credentials`:                              {URI: right, Credentials: "/no/such/file"},
	} {
		s := subscriber(t, o)
		brokertest.Await(t, want, s, func() bool {
			st := s.Status()
			return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), want)
		})
		if text := fmt.Sprint(s.Status(), s.Name()); strings.Contains(text, "hush") || strings.Contains(text, "secret") {
			t.Errorf("there is a password in %s", text)
		}
	}
}

func TestTLS(t *testing.T) {
	b := services.StartNATSTLS(t)
	o := kept(b)
	o.URI = "tls://" + b.Addr()
	o.TLS = brokertest.Trusting(t, b, "")
	s := receive(t, o)
	brokertest.Send(t, sender(t, o), brokertest.Numbered(7))
	if r := brokertest.Next(t, s); r.Message() != "7" {
		t.Error(r.Message())
	}
}

func TestAServerThatIsNotThereIsWaitedFor(t *testing.T) {
	b := services.StartNATS(t)
	b.Kill()
	o := kept(b)
	from, to := subscriber(t, o), sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(3)) // it is held
	brokertest.Await(t, "an error", from, func() bool { return from.Status().Err != nil && to.Status().Err != nil })
	if st := from.Status(); st.State != queue.StateConnecting || !strings.Contains(st.Err.Error(), "connection refused") && !strings.Contains(st.Err.Error(), "no servers") {
		t.Errorf("%+v", st)
	}
	b.Restart(t)
	if r := brokertest.Next(t, from); r.Message() != "3" {
		t.Error(r.Message())
	}
}

func TestCloseDoesNotWaitForAServerThatSaysNothing(t *testing.T) {
	brokertest.ClosesAtOnce(t, func(address string) (*nats.Receiver, error) {
		return nats.NewReceiver(nats.Options{URI: "nats://" + address, Timeout: services.Patience})
	})
}

func TestWrongOptionsAreErrorsWithoutThePassword(t *testing.T) {
	for _, o := range []nats.Options{
		{},
		{URI: "http://localhost"},
		{URI: "nats://"},
		{URI: "nats://tray:hush hush@local host:x"},
		{URI: "nats://tray:hush@localhost", Subject: "a b"},
		{URI: "nats://tray:hush@localhost", Stream: "a.b"},
		{URI: "nats://tray:hush@localhost", Group: "a b"},
		{URI: "nats://tray:hush@localhost", Stream: "a", Group: "b"},
	} {
		_, err := nats.NewReceiver(o)
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "not valid") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := nats.NewSender(nats.Options{URI: "nats://localhost", Subject: "logs.>"}); err == nil || !strings.Contains(err.Error(), "wildcards") {
		t.Error(err)
	}
}
